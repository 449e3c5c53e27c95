// The optional arguments of a task (env.kwargs of a spec), with Gymnasium's names and defaults.
//
// A task lists them once, in a table over its own struct args:
//
//   struct args {
//       double ctrl_cost_weight, healthy_z_range[2];
//       bool   terminate_when_unhealthy;
//   };
//   static const struct env_arg args[] = {
//       {ENV_ARG(WEIGHT, ctrl_cost_weight, 1e-3)},
//       {ENV_ARG(RANGE, healthy_z_range, 0.7, INFINITY)},
//       {ENV_ARG(FLAG, terminate_when_unhealthy, true)},
//   };
#ifndef ACTOR_ENV_ARGS_H
#define ACTOR_ENV_ARGS_H

#include "common/error.h"
#include "common/spec.h"

#include <stddef.h>

enum env_arg_kind {
    ENV_ARG_WEIGHT,  // double, finite
    ENV_ARG_SCALE,   // double, finite, >= 0
    ENV_ARG_RANGE,   // double[2], low <= high, may be infinite
    ENV_ARG_FLAG,    // bool
};

struct env_arg {
    const char       *name;
    enum env_arg_kind kind;
    size_t            offset;    // of the member in the task's struct
    double            value[2];  // default
};

#define ENV_ARG(KIND, member, ...)                                                                 \
    .name = #member, .kind = ENV_ARG_##KIND, .offset = offsetof(struct args, member),              \
    .value = {__VA_ARGS__}

// Fills a task's struct: defaults, then what the spec's env.kwargs say.
//
//   into        struct that args' offsets belong to
//   frame_skip  inout; NULL if the task has none: the kwarg that all MuJoCo tasks share
//   returns     0, or ERR_SPEC with all errors, one a line
int env_args_fill(void *into, int *frame_skip, const struct env_arg *args, size_t n,
                  const struct spec *spec, struct error *err);

#endif
