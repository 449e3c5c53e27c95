// What of a learner a checkpoint holds, and how it comes back: the update's blocks, random streams,
// counters, waits, evaluation schedule, identity of the run. The replay's rows and marks are in their
// own file.
#ifndef LEARNER_STATE_H
#define LEARNER_STATE_H

#include "common/error.h"
#include "common/safetensors.h"
#include "proto/transition.h"

#include <stdbool.h>
#include <stdint.h>

struct learner;

// What a checkpoint says before any network is made.
struct state_head {
    uint64_t run_id;
    uint64_t steps;        // rows inserted when it was written
    uint64_t updates;      // done by then: the checkpoint's number
    uint64_t capacity;     // of the replay
    uint64_t obs, action;  // columns of a row
    uint64_t incarnation;  // of the learner that wrote it
    double   elapsed_s;    // of training
};

// returns 0 or ERR_FORMAT
int state_head_read(const struct safetensors *st, struct state_head *head, struct error *err);

// Writes a checkpoint in the background when one is due: after the first row, then every
// cluster.checkpoint_interval_s. A write that fails is logged and tried again later.
//
//   returns  0, or ERR_MEMORY
int state_save_due(struct learner *l, struct error *err);

// Writes one now and waits for it.
//
//   returns  0, ERR_SYSTEM or ERR_MEMORY
int state_save(struct learner *l, struct error *err);

// Puts l->saved into the networks, streams and counters.
//
//   returns  0, or ERR_FORMAT when it does not fit the spec's networks
int state_restore(struct learner *l, struct error *err);

// sha256 of everything that decides how the run goes on (64 hex digits): the state's tensors and the
// replay's rows, without identity and wall-clock.
void state_hash(struct learner *l, char hex[65]);

#endif
