// A task: reset, step, observe. One file a task under actor/env/, one line in the table of env.c.
//
// Observations are written as float into the caller's rows; physics and rewards are double. Actions
// arrive in the task's own units (the policy's [-1, 1] is scaled by env_scale_action). Semantics are
// Gymnasium's v5: terminated is the task's, truncated is the time limit's, both may be 1, and after
// either the caller resets. Not thread-safe; one thread per struct env, models are shared read-only.
#ifndef ACTOR_ENV_H
#define ACTOR_ENV_H

#include "common/error.h"
#include "common/rng.h"
#include "common/spec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ENV_MAX_ACTION = 64 };

struct env_info {
    char     name[64];  // "HalfCheetah-v5"
    size_t   obs;       // O
    size_t   action;    // A: dimensions (continuous) or number of choices (discrete)
    bool     discrete;
    double   low[ENV_MAX_ACTION];  // (A)  bounds in task units, continuous only
    double   high[ENV_MAX_ACTION];
    uint64_t max_steps;  // time limit of an episode
    double   threshold;  // Gymnasium's reward threshold, NAN when it has none
};

struct env_step {
    double reward;
    bool   terminated;
    bool   truncated;
    bool   broken;  // the simulator met a bad state: drop this transition and reset
};

struct env;  // hides MuJoCo

// The version of the simulator that this program runs with.
const char *env_simulator_version(void);

// The name of the i-th task of the table, in alphabetical order; NULL after the last.
const char *env_name(size_t i);

// Makes one environment of the task that spec->env names.
//
//   returns  NULL and err on failure: unknown task, model that does not load, bad kwargs
//   owns     the caller, until env_free
struct env *env_make(const struct spec *spec, struct error *err);

// Another environment of the same task and arguments, sharing the model of the first (which may be
// freed before it). The families of different threads are made by separate env_make.
struct env *env_copy(const struct env *env, struct error *err);

void env_free(struct env *env);

const struct env_info *env_info(const struct env *env);

// Starts an episode with the task's reset distribution; obs (O) out.
void env_reset(struct env *env, struct rng *rng, float *obs);

// One control step. action: (A) task units, or one value, the index, if discrete. obs (O) out: the
// true successor, also of the last step.
struct env_step env_step(struct env *env, const float *action, float *obs);

// y = low + (x + 1) / 2 * (high - low) per dimension, float32 in the end; x, y (A), may alias.
void env_scale_action(const struct env_info *info, float *y, const float *x);

// ------ states, for tests, benchmarks and videos

// The state of a task as float64: MuJoCo qpos then qvel, classic control Gymnasium's env.state.
size_t env_state_size(const struct env *env);
void   env_get_state(const struct env *env, double *state);

// Puts a state in place as Gymnasium's set_state does after a reset of the data, with `elapsed` steps
// of the episode counted; obs (O) out, may be NULL. In MuJoCo qpos and qvel are not all there is: warm
// start and lagging kinematics start anew.
void env_set_state(struct env *env, const double *state, uint64_t elapsed, float *obs);

// Seconds that one step stands for, as a video should show it.
double env_step_seconds(const struct env *env);

// The last observation before it was rounded to float; (O), until the next call.
const double *env_observation(const struct env *env);

#endif
