// A policy as a file: safetensors with the folded layers, which the Python package of that name loads.
//
//   tensors    layers.I.weight  (out, in) LINEAR, (out) LAYER_NORM and AFFINE      F32
//              layers.I.bias    (out)                                             F32
//   metadata   crossfleet_version, run_id, weights_version, env, obs_size, action_size,
//              action_low, action_high (JSON lists, continuous), distribution (squashed_gaussian or
//              categorical), log_std_min, log_std_max, steps, eval_return, layers: a JSON list like
//              [{"kind":"linear","in":17,"out":256},{"kind":"relu"},
//               {"kind":"layer_norm","out":256,"eps":1e-05},{"kind":"affine","out":256},{"kind":"tanh"}]
//
// The last linear layer gives mean and log_std (2 A) or logits (A); action = tanh(mean), scaled
// to [action_low, action_high].
#ifndef COMMON_POLICY_FILE_H
#define COMMON_POLICY_FILE_H

#include "common/error.h"
#include "common/policy.h"

#include <stdint.h>

enum { POLICY_MAX_ACTION = 64 };

// What a policy file says about its policy.
struct policy_about {
    char     version[32];  // of crossfleet
    char     run_id[40];
    char     env[64];
    uint64_t weights_version;
    uint64_t steps;        // environment steps it was trained on
    double   eval_return;  // mean return of its last evaluation, NAN when it had none
    double   low[POLICY_MAX_ACTION], high[POLICY_MAX_ACTION];  // (A)  task units, continuous
};

// Writes path atomically.
//
//   returns  0, ERR_SYSTEM or ERR_MEMORY
int policy_file_save(const char *path, const struct policy *p, const struct policy_about *about,
                     struct error *err);

// Reads a policy for up to rows observations at once. Everything is checked: a damaged file never
// gives a policy.
//
//   returns  0, ERR_SYSTEM, ERR_MEMORY or ERR_FORMAT; p is then safe to free
//   owns     p's memory, until policy_free
int policy_file_load(const char *path, struct policy *p, struct policy_about *about, size_t rows,
                     struct error *err);

// Likewise, of bytes in memory; name is for errors.
int policy_file_parse(const void *bytes, size_t size, const char *name, struct policy *p,
                      struct policy_about *about, size_t rows, struct error *err);

#endif
