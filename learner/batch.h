// A batch as the update sees it: columns gathered from replay rows. All arrays belong to the batch.
#ifndef LEARNER_BATCH_H
#define LEARNER_BATCH_H

#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

struct batch {
    size_t    B, O, W, A;    // rows, observation, action columns, policy outputs (noise width)
    float    *obs;           // (B, O)
    float    *action;        // (B, W)  continuous: [-1, 1]; discrete: W = 1, the index
    float    *reward;        // (B)
    float    *discount;      // (B)     gamma^n (1 - terminated)
    float    *next_obs;      // (B, O)
    float    *weight;        // (B)     importance weights, 1 when sampled uniformly
    float    *noise_next;    // (B, A)  standard normals of a' (continuous)
    float    *noise_policy;  // (B, A)  standard normals of the actor's loss (continuous)
    uint32_t *version;       // (B)     weights version of each row, for the sample's age
    uint64_t *index;         // (B)     replay rows, for priorities
    void     *block;         // all of the above
};

// Allocates everything, 64-byte aligned.
//
//   returns  0 or ERR_MEMORY
int  batch_init(struct batch *b, size_t B, size_t O, size_t W, size_t A, struct error *err);
void batch_free(struct batch *b);

#endif
