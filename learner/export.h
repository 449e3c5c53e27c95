// `crossfleet-learner export`: a policy file in a form that other programs run.
#ifndef LEARNER_EXPORT_H
#define LEARNER_EXPORT_H

#include "common/error.h"

// Writes the policy of target (a policy file, or a run directory: its latest one) as an ONNX model.
//
//   returns  0, ERR_SPEC when output does not end in .onnx, or another ERR_*
int export_run(const char *target, const char *output, struct error *err);

#endif
