// Elementwise activation, after an optional bias: y = f(x + bias), f none, ReLU or tanh.
//
// ReLU keeps a NaN (a loss must show it) and passes no gradient at 0. All functions work on rows
// r0 <= r < r1 and columns c0 <= c < c1 of (rows, ld) arrays; bias and dbias have one value a column.
#ifndef COMMON_LAYER_ACTIVATION_H
#define COMMON_LAYER_ACTIVATION_H

#include <stddef.h>

enum activation_kind { ACTIVATION_NONE, ACTIVATION_RELU, ACTIVATION_TANH };

// y = f(x + bias); y may be x; bias may be NULL
void layer_activation_forward(enum activation_kind kind, float *y, const float *x, size_t ld,
                              const float *bias, size_t r0, size_t r1, size_t c0, size_t c1);

// dy *= f'(x + bias), found from y = f(x + bias); then dbias[c] = sum_r dy[r, c] unless dbias is NULL
void layer_activation_backward(enum activation_kind kind, float *dy, size_t lddy, const float *y,
                               size_t ld, float *dbias, size_t r0, size_t r1, size_t c0, size_t c1);

#endif
