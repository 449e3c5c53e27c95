// Several seeds as one curve: interquartile mean and a bootstrap band (Agarwal et al. 2021, "Deep
// Reinforcement Learning at the Edge of the Statistical Precipice", as in rliable).
//
//   iqm(x)   mean of what stays after floor(n / 4) values fall off at either end
//   band     2.5% and 97.5% quantiles of iqm over AGGREGATE_DRAWS resamples of the n runs
#ifndef LEARNER_AGGREGATE_H
#define LEARNER_AGGREGATE_H

#include "common/rng.h"

#include <stddef.h>

enum { AGGREGATE_RUNS = 256, AGGREGATE_DRAWS = 2000 };

struct aggregate {
    double iqm, low, high;  // low, high: NAN with a single run
};

// Interquartile mean of x (n), which gets sorted; NAN for n = 0.
double aggregate_iqm(double *x, size_t n);

// x (n), n <= AGGREGATE_RUNS. Takes its draws from rng.
struct aggregate aggregate_runs(const double *x, size_t n, struct rng *rng);

// Value at x of the line through the points (xs, ys) (n), xs ascending; NAN outside of them.
double aggregate_interpolate(const double *xs, const double *ys, size_t n, double x);

#endif
