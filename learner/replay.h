// The replay memory: a preallocated ring of rows (proto/transition.h), written by the ingest thread,
// gathered by the update thread.
//
// With a path the ring is a shared mapping of that file, so a learner that is killed loses no row:
// the counter in the file's header moves only after the rows it counts are in place. It survives
// SIGKILL, not a power loss. With the rows goes, for each actor's slot, the mark up to which its rows
// are in: row and mark become valid in the same store, so a resent block is a duplicate exactly when
// its rows are there. The file: struct replay_header, the marks, then on a page border the rows.
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

// How far one slot's rows are in.
struct replay_mark {
    uint64_t incarnation;  // of the slot, as WELCOME gave it; 0: never used
    uint64_t sequence;     // of the newest row inserted
};

struct replay_header;
struct replay_slot;

struct replay {
    struct row_shape      shape;
    uint64_t              capacity;  // N rows
    size_t                slots;     // marks kept
    uint64_t              inserted;  // rows ever inserted; row i lies at i mod N
    float                *rows;      // (N, words)
    struct replay_header *header;    // start of the mapping
    struct replay_slot   *slot;      // (slots)
    size_t                bytes;     // of the mapping
    bool                  open;      // lock is initialised
    pthread_mutex_t       lock;      // held for a block's copy and for a batch's gather
};

// Maps an empty ring of capacity rows with marks for `slots` actors. path NULL: memory only. An
// existing file of the same shape and capacity is continued if resume, else replaced.
//
//   returns  0, ERR_MEMORY (with the sizes), ERR_SYSTEM, or ERR_FORMAT when a file that should be
//            continued is not a replay of this shape
int  replay_init(struct replay *r, struct row_shape shape, uint64_t capacity, size_t slots,
                 const char *path, bool resume, struct error *err);
void replay_free(struct replay *r);

// Appends n rows (n, words) of one slot, oldest first; n <= N. mark: how far the slot's rows are in
// with these. Thread-safe.
void replay_insert(struct replay *r, const void *rows, size_t n, size_t slot,
                   struct replay_mark mark);

// Gives a slot to an incarnation that has no rows yet, so that a learner that is killed now knows it
// again. Thread-safe.
void replay_claim(struct replay *r, size_t slot, uint64_t incarnation);

// How far a slot's rows are in. Thread-safe.
struct replay_mark replay_mark(struct replay *r, size_t slot);

// Forgets the rows after the first `inserted` ones (a checkpoint's count), for lock-step's return to
// a checkpoint, and clears the marks. Rows that the ring has overwritten since stay overwritten.
//
//   returns  0, or ERR_FORMAT when the count is ahead of the ring
int replay_rewind(struct replay *r, uint64_t inserted, struct error *err);

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
