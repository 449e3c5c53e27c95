// Comparing a golden file with what the program computes: largest error of all tensors in units of
// its tolerance, and a check that none was forgotten.
#ifndef TESTS_LEARNER_GOLDEN_H
#define TESTS_LEARNER_GOLDEN_H

#include "common/safetensors.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN_MAX_TENSORS 2048

struct golden {
    struct safetensors st;
    bool               seen[GOLDEN_MAX_TENSORS];
    double             worst;  // error / tolerance
    char               worst_name[160];
    size_t             failures;
};

static inline size_t golden_size(const struct golden *g, const char *key)
{
    const char *text = safetensors_metadata(&g->st, key);
    return text == NULL ? 0 : (size_t)strtoul(text, NULL, 10);
}

static inline double golden_setting(const struct golden *g, const char *key)
{
    const char *text = safetensors_metadata(&g->st, key);
    return text == NULL ? NAN : strtod(text, NULL);
}

static inline bool golden_is(const struct golden *g, const char *key, const char *value)
{
    const char *text = safetensors_metadata(&g->st, key);
    return text != NULL && strcmp(text, value) == 0;
}

// Counts one comparison; error is relative to its tolerance.
static inline void golden_note(struct golden *g, const char *name, double error)
{
    if (!(error <= 1)) {
        if (g->failures++ < 10)
            printf("  %s: error %.3g times its tolerance\n", name, error);
    }
    if (!(error <= g->worst)) {
        g->worst = error;
        snprintf(g->worst_name, sizeof g->worst_name, "%s", name);
    }
}

static inline const struct safetensors_tensor *golden_find(struct golden *g, const char *name)
{
    const struct safetensors_tensor *t = safetensors_find(&g->st, name);
    if (t == NULL || g->st.n > GOLDEN_MAX_TENSORS) {
        golden_note(g, name, INFINITY);
        return NULL;
    }
    g->seen[t - g->st.tensor] = true;
    return t;
}

// got (n) against row k of a tensor whose rows have n numbers: |got - expected| <= tolerance
// max(1, largest expected of all rows). Expected NaN means that the row holds nothing.
static inline void golden_compare(struct golden *g, const char *name, size_t k, const float *got,
                                  size_t n, double tolerance)
{
    const struct safetensors_tensor *t = golden_find(g, name);
    if (t == NULL)
        return;
    if ((k + 1) * n > t->n || t->n % n != 0) {
        golden_note(g, name, INFINITY);
        return;
    }
    double largest = 1, error = 0;
    for (size_t i = 0; i < t->n; i++)
        largest = fmax(largest, fabs(safetensors_number(t, i)));
    for (size_t i = 0; i < n; i++) {
        double want = safetensors_number(t, k * n + i);
        if (isnan(want))
            continue;
        double e = fabs((double)got[i] - want);
        error = e <= error ? error : e;
    }
    golden_note(g, name, error / (tolerance * largest));
}

static inline void golden_compare_number(struct golden *g, const char *name, size_t k, double got,
                                         double tolerance)
{
    float x = (float)got;
    golden_compare(g, name, k, &x, 1, tolerance);
}

// got (n) against row k, each number within 1e-5 of its own size.
static inline void golden_compare_relative(struct golden *g, const char *name, size_t k,
                                           const double *got, size_t n)
{
    const struct safetensors_tensor *t = golden_find(g, name);
    double                           error = t == NULL || (k + 1) * n > t->n ? INFINITY : 0;
    for (size_t i = 0; i < n && isfinite(error); i++) {
        double want = safetensors_number(t, k * n + i);
        error = fmax(error, got[i] == want ? 0 : fabs(got[i] - want) / (1e-5 * fabs(want)));
    }
    golden_note(g, name, error);
}

static inline void golden_compare_exact(struct golden *g, const char *name, size_t k, double got)
{
    const struct safetensors_tensor *t = golden_find(g, name);
    if (t != NULL)
        golden_note(g, name, k < t->n && safetensors_number(t, k) == got ? 0 : INFINITY);
}

// Row k of an input tensor as floats.
static inline void golden_read(struct golden *g, const char *name, size_t k, float *y, size_t n)
{
    const struct safetensors_tensor *t = golden_find(g, name);
    for (size_t i = 0; t != NULL && i < n; i++)
        y[i] = (k + 1) * n <= t->n ? (float)safetensors_number(t, k * n + i) : NAN;
}

// Every tensor must have been looked at.
static inline void golden_check_seen(struct golden *g)
{
    for (size_t i = 0; i < g->st.n; i++)
        if (!g->seen[i]) {
            printf("  %s was not compared\n", g->st.tensor[i].name);
            golden_note(g, g->st.tensor[i].name, INFINITY);
        }
}

#endif
