// The mapping that a replay lives in: a file, or memory only.
//
//   struct replay_header
//   struct replay_slot   (slots)        how far each actor's rows are in, and its name
//   float                (undo, words)  what the newest rows have overwritten
//   float                (N, words)     the ring, on a page border
//
// A learner may be killed between any two stores. So every store leaves a state that replay_file_open
// understands: rows count once `inserted` has moved, marks count with their rows, and what a block is
// about to overwrite is copied to the undo area before the first of its bytes is written.
#ifndef LEARNER_REPLAY_FILE_H
#define LEARNER_REPLAY_FILE_H

#include "common/error.h"
#include "learner/replay.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define REPLAY_NOT_WRITING UINT64_MAX

struct replay_header {
    char             magic[24];
    uint32_t         format;
    uint32_t         obs, action, words, slots;
    uint64_t         capacity, undo;
    _Atomic uint64_t inserted;  // moves after the rows it counts
    // a block of writing_n rows is being written while writing_at is `inserted`
    uint64_t         writing_n;
    _Atomic uint64_t writing_at;
    uint64_t         reached;  // furthest row that was ever written: the undo area ends there
};

// the later mark counts once the rows that came with it count
struct replay_slot {
    struct replay_mark before, after;
    uint64_t           at;  // header->inserted from which `after` holds
};

// Maps r->bytes ... as replay_init says, which fills shape, capacity, slots and undo before. A
// resumed file may have more slots, rows and a larger undo area than was asked for: r gets those. A block
// that was being written when the file was left is taken back.
//
//   returns  as replay_init
int  replay_file_open(struct replay *r, const char *path, bool resume, struct error *err);
void replay_file_close(struct replay *r);

// returns 0 or ERR_SYSTEM
int replay_file_sync(struct replay *r, struct error *err);

// Keeps what rows from ... from + n - 1 are about to overwrite.
void replay_file_keep(struct replay *r, uint64_t from, uint64_t n);

// Puts back what rows from ... to - 1 have overwritten.
void replay_file_undo(struct replay *r, uint64_t from, uint64_t to);

#endif
