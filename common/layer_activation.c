#include "common/layer_activation.h"

#include "common/vec.h"

#include <math.h>
#include <string.h>

// ---------------------------------------------------------------- forward

// y = max(x + bias, low); low is 0 for a ReLU and -infinity for none
VEC static void row_forward(float *y, const float *x, const float *bias, float low, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float t = x[i] + bias[i];
        y[i] = t < low ? low : t;
    }
}

VEC static void row_relu(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] < 0 ? 0 : x[i];
}

void layer_activation_forward(enum activation_kind kind, float *y, const float *x, size_t ld,
                              const float *bias, size_t r0, size_t r1, size_t c0, size_t c1)
{
    float low = kind == ACTIVATION_RELU ? 0 : -INFINITY;
    for (size_t r = r0; r < r1; r++) {
        float       *to = y + r * ld + c0;
        const float *from = x + r * ld + c0;
        if (bias != NULL)
            row_forward(to, from, bias + c0, low, c1 - c0);
        else if (kind == ACTIVATION_RELU)
            row_relu(to, from, c1 - c0);
        else if (to != from)
            memcpy(to, from, (c1 - c0) * sizeof *to);
        if (kind == ACTIVATION_TANH)
            vec_tanh(to, to, c1 - c0);
    }
}

// ---------------------------------------------------------------- backward

VEC static void row_relu_backward(float *restrict dy, const float *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dy[i] = y[i] > 0 ? dy[i] : 0;
}

VEC static void row_tanh_backward(float *restrict dy, const float *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dy[i] *= 1 - y[i] * y[i];
}

VEC static void row_add(float *restrict sum, const float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += x[i];
}

void layer_activation_backward(enum activation_kind kind, float *dy, size_t lddy, const float *y,
                               size_t ld, float *dbias, size_t r0, size_t r1, size_t c0, size_t c1)
{
    if (c0 >= c1)
        return;
    if (dbias != NULL)
        memset(dbias + c0, 0, (c1 - c0) * sizeof *dbias);
    for (size_t r = r0; r < r1; r++) {
        float *row = dy + r * lddy + c0;
        if (kind == ACTIVATION_RELU)
            row_relu_backward(row, y + r * ld + c0, c1 - c0);
        else if (kind == ACTIVATION_TANH)
            row_tanh_backward(row, y + r * ld + c0, c1 - c0);
        if (dbias != NULL)
            row_add(dbias + c0, row, c1 - c0);
    }
}
