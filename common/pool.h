// A few threads that run the parts of one job together, thousands of times a second.
//
// The caller's thread is one of them. Part i always runs on the same thread, so what it touched last
// time is still in that core's cache. Idle threads spin some microseconds for the next job, then
// sleep.
#ifndef COMMON_POOL_H
#define COMMON_POOL_H

#include "common/error.h"
#include "common/profile.h"

#include <stddef.h>

struct pool;  // hides threads and atomics

typedef void pool_fn(void *job, size_t part);

// threads >= 1, the caller's included.
//
//   returns  NULL and err: ERR_SYSTEM, ERR_MEMORY
struct pool *pool_make(size_t threads, struct error *err);
void         pool_free(struct pool *p);

size_t pool_threads(const struct pool *p);

// From now on every part is a span of profile (with as many lanes as there are threads); NULL for none.
void pool_set_profile(struct pool *p, struct profile *profile);

// The lane of the thread that runs this part, NULL without a profile.
struct profile_lane *pool_lane(const struct pool *p, size_t part, size_t parts);

// Runs fn(job, 0) ... fn(job, parts - 1) and returns when all are done. What a part wrote is then seen
// by all threads. One caller at a time. name: of the spans, a literal.
void pool_run(struct pool *p, const char *name, size_t parts, pool_fn *fn, void *job);

#endif
