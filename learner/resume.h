// Going on with a run: is the spec the same, where is the last checkpoint, who are we this time.
#ifndef LEARNER_RESUME_H
#define LEARNER_RESUME_H

#include "common/error.h"
#include "learner/state.h"

struct learner;

// With --resume: compares the spec with the run's own. Keys that only say how long, how often or where
// may differ; anything else is refused with the lines that differ.
//
//   returns  0 or ERR_SPEC
int resume_check(struct learner *l, struct error *err);

// Loads the newest complete checkpoint of the run directory into l->saved, if there is one, and says
// who this learner is: the same run as before with the next incarnation, or a new run. l->finished is
// set when every row of the run was in and evaluated.
//
//   returns  0 or ERR_*
int resume_load(struct learner *l, struct state_head *head, struct error *err);

// Checks that the replay has the checkpoint's rows; lock-step takes it back to them.
//
//   returns  0 or ERR_FORMAT
int resume_rewind(struct learner *l, const struct state_head *head, struct error *err);

#endif
