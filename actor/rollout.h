// The environments of one actor, stepped together: one policy evaluation for all, one row a step.
//
// Random streams (seed, slot, environment) are the actor's alone, so a lock-step run repeats. Not
// thread-safe.
#ifndef ACTOR_ROLLOUT_H
#define ACTOR_ROLLOUT_H

#include "actor/env.h"
#include "actor/window.h"
#include "common/error.h"
#include "common/policy.h"
#include "common/rng.h"
#include "common/spec.h"
#include "proto/message.h"
#include "proto/transition.h"

#include <stddef.h>
#include <stdint.h>

struct rollout_env {
    struct env   *env;
    struct window window;
    struct rng    rng;  // resets
    double        ret;  // of the running episode
    uint64_t      length;
    double        started;  // clock_now()
};

struct rollout {
    size_t              M, O, A, W;  // environments, observation, action, action columns
    size_t              n_step;
    struct row_shape    shape;
    struct rollout_env *envs;  // (M)
    struct rng          policy_rng, uniform_rng;
    float              *obs;      // (M, O)  where each stands
    float              *next;     // (O)     one successor at a time
    float              *action;   // (M, W)  as in rows
    float              *scaled;   // (A)     task units
    float              *outputs;  // (M, 2 A)
    float              *rows;     // (M n_step, words)  of the last rollout_step
    size_t              n_rows;
    struct episode     *episodes;  // (M)  finished in the last rollout_step
    size_t              n_episodes;
    uint64_t            broken;  // simulator states thrown away
    void               *block;
};

// Makes M environments of the spec's task.
//
//   returns  0 or ERR_*; r is then safe to free
int  rollout_init(struct rollout *r, const struct spec *spec, size_t M, struct error *err);
void rollout_free(struct rollout *r);

const struct env_info *rollout_info(const struct rollout *r);

// Starts every environment anew with the streams of (seed, slot, epoch); open windows are dropped.
void rollout_restart(struct rollout *r, uint64_t seed, uint64_t slot, uint64_t epoch);

// One step of every environment. policy NULL: uniform random actions, version 0. Fills rows and
// episodes.
void rollout_step(struct rollout *r, struct policy *policy, uint32_t version);

#endif
