// Fills batches from the replay as the spec's memory says: uniformly, or by priorities; and the noise of
// an update. Used by the update thread only.
//
// Rows that came since the last batch enter the priorities first, at the largest priority. Importance
// weights' exponent goes linearly from memory.beta to memory.beta_final over the run.
#ifndef LEARNER_SAMPLER_H
#define LEARNER_SAMPLER_H

#include "common/error.h"
#include "common/rng.h"
#include "common/spec.h"
#include "learner/batch.h"
#include "learner/priority.h"
#include "learner/replay.h"

#include <stdbool.h>
#include <stdint.h>

struct sampler {
    const struct memory_spec *memory;  // borrowed
    struct rng                sample, noise;
    bool                      prioritized;
    struct priority           priority;
    uint64_t                  counted;  // rows ever inserted that the priorities know
    double                   *uniform;  // (B)
};

// capacity: rows of the replay.
//
//   returns  0 or ERR_MEMORY
int  sampler_init(struct sampler *s, const struct memory_spec *memory, uint64_t capacity,
                  uint64_t seed, struct error *err);
void sampler_free(struct sampler *s);

// Fills b. progress: of the run, 0 to 1.
void sampler_draw(struct sampler *s, struct replay *replay, struct batch *b, double progress);

// The errors (B) that the update found become the rows' priorities.
void sampler_learned(struct sampler *s, const struct batch *b, const float *td_error);

#endif
