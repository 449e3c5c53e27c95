#include "common/layer_linear.h"

#include "common/product.h"
#include "common/vec.h"

#include <string.h>

// columns that a product over n columns runs over
static size_t padded(size_t n)
{
    return (n + 3) / 4 * 4;
}

void layer_linear_forward(const struct layer_linear *l, float *y, size_t ldy, const float *x,
                          size_t ldx, size_t r0, size_t r1, size_t c0, size_t c1)
{
    if (r0 < r1 && c0 < c1)
        product_nt(y + r0 * ldy + c0, ldy, x + r0 * ldx, ldx, l->weight + c0 * l->ld, l->ld,
                   r1 - r0, c1 - c0, padded(l->in));
}

void layer_linear_backward_weight(const struct layer_linear *l, const float *dy, size_t lddy,
                                  const float *x, size_t ldx, size_t rows, size_t c0, size_t c1)
{
    if (c0 < c1)
        product_tn(l->dweight + c0 * l->ld, l->ld, dy + c0, lddy, x, ldx, c1 - c0, padded(l->in),
                   rows);
}

VEC static void row_scale(float *restrict y, const float *restrict x, float a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = a * x[i];
}

// with one output the product is only an outer one, which BLAS is slow at
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

void layer_linear_backward_input(const struct layer_linear *l, float *dx, size_t lddx,
                                 const float *dy, size_t lddy, size_t r0, size_t r1, size_t k0,
                                 size_t k1)
{
    k1 = k1 == l->in ? padded(k1) : k1;
    if (l->out == 1)
        outer_product(l, dx, lddx, dy, lddy, r0, r1, k0, k1);
    else if (r0 < r1 && k0 < k1)
        product_nn(dx + r0 * lddx + k0, lddx, dy + r0 * lddy, lddy, l->weight + k0, l->ld, r1 - r0,
                   k1 - k0, l->out);
}
