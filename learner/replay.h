// The replay memory: a preallocated ring of rows (proto/transition.h), written by the ingest thread,
// gathered by the update thread.
#ifndef LEARNER_REPLAY_H
#define LEARNER_REPLAY_H

#include "common/error.h"
#include "common/rng.h"
#include "learner/batch.h"
#include "proto/transition.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct replay {
    struct row_shape shape;
    uint64_t         capacity;  // N rows
    uint64_t         inserted;  // rows ever inserted; row i lies at i mod N
    float           *rows;      // (N, words), file-backed when a run directory is given
    pthread_mutex_t  lock;      // held for a block's copy and for a batch's gather
};

// returns 0, ERR_MEMORY (with the sizes) or ERR_SYSTEM.
int  replay_init(struct replay *r, struct row_shape shape, uint64_t capacity, struct error *err);
void replay_free(struct replay *r);

// Appends n rows (n, words), oldest first. Thread-safe.
void replay_insert(struct replay *r, const void *rows, size_t n);

// Rows there now: min(inserted, N). Thread-safe.
uint64_t replay_size(struct replay *r);

// Fills b->obs ... next_obs, version, index with b->B rows drawn uniformly with replacement (b->weight
// becomes 1), b->noise_* from noise. Requires a size >= 1. Thread-safe.
void replay_sample(struct replay *r, struct batch *b, struct rng *sample, struct rng *noise);

#endif
