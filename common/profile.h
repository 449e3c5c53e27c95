// Where the time of many short jobs goes: spans of named work, one list a thread, shown as a table or
// as a file that chrome://tracing and Perfetto open.
//
// A thread writes its own lane and no other; without a profile every call is one comparison with NULL.
// Names are string literals, kept by pointer. Spans may lie within spans: the table counts each moment
// for the innermost one.
#ifndef COMMON_PROFILE_H
#define COMMON_PROFILE_H

#include "common/error.h"

#include <stddef.h>
#include <stdio.h>

struct profile_span {
    const char *name;
    double      start, end;  // clock_now()
};

struct profile_lane {
    size_t               room, n;
    size_t               lost;   // spans beyond room
    struct profile_span *spans;  // (room)
};

struct profile {
    size_t               lanes;
    struct profile_lane *lane;  // (lanes) one a thread
};

// room: spans that each lane holds.
//
//   returns  0 or ERR_MEMORY
int  profile_init(struct profile *p, size_t lanes, size_t room, struct error *err);
void profile_free(struct profile *p);

// Forgets all spans.
void profile_reset(struct profile *p);

// The time now, or 0 without a lane; what profile_add takes as the span's start.
double profile_start(const struct profile_lane *lane);

// Ends a span that began at start. lane may be NULL.
void profile_add(struct profile_lane *lane, const char *name, double start);

// A line a name: calls, milliseconds and share of all threads' time, longest first, and what the
// threads waited. per: what "each" counts, the number of jobs.
void profile_table(const struct profile *p, FILE *out, size_t per);

// Trace event format, complete events: {"traceEvents": [{"name", "ph": "X", "ts", "dur", ...}, ...]}.
//
//   returns  0 or ERR_SYSTEM
int profile_trace(const struct profile *p, const char *path, struct error *err);

#endif
