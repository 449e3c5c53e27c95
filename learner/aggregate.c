#include "learner/aggregate.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static int aggregate_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double aggregate_iqm(double *x, size_t n)
{
    size_t cut = n / 4;
    double sum = 0;
    qsort(x, n, sizeof *x, aggregate_order);
    for (size_t i = cut; i < n - cut; i++)
        sum += x[i];
    return n > 0 ? sum / (double)(n - 2 * cut) : NAN;
}

struct aggregate aggregate_runs(const double *x, size_t n, struct rng *rng)
{
    double draw[AGGREGATE_RUNS], iqms[AGGREGATE_DRAWS];
    assert(n <= AGGREGATE_RUNS);
    for (size_t i = 0; i < n; i++)
        draw[i] = x[i];
    struct aggregate a = {.iqm = aggregate_iqm(draw, n), .low = NAN, .high = NAN};
    if (n < 2)
        return a;
    for (size_t k = 0; k < AGGREGATE_DRAWS; k++) {
        for (size_t i = 0; i < n; i++)
            draw[i] = x[rng_below(rng, n)];
        iqms[k] = aggregate_iqm(draw, n);
    }
    qsort(iqms, AGGREGATE_DRAWS, sizeof *iqms, aggregate_order);
    a.low = iqms[(size_t)(0.025 * AGGREGATE_DRAWS)];
    a.high = iqms[(size_t)(0.975 * AGGREGATE_DRAWS)];
    return a;
}

double aggregate_interpolate(const double *xs, const double *ys, size_t n, double x)
{
    if (n == 0 || x < xs[0] || x > xs[n - 1])
        return NAN;
    size_t i = 1;
    while (i < n && xs[i] < x)
        i++;
    if (i >= n)
        return ys[n - 1];
    double span = xs[i] - xs[i - 1];
    return span > 0 ? ys[i - 1] + (ys[i] - ys[i - 1]) * (x - xs[i - 1]) / span : ys[i];
}
