// The evaluator role: plays whole episodes by the mode of the policy that a request carries, on a seed
// that it names, and sends the returns back.
#ifndef ACTOR_EVALUATOR_H
#define ACTOR_EVALUATOR_H

#include "actor/options.h"
#include "common/error.h"

#include <stdbool.h>

// One membership in a run, until STOP, a signal or another run (*again: join anew).
//
//   returns  0 or ERR_*
int evaluator_member(const struct actor_options *options, bool *again, struct error *err);

#endif
