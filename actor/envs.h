// The list of tasks for people: `crossfleet-actor envs [TASK]`.
#ifndef ACTOR_ENVS_H
#define ACTOR_ENVS_H

#include "common/error.h"

#include <stdbool.h>
#include <stdio.h>

// One line a task of the table, or for the one that is named: sizes, bounds of actions, time limit,
// Gymnasium's reward threshold; with bench also steps a second of 16 environments on one thread,
// measured for a moment each.
//
//   returns  0, ERR_SPEC when there is no such task, or the first task's error
int envs_print(FILE *out, const char *task, bool bench, struct error *err);

#endif
