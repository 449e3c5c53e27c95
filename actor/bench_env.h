// How fast environments step on one thread, against MuJoCo alone and with a policy before each step.
//
//   env    env_step of `envs` environments in turn under uniform random actions
//   bare   mj_step x frame_skip and mj_rnePostConstraint, nothing else, from the same start states
//          under the same controls in the same order
//   actor  rollout_step: one evaluation of a (256, 256) policy for all environments, sampling,
//          stepping, resets, rows for the replay
//
// The time of resets is left out of env and bare: how many there are is the actions' doing.
//
// Seconds are the thread's own processor time, and the three take turns in slices of a fraction of a
// second, so that other load on the machine does not decide.
#ifndef ACTOR_BENCH_ENV_H
#define ACTOR_BENCH_ENV_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct bench_env {
    double env;    // steps a second
    double bare;   // NAN: not a MuJoCo task
    double actor;  // NAN: not measured
};

// Measures one task for about `seconds` each. actor: also with a policy.
//
//   returns  0, or what env_make or memory said; ERR_NUMERIC if the bare run did not end in the
//            states of the env run
int bench_env_measure(struct bench_env *b, const char *task, size_t envs, double seconds,
                      bool actor, struct error *err);

// One JSON line a task (16 environments) on out: tasks is a list separated by blanks, or NULL for the
// MuJoCo tasks.
int bench_env_print(FILE *out, const char *tasks, double seconds, struct error *err);

#endif
