// Linear layer, y = x W^T, its weight stored (out, in) as torch does, each row followed by padding: a
// power of two from row to row would put a whole column into a few cache sets. The bias is added by
// what comes next: an activation (common/layer_activation.h) or a norm, which takes it in its own sweep.
//
// The padding of weight, dweight and x is 0, and products run over some of it: a multiple of four
// columns is faster than less.
//
// Each function works on a part of the result, so that several threads share one layer:
// rows r0 <= r < r1, columns c0 <= c < c1. ld: floats from row to row of activations and gradients.
#ifndef COMMON_LAYER_LINEAR_H
#define COMMON_LAYER_LINEAR_H

#include <stddef.h>

struct layer_linear {
    size_t in, out;
    size_t ld;       // floats from row to row of weight and dweight
    float *weight;   // (out, ld)
    float *bias;     // (out)
    float *dweight;  // (out, ld)  NULL where nothing is trained
    float *dbias;    // (out)
};

// Columns that a product runs over where n are meant. What is added is 0 in weight and x; dx gets 0 there,
// or NaN where dy is not finite.
static inline size_t layer_linear_padded(size_t n)
{
    return (n + 3) / 4 * 4;
}

// y[r, c] = sum_k x[r, k] weight[c, k]
void layer_linear_forward(const struct layer_linear *l, float *y, size_t ldy, const float *x,
                          size_t ldx, size_t r0, size_t r1, size_t c0, size_t c1);

// dweight[c, k] = sum over all rows of dy[r, c] x[r, k]; dy (rows, out), x (rows, in)
void layer_linear_backward_weight(const struct layer_linear *l, const float *dy, size_t lddy,
                                  const float *x, size_t ldx, size_t rows, size_t c0, size_t c1);

// dx[r, k] = sum_c dy[r, c] weight[c, k] for columns k0 <= k < k1 of the input
void layer_linear_backward_input(const struct layer_linear *l, float *dx, size_t lddx,
                                 const float *dy, size_t lddy, size_t r0, size_t r1, size_t k0,
                                 size_t k1);

#endif
