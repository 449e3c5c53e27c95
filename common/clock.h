// Time: a monotonic clock for intervals, the wall clock for people and files.
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stddef.h>
#include <time.h>

// Seconds on CLOCK_MONOTONIC; only differences mean something.
double clock_now(void);

// Seconds of processor time that the calling thread has had.
double clock_thread(void);

// CLOCK_MONOTONIC in so many seconds, for waits that end.
struct timespec clock_deadline(double seconds);

// Seconds since 1970 UTC.
double clock_wall(void);

// Writes "2026-11-24T08:26:00Z" (or "20261124T082600Z" if compact) for wall seconds t; size >= 24.
void clock_format(char *text, size_t size, double t, int compact);

// Sleeps; a signal may end it early.
void clock_sleep(double seconds);

#endif
