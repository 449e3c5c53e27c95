// A policy ready to act: the actor network with every BatchRenorm folded into its neighbours, as it
// travels in a weights frame and lies in a policy file.
//
// In eval mode a BatchRenorm is y = s x + t with s = scale / sqrt(running_var + eps) and
// t = bias - s running_mean. After a Linear it joins it (rows of W times s, b times s plus t); before
// one too (columns of W times s, b plus W t); only without either neighbour it stays as an AFFINE layer.
//
// Outputs: squashed Gaussian (B, 2 A): mean, then log_std before its clip; categorical (B, A): logits.
#ifndef COMMON_POLICY_H
#define COMMON_POLICY_H

#include "common/error.h"
#include "common/layer_spec.h"
#include "common/rng.h"

#include <stdbool.h>
#include <stddef.h>

enum policy_kind { POLICY_LINEAR, POLICY_LAYER_NORM, POLICY_AFFINE, POLICY_RELU, POLICY_TANH };

struct policy_layer {
    enum policy_kind kind;
    size_t           in, out;
    double           eps;     // LAYER_NORM
    float           *weight;  // LINEAR (out, in); LAYER_NORM, AFFINE (out); else NULL. Into floats
    float           *bias;    // (out)
};

struct policy {
    size_t              O, A;  // observation; action dimensions, or choices if discrete
    bool                discrete;
    double              log_std_min, log_std_max;
    size_t              n_layers;
    struct policy_layer layer[NET_MAX_LAYERS + 1];
    size_t              n_floats;
    float              *floats;      // (n_floats)  every weight and bias in the order of the layers
    size_t              rows;        // largest B
    float              *scratch[2];  // (rows, widest layer)
    void               *block;
};

// Lays out the policy that net describes, with zero weights, for up to rows observations at once.
//
//   returns  0 or ERR_MEMORY
int  policy_init(struct policy *p, const struct net_spec *net, size_t O, size_t A, bool discrete,
                 double log_std_min, double log_std_max, size_t rows, struct error *err);
void policy_free(struct policy *p);

// The second half of policy_init, for layers that are already listed in p->layer: allocates.
int policy_layout(struct policy *p, size_t rows, struct error *err);

// Where the learner's network keeps one layer of its net_spec, in order, the head last.
struct policy_source {
    const float *weight,
        *bias;  // LINEAR (out, in), (out); LAYER_NORM, BATCH_RENORM (out): scale, bias
    const float *mean, *var;  // BATCH_RENORM: running statistics
    size_t       ld;          // LINEAR: floats from row to row of weight; 0: in
};

// Fills p->floats from the network's layers (net->n_layers + 1 sources).
void policy_fold(struct policy *p, const struct net_spec *net, const struct policy_source *source);

// y (B, 2 A or A) = outputs for obs (B, O); B <= rows. Not thread-safe in p.
void policy_forward(struct policy *p, float *y, const float *obs, size_t B);

// action (B, A) in [-1, 1], or (B, 1) the index if discrete, for obs (B, O). With rng a sample of the
// policy, without (NULL) its mode. Needs 2 A floats a row of y as scratch: (B, 2 A).
void policy_act(struct policy *p, float *action, float *y, const float *obs, size_t B,
                struct rng *rng);

#endif
