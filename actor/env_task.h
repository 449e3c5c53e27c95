// What a task gives to env.c, and what it may use: the private side of actor/env.h.
//
// A task is one file under actor/env/ with one struct env_task. Its functions work on env->sim
// (MuJoCo tasks) or env->state (classic control), and on env->args, which env.c has filled from
// env.kwargs of the spec. Time limit, float observations and broken states are env.c's business.
#ifndef ACTOR_ENV_TASK_H
#define ACTOR_ENV_TASK_H

#include "actor/env.h"
#include "actor/env_args.h"
#include "actor/simulator.h"

// A row of numbers that is written from left to right; with x NULL it only counts.
struct row {
    double *x;
    size_t  n;
};

struct env {
    struct env_info        info;
    const struct env_task *task;
    void                  *args;      // owned: the task's struct of arguments
    struct simulator       sim;       // MuJoCo tasks
    double                *state;     // (task->state) owned: classic control
    double                *obs;       // (O) owned: the last observation
    uint64_t               elapsed;   // steps of this episode
    void                  *instance;  // a task's own, from open to close
};

// Where a free camera stands, for models without a camera "track".
struct env_camera {
    double distance;   // m; 0: the model's extent
    bool   aimed;      // at lookat, and not at the median of the geoms
    double lookat[3];  // m
};

struct env_task {
    const char           *name;
    uint64_t              max_steps;
    double                threshold;  // NAN: none
    const struct env_arg *args;       // (n_args)
    size_t                n_args;
    size_t                args_size;  // of the struct they fill

    // MuJoCo tasks
    const char       *model;  // file name; its actuators' ranges are the action's bounds
    int               frame_skip;
    bool              forces;  // reads cfrc_ext
    struct env_camera camera;

    // classic control, and whatever open makes
    size_t state;    // S
    size_t actions;  // number of choices; 0: continuous
    double bound;    // |action| of the one continuous dimension
    double dt;       // seconds a step, for videos

    // fills env->info, sim and instance where the lines above do not say enough; may be NULL. copy does
    // the same for an env whose info and sim are copies of another's; close ends what both made
    int (*open)(struct env *env, const struct spec *spec, struct error *err);
    int (*copy)(struct env *env, const struct env *of, struct error *err);
    void (*close)(struct env *env);
    bool own_kwargs;  // open reads env.kwargs itself

    // writes a start state: into sim.d->qpos and qvel, which hold the model's pose at rest, or into
    // state
    void (*start)(struct env *env, struct rng *rng);
    void (*observe)(const struct env *env, struct row *row);
    // one control step. Sets broken if the simulator failed; reward and terminated do not count then.
    struct env_step (*step)(struct env *env, const float *action);
};

// args, n_args and args_size of a task whose arguments are `args` over its `struct args`
#define ENV_TASK_ARGS                                                                              \
    .args = args, .n_args = sizeof args / sizeof args[0], .args_size = sizeof(struct args)

// ------ observations

void row_put(struct row *row, const double *x, size_t n);
void row_put_clipped(struct row *row, const double *x, size_t n, double low, double high);
void row_put_one(struct row *row, double x);

// ------ start states

// x += U(-scale, scale), independently; x (n)
void noise_uniform(struct rng *rng, double *x, size_t n, double scale);
// x += scale N(0, 1); x (n)
void noise_normal(struct rng *rng, double *x, size_t n, double scale);

// ------ rewards

// weight |action|^2 in float32, as numpy gives it for a float32 action: its order of summation, and
// the weight rounded to float32.
double control_cost(double weight, const float *action, size_t n);

// Sum of the squares of x (n), each clipped to [low, high] before, in numpy's order of summation.
double sum_squares(const double *x, size_t n, double low, double high);

double clip(double x, double low, double high);

// range[0] < x < range[1]; false if x is not a number
bool inside(double x, const double *range);

// |a - b| of two points (3)
double distance(const double *a, const double *b);

#endif
