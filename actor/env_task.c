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

// numpy adds eight running sums from eight terms on (loops_utils.h.src; it splits blocks of more than
// 128, which no task here has)
double control_cost(double weight, const float *action, size_t n)
{
    float  r[8] = {0};
    size_t i = 0;
    for (; n - i >= 8; i += 8)
        for (size_t k = 0; k < 8; k++)
            r[k] += action[i + k] * action[i + k];
    float sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < n; i++)
        sum += action[i] * action[i];
    return (double)((float)weight * sum);
}

static double square(double x)
{
    return x * x;
}

double sum_squares(const double *x, size_t n, double low, double high)
{
    double r[8] = {0};
    size_t i = 0;
    for (; n - i >= 8; i += 8)
        for (size_t k = 0; k < 8; k++)
            r[k] += square(clip(x[i + k], low, high));
    double sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < n; i++)
        sum += square(clip(x[i], low, high));
    return sum;
}

double clip(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

bool inside(double x, const double *range)
{
    return range[0] < x && x < range[1];
}

double distance(const double *a, const double *b)
{
    double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
    return sqrt(x * x + y * y + z * z);
}
