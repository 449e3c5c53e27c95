// A snapshot as one JSON object: what the status page and `crossfleet-learner status` read. Numbers
// that are not known are null; curves are arrays of [steps, seconds, return].
#ifndef LEARNER_STATUS_JSON_H
#define LEARNER_STATUS_JSON_H

#include "learner/status.h"

#include <stdio.h>

void status_json_write(FILE *out, const struct status *s);

// Writes text with quotes and escapes.
void status_json_string(FILE *out, const char *text);

#endif
