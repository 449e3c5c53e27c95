// crossfleet-learner check: a spec before it is trained.
#ifndef LEARNER_CHECK_H
#define LEARNER_CHECK_H

#include "common/error.h"
#include "common/spec.h"

#include <stdio.h>

// Prints the resolved spec with every key to out, and on notes a line for each key that means nothing
// here and for what would keep it from training.
//
//   returns  0, or ERR_SPEC with all errors of the spec
int check_run(const char *file_and_name, const struct spec_options *options, FILE *out, FILE *notes,
              struct error *err);

// Whether a task of that name exists here. The actor has the tasks; these are their names.
int check_task_exists(const char *name);

#endif
