// `crossfleet-learner train`.
#ifndef LEARNER_TRAIN_H
#define LEARNER_TRAIN_H

#include "common/error.h"
#include "learner/options.h"

// One training session from start to end.
//
//   returns  the exit code: 0 done, 1 failed, 2 a spec or option is wrong (err has the reason), 130 or
//            143 after a signal, with a complete checkpoint
int train_run(const struct learner_options *options, struct error *err);

#endif
