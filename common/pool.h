// A few threads that run the parts of one job together, thousands of times a second.
//
// The caller's thread is one of them. Each thread begins with the same parts every time, so that what
// they touched is still in its core's cache, and then takes what others have not come to. Idle threads
// spin for the next job, then sleep; the longer they had to wait lately, the sooner.
#ifndef COMMON_POOL_H
#define COMMON_POOL_H

#include "common/error.h"
#include "common/profile.h"

#include <stddef.h>

#define POOL_THREADS 64
#define POOL_PARTS 256  // of one job

struct pool;  // hides threads and atomics

typedef void pool_fn(void *job, size_t part);

// threads from 1 to POOL_THREADS, the caller's included.
//
//   returns  NULL and err: ERR_SYSTEM, ERR_MEMORY
struct pool *pool_make(size_t threads, struct error *err);
void         pool_free(struct pool *p);

size_t pool_threads(const struct pool *p);

// From now on every part is a span of profile (with as many lanes as there are threads); NULL for none.
void pool_set_profile(struct pool *p, struct profile *profile);

// Without a profile NULL: the lane of the thread that runs a part, for that part to ask; the lane of
// the thread that calls pool_run.
struct profile_lane *pool_lane(const struct pool *p, size_t part);
struct profile_lane *pool_caller_lane(const struct pool *p);

// Runs fn(job, 0) ... fn(job, parts - 1), each on whatever thread, and returns when all are done. What
// a part wrote is then seen by all threads. One caller at a time. name: of the spans, a literal.
void pool_run(struct pool *p, const char *name, size_t parts, pool_fn *fn, void *job);

#endif
