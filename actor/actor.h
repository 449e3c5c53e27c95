// `crossfleet-actor run`: joins a learner, then steps environments and sends rows, or as the
// evaluator plays the policies it is sent, until told to stop. A learner that goes away is waited for.
#ifndef ACTOR_ACTOR_H
#define ACTOR_ACTOR_H

#include "actor/options.h"
#include "common/error.h"

// returns the exit code: EXIT_DONE after STOP, EXIT_FAILED with err, 130 or 143 after a signal.
int actor_run(const struct actor_options *options, struct error *err);

#endif
