// An example of a plug-in task: a glider holds its height by trading it against speed. Two numbers of
// state, one of action; read it beside actor/crossfleet_env.h.
//
//   state        height h (m), speed v (m/s)
//   observation  h, v - 10, goal - h: 3
//   action       pitch in [-1, 1]: up costs speed, down gains it
//   reward       1 - |h - goal|, per step
//   terminated   stalled (v < 4) or on the ground (h < 0); limit 200 steps
//   start        h U(9, 11), v U(9, 11)
#include "actor/crossfleet_env.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double dt = 0.1, gravity = 9.81;

struct glider {
    double goal;  // the one argument, m
    double height, speed;
};

static void *make(const struct crossfleet_env_arg *args, size_t n_args,
                  struct crossfleet_env_sizes *sizes, char *error, size_t error_size)
{
    double goal = 10;
    for (size_t i = 0; i < n_args; i++) {
        if (strcmp(args[i].name, "goal") != 0 || args[i].n != 1) {
            snprintf(error, error_size, "there is no argument %s, allowed: goal", args[i].name);
            return NULL;
        }
        goal = args[i].value[0];
    }
    struct glider *g = calloc(1, sizeof *g);
    if (g == NULL) {
        snprintf(error, error_size, "no memory");
        return NULL;
    }
    g->goal = goal;
    *sizes = (struct crossfleet_env_sizes){
        .obs = 3, .action = 1, .low = {-1}, .high = {1}, .max_steps = 200};
    return g;
}

static void observe(const struct glider *g, double *obs)
{
    obs[0] = g->height;
    obs[1] = g->speed - 10;
    obs[2] = g->goal - g->height;
}

static void reset(void *env, uint64_t seed, double *obs)
{
    struct glider *g = env;
    g->height = 9 + 2 * crossfleet_env_uniform(&seed);
    g->speed = 9 + 2 * crossfleet_env_uniform(&seed);
    observe(g, obs);
}

static int step(void *env, const float *action, double *obs, double *reward)
{
    struct glider *g = env;
    double         climb = 0.3 * (double)action[0];  // of each metre flown
    // what is climbed is lost as speed; a steady thermal makes up for the drag
    g->height += g->speed * climb * dt;
    g->speed += (-gravity * climb - 0.05 * (g->speed - 10)) * dt;
    observe(g, obs);
    *reward = 1 - fabs(g->height - g->goal);
    return g->speed < 4 || g->height < 0;
}

const struct crossfleet_env *crossfleet_env(void)
{
    static const struct crossfleet_env table = {
        .version = CROSSFLEET_ENV_VERSION,
        .name = "Glider-v0",
        .make = make,
        .free = free,
        .reset = reset,
        .step = step,
    };
    return &table;
}
