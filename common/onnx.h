// A policy as an ONNX model (opset 17), for programs that run such models.
//
//   input   observation  (N, O)  float
//   output  action       (N, A)  float, in the task's units: low + (tanh(mean) + 1) / 2 (high - low);
//                        discrete: logits (N, A) and action (N) int64, the index of the largest
//
// What the policy file says about the policy is in the model's metadata.
// Source: onnx/onnx.proto, whose field numbers are used here.
#ifndef COMMON_ONNX_H
#define COMMON_ONNX_H

#include "common/error.h"
#include "common/policy_file.h"

// Writes path atomically.
//
//   returns  0, ERR_SYSTEM or ERR_MEMORY
int onnx_save(const char *path, const struct policy *p, const struct policy_about *about,
              struct error *err);

#endif
