// Matrix products of a training step, which is little else. Row-major float throughout.
//
// OpenBLAS packs both operands of such a product, which takes a tenth of the time, and leaves some of
// what the vector units can do. Here the left operand is read where it lies, unless it lies across and
// is large, and the right one packed a panel at a time, both on the stack; while a panel is used, the
// memory of the next one is fetched. That takes AVX2 with FMA, or AVX-512; where neither is, and for thin
// products, it is OpenBLAS. Where the processor has AMX, common/product_amx.h does all but small ones.
//
// Each runs on the thread that calls it. An element of a result is summed in the same order wherever
// a product is cut by rows or columns into pieces that the same kernel takes.
#ifndef COMMON_PRODUCT_H
#define COMMON_PRODUCT_H

#include "common/product_kernel.h"

// y = x w^T      y (m, n), x (m, k), w (n, k); ldy, ldx, ldw: floats from row to row
void product_nt(float *y, size_t ldy, const float *x, size_t ldx, const float *w, size_t ldw,
                size_t m, size_t n, size_t k);

// y = x w        y (m, n), x (m, k), w (k, n)
void product_nn(float *y, size_t ldy, const float *x, size_t ldx, const float *w, size_t ldw,
                size_t m, size_t n, size_t k);

// y = x^T w      y (m, n), x (k, m), w (k, n)
void product_tn(float *y, size_t ldy, const float *x, size_t ldx, const float *w, size_t ldw,
                size_t m, size_t n, size_t k);

// The same with a kernel of one's own choice, of any size from 1 on: x lies (k, m) if it is across,
// w (n, k) if it is.
void product_multiply(const struct product_kernel *kernel, bool x_across, bool w_across, float *y,
                      size_t ldy, const float *x, size_t ldx, const float *w, size_t ldw, size_t m,
                      size_t n, size_t k);

#endif
