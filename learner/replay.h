// The replay memory: a preallocated ring of rows (proto/transition.h), written by the ingest thread,
// gathered by the update thread.
//
// With a path the ring is a shared mapping of that file, so a learner that is killed loses no row and
// resumes with no half-written one: see learner/replay_file.h for how. With the rows goes, for each
// actor's slot, the mark up to which its rows are in: row and mark become valid in the same store, so
// a resent block is a duplicate exactly when its rows are there.
//
// The file's blocks are reserved when it is made: a full disk is an error at start, never a SIGBUS.
// It survives SIGKILL, not a power loss: the kernel writes pages back when it likes. A checkpoint
// syncs it first (replay_sync), so after a power loss the rows that the checkpoint counts are whole,
// later ones may be missing or mixed with those that they overwrite.
#ifndef LEARNER_REPLAY_H
#define LEARNER_REPLAY_H

#include "common/error.h"
#include "common/rng.h"
#include "learner/batch.h"
#include "proto/transition.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REPLAY_NAME = 64 };

// How far one slot's rows are in.
struct replay_mark {
    uint64_t incarnation;        // of the slot, as WELCOME gave it; 0: never used
    uint64_t sequence;           // of the newest row inserted
    char     name[REPLAY_NAME];  // whose slot it is, so that it gets it back
};

struct replay_header;
struct replay_slot;

struct replay {
    struct row_shape      shape;
    uint64_t              capacity;  // N rows
    size_t                slots;     // marks kept
    size_t                undo;      // rows that can be taken back after they overwrote others
    uint64_t              inserted;  // rows ever inserted; row i lies at i mod N
    float                *rows;      // (N, words)
    struct replay_header *header;    // start of the mapping
    struct replay_slot   *slot;      // (slots)
    float                *kept;      // (undo, words)
    size_t                bytes;     // of the mapping
    bool                  open;      // lock is initialised
    pthread_mutex_t       lock;      // held for a block's copy and for a batch's gather
};

// Maps an empty ring of capacity rows with marks for `slots` actors. path NULL: memory only. An
// existing file of the same shape is continued if resume, else replaced; a continued ring that is not
// full yet grows to capacity, any other keeps its own. undo: how many
// rows a rewind of a full ring can go back, at least those of the largest insert; 0: memory only.
//
//   returns  0, ERR_MEMORY or ERR_SYSTEM when memory or disk are too small (with the sizes), or
//            ERR_FORMAT when a file that should be continued is not a replay of this shape
int  replay_init(struct replay *r, struct row_shape shape, uint64_t capacity, size_t slots,
                 size_t undo, const char *path, bool resume, struct error *err);
void replay_free(struct replay *r);

// Appends n rows (n, words) of one slot, oldest first; n <= N. mark: how far the slot's rows are in
// with these. Thread-safe.
void replay_insert(struct replay *r, const void *rows, size_t n, size_t slot,
                   const struct replay_mark *mark);

// Gives a slot to an incarnation that has no rows yet, so that a learner that is killed now knows it
// again. Thread-safe.
void replay_claim(struct replay *r, size_t slot, const struct replay_mark *mark);

// How far a slot's rows are in. Thread-safe.
struct replay_mark replay_mark(struct replay *r, size_t slot);

// Forgets the rows after the first `inserted` ones (a checkpoint's count), for lock-step's return to
// a checkpoint, puts back what they overwrote, and clears the marks.
//
//   returns  0, or ERR_FORMAT when the count is ahead of the ring, or too far behind it
int replay_rewind(struct replay *r, uint64_t inserted, struct error *err);

// Waits until everything inserted so far is on the disk. Thread-safe, does not stop insertions.
//
//   returns  0 or ERR_SYSTEM
int replay_sync(struct replay *r, struct error *err);

// Rows there now: min(inserted, N). Thread-safe.
uint64_t replay_size(struct replay *r);

// Rows ever inserted. Thread-safe.
uint64_t replay_inserted(struct replay *r);

// Draws b->B rows uniformly with replacement into b->index. Requires a size >= 1. With newest, the
// last one is the newest row (combined experience replay). Thread-safe.
void replay_draw(struct replay *r, struct batch *b, bool newest, struct rng *sample);

// Fills b->obs ... next_obs and version with the rows that b->index names. Thread-safe.
void replay_gather(struct replay *r, struct batch *b);

#endif
