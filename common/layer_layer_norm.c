#include "common/layer_layer_norm.h"

#include "common/block.h"
#include "common/vec.h"

#include <math.h>
#include <string.h>

// lanes of a sum over a row
#define LANES 16

size_t layer_layer_norm_scratch(size_t H, size_t rows, size_t parts)
{
    return 2 * block_round(rows) + parts * 3 * block_round(H);
}

void layer_layer_norm_init(struct layer_layer_norm *l, float *scratch)
{
    l->mean = scratch;
    l->rstd = scratch + block_round(l->rows);
    l->sums = scratch + 2 * block_round(l->rows);
}

static inline float lanes_total(const float *lanes)
{
    double total = 0;
    for (size_t i = 0; i < LANES; i++)
        total += (double)lanes[i];
    return (float)total;
}

// ---------------------------------------------------------------- forward

static inline float row_sum(const float *restrict x, size_t n)
{
    float  lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lanes[j] += x[i + j];
    for (size_t j = 0; i < n; i++, j++)
        lanes[j] += x[i];
    return lanes_total(lanes);
}

// sum of (x - centre)^2
static inline float row_squares(const float *restrict x, float centre, size_t n)
{
    float  lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t j = 0; j < LANES; j++) {
            float u = x[i + j] - centre;
            lanes[j] += u * u;
        }
    for (size_t j = 0; i < n; i++, j++) {
        float u = x[i] - centre;
        lanes[j] += u * u;
    }
    return lanes_total(lanes);
}

VEC static void row_forward(const struct layer_layer_norm *l, float *restrict y,
                            const float *restrict x, size_t row)
{
    const size_t n = l->H;
    const float *restrict b = l->in_bias, *restrict weight = l->weight, *restrict bias = l->bias;
    const float low = l->relu_after ? 0 : -INFINITY;
    // y holds x + b until its mean and variance are known
    if (b == NULL)
        memcpy(y, x, n * sizeof *y);
    else
        for (size_t j = 0; j < n; j++)
            y[j] = x[j] + b[j];
    float  mean = row_sum(y, n) / (float)n;
    double var = (double)row_squares(y, mean, n) / (double)n;
    float  rstd = (float)(1 / sqrt(var + l->eps));
    l->mean[row] = mean;
    l->rstd[row] = rstd;
    for (size_t j = 0; j < n; j++) {
        float u = (y[j] - mean) * rstd * weight[j] + bias[j];
        y[j] = u < low ? low : u;
    }
}

void layer_layer_norm_forward(const struct layer_layer_norm *l, float *y, const float *x, size_t ld,
                              size_t r0, size_t r1)
{
    for (size_t r = r0; r < r1; r++)
        row_forward(l, y + r * ld, x + r * ld, r);
}

// ---------------------------------------------------------------- backward

// dy becomes g = dy weight behind the ReLU; the sums of g and of g n over the row
static inline void row_gradient(const struct layer_layer_norm *l, float *restrict dy,
                                const float *restrict x, const float *restrict y, size_t row,
                                float *restrict sums, float *sum_g, float *sum_gn)
{
    const size_t n = l->H, H = block_round(l->H);
    const float *restrict b = l->in_bias, *restrict w = l->weight;
    const float mean = l->mean[row], rstd = l->rstd[row];
    const float low = l->relu_after ? 0 : -INFINITY;
    float       g[LANES] = {0}, gn[LANES] = {0};
    for (size_t i = 0; i < n; i += LANES) {
        size_t m = n - i < LANES ? n - i : LANES;
        for (size_t j = 0; j < m; j++) {
            size_t k = i + j;
            float  u = (x[k] + (b != NULL ? b[k] : 0) - mean) * rstd;
            float  h = y[k] > low ? dy[k] : 0;
            if (sums != NULL) {
                sums[k] += h * u;
                sums[H + k] += h;
            }
            h *= w[k];
            dy[k] = h;
            g[j] += h;
            gn[j] += h * u;
        }
    }
    *sum_g = lanes_total(g);
    *sum_gn = lanes_total(gn);
}

VEC static void row_backward(const struct layer_layer_norm *l, float *restrict dy,
                             const float *restrict x, const float *restrict y, size_t row,
                             float *restrict sums)
{
    const size_t n = l->H, H = block_round(l->H);
    const float *restrict b = l->in_bias;
    const float mean = l->mean[row], rstd = l->rstd[row];
    float       g, gn;
    row_gradient(l, dy, x, y, row, sums, &g, &gn);
    g /= (float)n;
    gn /= (float)n;
    for (size_t j = 0; j < n; j++) {
        float u = (x[j] + (b != NULL ? b[j] : 0) - mean) * rstd;
        float dx = rstd * (dy[j] - g - u * gn);
        dy[j] = dx;
        if (sums != NULL)
            sums[2 * H + j] += dx;
    }
}

void layer_layer_norm_backward(const struct layer_layer_norm *l, float *dy, size_t lddy,
                               const float *x, const float *y, size_t ld, size_t r0, size_t r1,
                               size_t part, bool params)
{
    size_t size = 3 * block_round(l->H);
    float *sums = params ? l->sums + part * size : NULL;
    if (params)
        memset(sums, 0, size * sizeof *sums);
    for (size_t r = r0; r < r1; r++)
        row_backward(l, dy + r * lddy, x + r * ld, y + r * ld, r, sums);
}

void layer_layer_norm_reduce(const struct layer_layer_norm *l, size_t parts, size_t c0, size_t c1)
{
    size_t H = block_round(l->H);
    for (size_t c = c0; c < c1; c++) {
        double sum[3] = {0};
        for (size_t part = 0; part < parts; part++)
            for (size_t k = 0; k < 3; k++)
                sum[k] += (double)l->sums[(part * 3 + k) * H + c];
        l->dweight[c] = (float)sum[0];
        l->dbias[c] = (float)sum[1];
        if (l->in_dbias != NULL)
            l->in_dbias[c] = (float)sum[2];
    }
}
