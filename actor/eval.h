// `crossfleet-actor eval`: plays a policy file and prints its returns.
#ifndef ACTOR_EVAL_H
#define ACTOR_EVAL_H

#include "common/error.h"
#include "common/policy_file.h"
#include "common/spec.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

// Loads a policy from a file, or RUN/policy/latest.safetensors when target is a folder, with the spec
// of its run (spec.yaml beside the policy folder) or, without one, the task by its name alone.
//
//   returns  0 or ERR_*; p is then safe to free
int eval_load(const char *target, struct policy *p, struct policy_about *about, struct spec *spec,
              struct error *err);

// Plays and prints to out: a line of text, or one JSON object.
//
//   returns  0 or ERR_*
int eval_run(const char *target, uint64_t episodes, uint64_t seed, bool json, FILE *out,
             struct error *err);

#endif
