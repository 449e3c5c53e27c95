// `crossfleet-learner plan`: fills learner/plan.h from a spec, the command line and this machine.
//
// What the command line does not give is measured, in some seconds: an environment's steps by
// `crossfleet-actor envs --bench TASK` (its thread's own time), the policy for one turn of an actor and
// the updates of this spec here. Both count processor time where one thread works, so that other load
// decides little.
#ifndef LEARNER_PLAN_MEASURE_H
#define LEARNER_PLAN_MEASURE_H

#include "common/error.h"
#include "learner/options.h"

#include <stdio.h>

//   returns  0; ERR_SPEC when spec or options are wrong; ERR_SYSTEM when crossfleet-actor cannot be asked;
//            ERR_MEMORY
int plan_run(const struct learner_options *options, FILE *out, struct error *err);

#endif
