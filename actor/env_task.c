#include "actor/env_task.h"

#include <math.h>

// ------ observations

void row_put(struct row *row, const double *x, size_t n)
{
    for (size_t i = 0; row->x != NULL && i < n; i++)
        row->x[row->n + i] = x[i];
    row->n += n;
}

void row_put_clipped(struct row *row, const double *x, size_t n, double low, double high)
{
    for (size_t i = 0; row->x != NULL && i < n; i++)
        row->x[row->n + i] = clip(x[i], low, high);
    row->n += n;
}

void row_put_one(struct row *row, double x)
{
    row_put(row, &x, 1);
}

// ------ start states

void noise_uniform(struct rng *rng, double *x, size_t n, double scale)
{
    for (size_t i = 0; i < n; i++)
        x[i] += rng_range(rng, -scale, scale);
}

void noise_normal(struct rng *rng, double *x, size_t n, double scale)
{
    for (size_t i = 0; i < n; i++)
        x[i] += scale * rng_normal(rng);
}

// ------ rewards

// numpy adds eight running sums from eight terms on (numpy/_core/src/umath/loops_utils.h.src,
// pairwise sum; blocks of 128 are split there, and no control is so wide)
double control_cost(double weight, const float *action, size_t n)
{
    float  sum = 0;
    size_t i = 0;
    if (n >= 8) {
        float r[8] = {0};
        for (; i + 8 <= n; i += 8)
            for (size_t k = 0; k < 8; k++)
                r[k] += action[i + k] * action[i + k];
        sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    }
    for (; i < n; i++)
        sum += action[i] * action[i];
    return (double)((float)weight * sum);
}

double sum_squares(const double *x, size_t n)
{
    double sum = 0;
    size_t i = 0;
    if (n >= 8) {
        double r[8] = {0};
        for (; i + 8 <= n; i += 8)
            for (size_t k = 0; k < 8; k++)
                r[k] += x[i + k] * x[i + k];
        sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    }
    for (; i < n; i++)
        sum += x[i] * x[i];
    return sum;
}

double clip(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

double distance(const double *a, const double *b)
{
    double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
    return sqrt(x * x + y * y + z * z);
}
