// A policy playing whole episodes by its mode, for evaluations, `eval` and videos.
//
// Episode number e of a seed always starts from the same state, whatever was played before.
#ifndef ACTOR_PLAY_H
#define ACTOR_PLAY_H

#include "actor/env.h"
#include "common/error.h"
#include "common/policy.h"

#include <stdbool.h>
#include <stdint.h>

struct play {
    struct env    *env;      // borrowed
    struct policy *policy;   // borrowed
    float         *obs;      // (O)
    float         *action;   // (A)  policy's, then in task units
    float         *outputs;  // (2 A)
};

struct play_result {
    double   ret;     // sum of rewards, not discounted
    uint64_t length;  // steps
};

// Requires that policy and env have the same sizes (play_fits).
//
//   returns  0 or ERR_MEMORY
int  play_init(struct play *p, struct env *env, struct policy *policy, struct error *err);
void play_free(struct play *p);

// returns 0, or ERR_VERSION with both sides' sizes
int play_fits(const struct env_info *env, const struct policy *policy, struct error *err);

// Plays one episode to its end. A broken step (env.h) ends it as it is. step, if not NULL, is called
// after the reset and after every step, and ends the episode early by returning false.
struct play_result play_episode(struct play *p, uint64_t seed, uint64_t episode,
                                bool (*step)(void *context), void *context);

#endif
