// actor-<slot>.monitor.csv: one row a training episode, in the format of Stable-Baselines3's Monitor, so
// that its load_results and what builds on it read a run directory.
//
//   #{"t_start": <seconds since 1970>, "env_id": "HalfCheetah-v5"}
//   r,l,t          return, steps, seconds since t_start
//
// Not thread-safe.
#ifndef LEARNER_MONITOR_H
#define LEARNER_MONITOR_H

#include "common/error.h"
#include "learner/csv.h"

#include <stdbool.h>
#include <stdint.h>

enum { MONITOR_SLOTS = 1024 };

struct monitor {
    char directory[CSV_PATH - 64];
    char header[160];
    bool ready[MONITOR_SLOTS];  // the slot's file is there and whole
};

// Goes on with the monitor files that are there: rows later than limit seconds are cut off, row sees the
// others. New files name env and t_start.
//
//   returns  0, ERR_SYSTEM or ERR_FORMAT
int monitor_open(struct monitor *m, const char *directory, const char *env, double t_start,
                 double limit, csv_row_fn *row, void *context, struct error *err);

// Adds a row; makes the file with the slot's first one.
//
//   returns  0, ERR_SYSTEM or ERR_FORMAT; the file then has no part of the row
int monitor_episode(struct monitor *m, uint32_t slot, double ep_return, uint64_t length,
                    double elapsed_s, struct error *err);

#endif
