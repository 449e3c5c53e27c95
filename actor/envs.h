// The list of tasks for people: `crossfleet-actor envs`.
#ifndef ACTOR_ENVS_H
#define ACTOR_ENVS_H

#include "common/error.h"

#include <stdbool.h>
#include <stdio.h>

// One line a task of the table: sizes, bounds of actions, time limit, Gymnasium's reward threshold; with
// bench also steps a second of 16 environments on one thread, measured for a moment each.
//
//   returns  0, or the first task's error
int envs_print(FILE *out, bool bench, struct error *err);

#endif
