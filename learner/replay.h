// The replay memory: a preallocated ring of rows (proto/transition.h), written by the ingest thread,
// gathered by the update thread.
//
// With a path the ring is a shared mapping of that file, so a learner that is killed loses no row:
// the counter in the file's header moves only after the rows it counts are in place. It survives
// SIGKILL, not a power loss. The file: a header of one page (struct replay_header), then the rows.
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

struct replay_header;

struct replay {
    struct row_shape      shape;
    uint64_t              capacity;  // N rows
    uint64_t              inserted;  // rows ever inserted; row i lies at i mod N
    float                *rows;      // (N, words)
    struct replay_header *header;    // start of the mapping
    size_t                bytes;     // of the mapping
    bool                  open;      // lock is initialised
    pthread_mutex_t       lock;      // held for a block's copy and for a batch's gather
};

// Maps an empty ring of capacity rows. path NULL: memory only. An existing file of the same shape
// and capacity is continued if resume, else replaced.
//
//   returns  0, ERR_MEMORY (with the sizes), ERR_SYSTEM, or ERR_FORMAT when a file that should be
//            continued is not a replay of this shape
int  replay_init(struct replay *r, struct row_shape shape, uint64_t capacity, const char *path,
                 bool resume, struct error *err);
void replay_free(struct replay *r);

// Appends n rows (n, words), oldest first; n <= N. Thread-safe.
void replay_insert(struct replay *r, const void *rows, size_t n);

// Forgets the rows after the first `inserted` ones (a checkpoint's count), for lock-step's return to
// a checkpoint. Rows that the ring has overwritten since stay overwritten.
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
