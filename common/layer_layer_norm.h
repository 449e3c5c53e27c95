// Layer normalization over the features of a row, biased variance:
//
//   x' = x + in_bias     n = (x' - mean) / sqrt(var + eps)     y = weight n + bias, then maybe a ReLU
//
// Each function works on rows r0 <= r < r1 of (rows, ld) arrays, so threads share a layer by rows. The
// column sums of the backward are kept per part and added up by layer_layer_norm_reduce.
// Source: Ba et al. 2016, arXiv:1607.06450.
#ifndef COMMON_LAYER_LAYER_NORM_H
#define COMMON_LAYER_LAYER_NORM_H

#include <stdbool.h>
#include <stddef.h>

// Most threads that may share the rows of one layer.
#define LAYER_NORM_PARTS 64

struct layer_layer_norm {
    size_t       H, rows;  // rows: the most that a forward sees
    double       eps;
    bool         relu_after;
    const float *in_bias;          // (H)  bias of the Linear before it, or NULL
    float       *in_dbias;         // (H)  its gradient, or NULL
    float       *weight, *bias;    // (H)
    float       *dweight, *dbias;  // (H)  NULL where nothing is trained
    float       *mean, *rstd;      // (rows)  of the last forward
    float       *sums;             // (parts, 3, H)  dweight, dbias, in_dbias of each part
};

// Floats that a layer keeps beside its parameters; parts 0 where nothing is trained.
size_t layer_layer_norm_scratch(size_t H, size_t rows, size_t parts);

// Lays the kept arrays out in scratch. Call after H and rows are set.
void layer_layer_norm_init(struct layer_layer_norm *l, float *scratch);

void layer_layer_norm_forward(const struct layer_layer_norm *l, float *y, const float *x, size_t ld,
                              size_t r0, size_t r1);

// dy becomes dx in place. sums: this part's, or no column sums if params is false.
void layer_layer_norm_backward(const struct layer_layer_norm *l, float *dy, size_t lddy,
                               const float *x, const float *y, size_t ld, size_t r0, size_t r1,
                               size_t part, bool params);

// dweight, dbias, in_dbias of columns c0 <= c < c1 from all parts, in their order.
void layer_layer_norm_reduce(const struct layer_layer_norm *l, size_t parts, size_t c0, size_t c1);

#endif
