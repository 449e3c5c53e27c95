// Lock-step: the same spec, seed, actors and threads give the same run, bit for bit.
//
// A round: every actor, in the order of its slot, is granted the same number of rows, to be chosen by
// the newest weights; the learner waits for all of them, inserts them in the order of the slots, does
// the updates that are due and publishes. Checkpoints come every so many steps; there episodes start
// anew, in every run, so that a run which goes on from one repeats what the undisturbed run did. A run
// that was stopped or killed goes on from the last one; what a full ring overwrote since comes back.
#ifndef LEARNER_LOCKSTEP_H
#define LEARNER_LOCKSTEP_H

#include "common/error.h"

struct learner;

// The loop of a lock-step run; returns as learner_run's.
int lockstep_run(struct learner *l, struct error *err);

#endif
