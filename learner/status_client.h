// `crossfleet-learner status URL`: one screen of a running learner, read from its HTTP port.
#ifndef LEARNER_STATUS_CLIENT_H
#define LEARNER_STATUS_CLIENT_H

#include "common/error.h"

#include <stddef.h>
#include <stdio.h>

// Fetches /status.json from url ("http://HOST:PORT/" or "HOST:PORT") into text, terminated. Gives up
// after five seconds without a byte.
//
//   returns  0, ERR_SPEC (not a URL), ERR_SYSTEM (nobody there), ERR_FORMAT (not a learner's answer)
int status_client_fetch(const char *url, char *text, size_t size, struct error *err);

// Writes what status_json_write wrote as one screen of text.
void status_client_screen(FILE *out, const char *json);

// Fetches and writes the screen; on a terminal again every second until the learner goes away.
//
//   returns  0 or ERR_*
int status_client_run(const char *url, FILE *out, struct error *err);

#endif
