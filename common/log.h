// Log lines on stderr: UTC time, level, role, area, text. Never in a per-step path.
//
// Text form   2026-11-24T08:26:00Z info learner replay: rows=1000 rate_hz=512
// JSON form   {"time":"...","level":"info","role":"learner","area":"replay","text":"rows=1000"}
//
// One line is one write, so lines of several threads and processes do not mix. Thread-safe after
// log_open.
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

// Sets who speaks ("learner", "actor-3": kept by copy), the lowest level shown, and the form.
void log_open(const char *role, enum log_level level, bool json);

void log_write(enum log_level level, const char *area, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_debug(area, ...) log_write(LOG_DEBUG, area, __VA_ARGS__)
#define log_info(area, ...) log_write(LOG_INFO, area, __VA_ARGS__)
#define log_warn(area, ...) log_write(LOG_WARN, area, __VA_ARGS__)
#define log_error(area, ...) log_write(LOG_ERROR, area, __VA_ARGS__)

// Called before a line is written and after it, so that a progress line on the same terminal can
// step aside. NULL for none.
void log_set_hooks(void (*before)(void), void (*after)(void));

// A gate for warnings that may repeat: at most one line a second passes.
struct log_limit {
    double             next;        // clock_now() from which the next line passes
    unsigned long long suppressed;  // lines held back since the last that passed
};

// Says whether a line may pass now; *suppressed gets the number held back before it. Not
// thread-safe in limit.
bool log_limit_pass(struct log_limit *limit, unsigned long long *suppressed);

#endif
