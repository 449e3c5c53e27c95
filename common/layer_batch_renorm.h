// Batch renormalization over the columns of x' (N, H), in both published forms:
//
//   train  n = r (x' - mean) / S + c          y = weight n + bias
//          r = clip(std / rstd, 1/R, R)       d = clip((mean - running_mean) / rstd, -D, D)
//          std = sqrt(var + eps), rstd = sqrt(running_var + eps), var biased
//          S^2 = var + eps, c = d             textbook
//          S^2 = var + r^2 eps, c = d sqrt(var) / S     adjusted
//          R = 1 + t (r_max - 1), D = t d_max; t ramps or steps from 0 to 1 over warmup_steps
//          running += momentum (batch - running), steps += 1: by layer_batch_renorm_commit
//   eval   y = weight (x' - running_mean) / rstd + bias
//
// r, d and the running values are constants for the gradient. The layer takes its neighbours into its
// sweeps: x' = x + in_bias, or relu(x + in_bias), and y may go through a ReLU. Where in_bias feeds the
// norm directly its gradient is exactly 0, since the mean is taken away.
//
// Columns c0 <= c < c1 of one layer may be worked on by different threads.
// Source: Ioffe 2017, arXiv:1702.03275; tests/golden/crossq/README.md section 2 has every formula.
#ifndef COMMON_LAYER_BATCH_RENORM_H
#define COMMON_LAYER_BATCH_RENORM_H

#include "common/layer_spec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct layer_batch_renorm {
    size_t            H;
    struct layer_spec spec;
    bool              relu_before, relu_after;
    const float      *in_bias;                     // (H)  bias of the Linear before it, or NULL
    float            *in_dbias;                    // (H)  its gradient, or NULL
    float            *weight, *bias;               // (H)
    float            *dweight, *dbias;             // (H)  NULL where nothing is trained
    float            *running_mean, *running_var;  // (H)
    uint64_t         *steps;                       // train forwards so far
    // of the last forward, kept for the backward: u = x' - pivot - shift, y = u gain + offset
    const float *lift;                  // (H)  what is added before a ReLU: in_bias, or zeros
    float       *pivot, *shift;         // (H)
    float       *gain, *offset;         // (H)
    float       *scale, *centre;        // (H)  n = u scale + centre
    float       *inv_var;               // (H)  1 / S^2; 0 in eval mode
    float       *kappa;                 // (H)  the adjusted form's extra term; 0 otherwise
    float       *r, *d;                 // (H)
    float       *next_mean, *next_var;  // (H)  running values after this step
};

// Floats that a layer of H columns keeps beside its parameters and statistics.
size_t layer_batch_renorm_scratch(size_t H);

// Lays the kept arrays out in scratch (zeroed). Call after all other members are set.
void layer_batch_renorm_init(struct layer_batch_renorm *l, float *scratch);

// Train mode: y (N, H) from x (N, H); y may be x only if no backward follows.
void layer_batch_renorm_forward(struct layer_batch_renorm *l, float *y, const float *x, size_t ld,
                                size_t N, size_t c0, size_t c1);

// dy (N, H), taken as 0 from row `live` on, becomes dx in place; dweight, dbias, in_dbias of these columns
// are set. After a train forward or after layer_batch_renorm_eval of the same x.
void layer_batch_renorm_backward(struct layer_batch_renorm *l, float *dy, size_t lddy,
                                 const float *x, size_t ld, size_t N, size_t live, size_t c0,
                                 size_t c1);

// Makes the statistics of the last train forward the running ones.
void layer_batch_renorm_commit(struct layer_batch_renorm *l);

// Eval mode: layer_batch_renorm_eval_prepare once after parameters or statistics changed, then any
// rows r0 <= r < r1, on several threads at once.
void layer_batch_renorm_eval_prepare(struct layer_batch_renorm *l);
void layer_batch_renorm_eval(const struct layer_batch_renorm *l, float *y, const float *x,
                             size_t ld, size_t r0, size_t r1, size_t c0, size_t c1);

// dy becomes dx for the same rows; no parameter gradients.
void layer_batch_renorm_eval_backward(const struct layer_batch_renorm *l, float *dy, size_t lddy,
                                      const float *x, size_t ld, size_t r0, size_t r1, size_t c0,
                                      size_t c1);

#endif
