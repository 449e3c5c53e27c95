// A task of your own as a shared object: the only header that it needs.
//
//   cc -shared -fPIC -o my_env.so my_env.c
//
//   # in the spec
//   env: {name: plugin, plugin: ./my_env.so, kwargs: {gain: 2}, max_frame: 100000}
//
// The object exports one function, crossfleet_env, which returns a constant table. crossfleet refuses a
// table of another version. An environment is used by one thread at a time, several by one process.
// What a plug-in does is not guarded: a crash of it is a crash of the actor.
#ifndef CROSSFLEET_ENV_H
#define CROSSFLEET_ENV_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Grows when this header changes in a way that old objects do not fit.
#define CROSSFLEET_ENV_VERSION 1

#define CROSSFLEET_ENV_ACTIONS 64

// One of env.kwargs: a number, a bool (0 or 1), or a pair.
struct crossfleet_env_arg {
    const char *name;
    double      value[2];
    size_t      n;  // 1 or 2
};

// What make says about the environment that it made.
struct crossfleet_env_sizes {
    size_t   obs;                          // O: numbers of an observation
    size_t   action;                       // A: dimensions, or number of choices if discrete
    int      discrete;                     // 1: an action is one number, the index of a choice
    double   low[CROSSFLEET_ENV_ACTIONS];  // (A) bounds of the action, if not discrete
    double   high[CROSSFLEET_ENV_ACTIONS];
    uint64_t max_steps;  // time limit of an episode, which crossfleet keeps
};

struct crossfleet_env {
    uint32_t    version;  // CROSSFLEET_ENV_VERSION
    const char *name;     // "Glider-v0"

    // Makes one environment and fills sizes, which are the same for all of the same arguments.
    // Returns NULL and says why in error (error_size) if it cannot, for instance for an argument that
    // it does not know.
    void *(*make)(const struct crossfleet_env_arg *args, size_t n_args,
                  struct crossfleet_env_sizes *sizes, char *error, size_t error_size);
    void (*free)(void *env);

    // Starts an episode; obs (O) out. All chance comes from seed, which is new each time.
    void (*reset)(void *env, uint64_t seed, double *obs);

    // One step: action (A) within its bounds, or one number, the index. obs (O) out, the successor,
    // also of the last step. Returns 1 if the task ended here (a time limit is none), or 0.
    int (*step)(void *env, const float *action, double *obs, double *reward);
};

// The one symbol that the shared object exports.
const struct crossfleet_env *crossfleet_env(void);

// A random number in [0, 1) that moves *seed on (splitmix64): enough for start states.
static inline double crossfleet_env_uniform(uint64_t *seed)
{
    uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

#ifdef __cplusplus
}
#endif

#endif
