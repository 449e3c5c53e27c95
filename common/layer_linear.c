#include "common/layer_linear.h"

#include "common/product.h"
#include "common/vec.h"

#include <string.h>

// ---------------------------------------------------------------- one output
//
// Such products have no use for a packed operand: they take as long as reading x does.

// y (N, 1) = x w
VEC static void column_forward(float *restrict y, size_t ldy, const float *restrict x, size_t ldx,
                               const float *restrict w, size_t N, size_t n)
{
    for (size_t r = 0; r < N; r++, x += ldx) {
        float  sum[16] = {0}, total = 0;  // independent, so that the loop may run over lanes
        size_t i = 0;
        for (; i + 16 <= n; i += 16)
            for (size_t j = 0; j < 16; j++)
                sum[j] += x[i + j] * w[i + j];
        for (; i < n; i++)
            total += x[i] * w[i];
        for (size_t j = 0; j < 16; j++)
            total += sum[j];
        y[r * ldy] = total;
    }
}

// dw (n) = dy^T x
VEC static void column_backward(float *restrict dw, const float *restrict dy, size_t lddy,
                                const float *restrict x, size_t ldx, size_t N, size_t n)
{
    size_t r = 0;
    memset(dw, 0, n * sizeof *dw);
    for (; r + 4 <= N; r += 4, x += 4 * ldx) {
        const float *restrict x1 = x + ldx, *restrict x2 = x1 + ldx, *restrict x3 = x2 + ldx;
        float a = dy[r * lddy], b = dy[(r + 1) * lddy];
        float c = dy[(r + 2) * lddy], d = dy[(r + 3) * lddy];
        for (size_t i = 0; i < n; i++)
            dw[i] += (a * x[i] + b * x1[i]) + (c * x2[i] + d * x3[i]);
    }
    for (; r < N; r++, x += ldx)
        for (size_t i = 0; i < n; i++)
            dw[i] += dy[r * lddy] * x[i];
}

VEC static void row_scale(float *restrict y, const float *restrict x, float a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = a * x[i];
}

// dx (r1 - r0, k1 - k0) = dy w
static void outer_product(const struct layer_linear *l, float *dx, size_t lddx, const float *dy,
                          size_t lddy, size_t r0, size_t r1, size_t k0, size_t k1)
{
    for (size_t r = r0; r < r1; r++) {
        float a = dy[r * lddy];
        if (a == 0)
            memset(dx + r * lddx + k0, 0, (k1 - k0) * sizeof *dx);
        else
            row_scale(dx + r * lddx + k0, l->weight + k0, a, k1 - k0);
    }
}

// ---------------------------------------------------------------- any number

void layer_linear_forward(const struct layer_linear *l, float *y, size_t ldy, const float *x,
                          size_t ldx, size_t r0, size_t r1, size_t c0, size_t c1)
{
    if (r0 >= r1 || c0 >= c1)
        return;
    if (l->out == 1)
        column_forward(y + r0 * ldy, ldy, x + r0 * ldx, ldx, l->weight, r1 - r0, l->in);
    else
        product_nt(y + r0 * ldy + c0, ldy, x + r0 * ldx, ldx, l->weight + c0 * l->ld, l->ld,
                   r1 - r0, c1 - c0, layer_linear_padded(l->in));
}

void layer_linear_backward_weight(const struct layer_linear *l, const float *dy, size_t lddy,
                                  const float *x, size_t ldx, size_t rows, size_t c0, size_t c1)
{
    if (c0 >= c1)
        return;
    if (l->out == 1)
        column_backward(l->dweight, dy, lddy, x, ldx, rows, l->in);
    else
        product_tn(l->dweight + c0 * l->ld, l->ld, dy + c0, lddy, x, ldx, c1 - c0,
                   layer_linear_padded(l->in), rows);
}

void layer_linear_backward_input(const struct layer_linear *l, float *dx, size_t lddx,
                                 const float *dy, size_t lddy, size_t r0, size_t r1, size_t k0,
                                 size_t k1)
{
    k1 = k1 == l->in ? layer_linear_padded(k1) : k1;
    if (l->out == 1)
        outer_product(l, dx, lddx, dy, lddy, r0, r1, k0, k1);
    else if (r0 < r1 && k0 < k1)
        product_nn(dx + r0 * lddx + k0, lddx, dy + r0 * lddy, lddy, l->weight + k0, l->ld, r1 - r0,
                   k1 - k0, l->out);
}
