// A snapshot as Prometheus reads it (text format 0.0.4): HELP and TYPE before each metric's samples.
// Only crossfleet_actors begins with that name, so that scripts may grep for it.
#ifndef LEARNER_METRICS_TEXT_H
#define LEARNER_METRICS_TEXT_H

#include "learner/status.h"

#include <stdio.h>

void metrics_text_write(FILE *out, const struct status *s);

#endif
