// What a run directory says about its run, read back for report.
#ifndef LEARNER_RUN_LOG_H
#define LEARNER_RUN_LOG_H

#include "common/error.h"
#include "learner/table.h"

#include <stdint.h>

struct run_log {
    char         path[768];
    char         name[128], env[64];  // of its spec
    uint64_t     seed, max_frame;
    struct table progress, evaluations;
};

// Reads directory. A run without evaluations yet has an empty table of them.
//
//   returns  0 or ERR_*; r is then safe to free
//   owns     r's tables, until run_log_free
int  run_log_read(struct run_log *r, const char *directory, struct error *err);
void run_log_free(struct run_log *r);

#endif
