// What benchmarks share: settings from the environment, and medians.
#ifndef TESTS_BENCH_MEASURE_H
#define TESTS_BENCH_MEASURE_H

#include <stddef.h>
#include <stdlib.h>

// An environment variable, or `otherwise` where it is not set or empty.
static inline const char *bench_text(const char *name, const char *otherwise)
{
    const char *text = getenv(name);
    return text == NULL || text[0] == '\0' ? otherwise : text;
}

// The same as a number, 0 for what is none.
static inline double bench_number(const char *name, double otherwise)
{
    const char *text = bench_text(name, NULL);
    return text == NULL ? otherwise : strtod(text, NULL);
}

static inline int bench_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Of x (n), n > 0; sorts x.
static inline double bench_median(double *x, size_t n)
{
    qsort(x, n, sizeof *x, bench_compare);
    return (x[n / 2] + x[(n - 1) / 2]) / 2;
}

#endif
