// `train --profile FILE`: where the first RUN_PROFILE_UPDATES updates of a run and the time between
// them go, as a table on stderr and as a trace file for chrome://tracing and Perfetto.
//
// Lane 0 is the learner's own thread, which also waits, publishes and looks around; the others help
// with updates. Used by the learner's thread alone.
#ifndef LEARNER_RUN_PROFILE_H
#define LEARNER_RUN_PROFILE_H

#include "common/error.h"
#include "common/profile.h"
#include "learner/update.h"

#include <stdint.h>

enum { RUN_PROFILE_UPDATES = 1000 };

struct run_profile {
    struct profile profile;
    struct update *update;  // borrowed; NULL: nothing is being recorded
    const char    *path;
    uint64_t       updates;
};

// Begins to record. p starts zeroed.
//
//   returns  0 or ERR_MEMORY
int run_profile_start(struct run_profile *p, struct update *update, const char *path,
                      struct error *err);

// Where the learner's thread writes its own spans, NULL: nothing is being recorded.
struct profile_lane *run_profile_lane(struct run_profile *p);

// Counts an update; after the last one writes and stops.
void run_profile_update(struct run_profile *p);

// Writes what a shorter run has recorded, and frees. A file that cannot be written is a warning.
void run_profile_stop(struct run_profile *p);

#endif
