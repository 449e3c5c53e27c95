// Adam and AdamW over a flat block of parameters:
//
//   m = b1 m + (1-b1) g     v = b2 v + (1-b2) g^2
//   p -= lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
//
// weight_decay w: Adam adds w p to g first, AdamW multiplies p by 1 - lr w first.
// Source: Kingma and Ba 2015, arXiv:1412.6980; Loshchilov and Hutter 2019, arXiv:1711.05101.
#ifndef COMMON_ADAM_H
#define COMMON_ADAM_H

#include "common/layer_spec.h"

#include <stddef.h>
#include <stdint.h>

struct adam {
    struct optim_spec spec;
    size_t            n;
    float            *m, *v;                        // (n)  borrowed, zeros at the start
    uint64_t          t;                            // steps so far
    float             lr, correct1, sqrt_correct2;  // of the running step
};

// m, v: (spec.n) zeros that outlive a.
void adam_init(struct adam *a, const struct optim_spec *spec, size_t n, float *m, float *v);

// Learning rate after `progress` of the run, 0 to 1, as the spec's schedule says.
double adam_rate(const struct optim_spec *spec, double progress);

// Counts a step with this learning rate; then adam_apply goes over [0, n) in any parts.
void adam_begin(struct adam *a, double lr);

// Elements begin <= i < end of parameters p and gradients g; every gradient is scaled by g_scale first.
// Parts may run on different threads.
void adam_apply(const struct adam *a, float *p, const float *g, float g_scale, size_t begin,
                size_t end);

#endif
