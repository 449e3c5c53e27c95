// A network: the list of layers that a spec gives, then one linear layer that holds all its heads
// ("mean" and "log_std" stacked). One block each of parameters, gradients and statistics; a list
// names every tensor in them.
//
// Neighbouring layers are joined where one sweep can do the work of both: bias and ReLU, bias or ReLU
// and norm, norm and ReLU. Each result has a buffer of its own, so that a backward finds it.
//
// Activations are (rows, network_ld(width)) arrays. What runs a whole pass on several threads is
// common/network_pass.h.
#ifndef COMMON_NETWORK_H
#define COMMON_NETWORK_H

#include "common/error.h"
#include "common/layer_activation.h"
#include "common/layer_batch_renorm.h"
#include "common/layer_layer_norm.h"
#include "common/layer_linear.h"
#include "common/layer_spec.h"
#include "common/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETWORK_MAX_HEADS 2

struct network_head {
    const char *name;  // "mean"; the tensors are "mean.weight", "mean.bias"
    size_t      out;
};

enum op_kind { OP_LINEAR, OP_BATCH_RENORM, OP_LAYER_NORM, OP_ACTIVATION };

// One or several layers of the spec that run together.
struct op {
    enum op_kind              kind;
    size_t                    in, out;
    enum activation_kind      activation;  // of LINEAR (after its bias) and ACTIVATION
    bool                      raw;         // LINEAR whose bias the next op adds
    struct layer_linear       linear;
    struct layer_batch_renorm renorm;
    struct layer_layer_norm   norm;
    float                    *y;   // (rows, ld)  result
    float                    *dy;  // (rows, ld_d)  its gradient, where a later op's result was
    size_t                    ld;  // of y
};

enum tensor_kind {
    TENSOR_WEIGHT,  // of a linear layer or head; its bias is the next tensor
    TENSOR_BIAS,    // of a linear layer or head
    TENSOR_SCALE,   // of a norm
    TENSOR_SHIFT,   // of a norm
    TENSOR_RUNNING_MEAN,
    TENSOR_RUNNING_VAR,
};

// A named piece of the blocks, for checkpoints, policy files and tests.
struct network_tensor {
    char             name[32];  // "0.weight", "1.running_mean", "mean.bias"
    enum tensor_kind kind;
    size_t           rows, cols;  // shape (rows, cols), or (cols) if rows is 0
    size_t           ld;          // floats from row to row; what lies between is 0
    float           *value;
    float           *grad;  // the same shape; NULL for statistics and untrained networks
};

struct network_steps {
    char      name[32];  // "1.steps"
    uint64_t *value;
};

// Floats from row to row of an array with n columns: whole cache lines and an odd number of them, so
// that the rows of one column do not all fall into the same few cache sets.
static inline size_t network_ld(size_t n)
{
    return ((n + 15) / 16 | 1) * 16;
}

struct network {
    struct net_spec        spec;
    size_t                 in, out;  // features in, heads' outputs
    size_t                 rows;     // most rows of a pass
    size_t                 tile;  // columns of a product that the op behind it still finds in cache
    size_t                 n_ops, n_tensors, n_steps;
    struct op             *ops;
    struct network_tensor *tensors;
    struct network_steps  *steps_list;
    size_t                 n_params, n_stats;  // floats in the blocks, padding (always 0) included
    float                 *params, *grads;     // (n_params)  grads NULL where nothing is trained
    float                 *stats;  // (n_stats)   running_mean, running_var of each BatchRenorm
    uint64_t              *steps;  // (n_steps)   train forwards of each
    float       *dx;      // (rows, ld_d)  gradient of the input, NULL where nothing is trained
    size_t       ld_d;    // of all gradients
    const float *x;       // (rows, network_ld(in))  input of the last train forward, borrowed
    void        *memory;  // everything above
    size_t       memory_size;
};

// Builds the network for `in` features and up to `rows` rows; all values are 0 and running_var 1.
// trained: with gradients and what a backward needs.
//
//   returns  0, ERR_MEMORY, or ERR_SPEC for layers that make no network; net is then free to be freed
//   owns     net->memory, until network_free
int  network_init(struct network *net, const struct net_spec *spec, size_t in,
                  const struct network_head *heads, size_t n_heads, size_t rows, bool trained,
                  struct error *err);
void network_free(struct network *net);

// Initial weights as spec.init says, norms at scale 1 and bias 0, statistics fresh.
void network_randomize(struct network *net, struct rng *rng);

// Parameters, statistics and counters of `from`, a network of the same spec and sizes.
void network_copy(struct network *net, const struct network *from);

// Parameters += rate (from's - own), floats begin <= i < end of the block. Parts may run on different
// threads.
void network_follow(struct network *net, const struct network *from, float rate, size_t begin,
                    size_t end);

// Scales each row of a hidden Linear, its bias included, to length 1.
// Source: Palenicek et al. 2025, arXiv:2502.07523.
void network_project(struct network *net);

// The name of a tensor that holds a value that is not finite, among parameters (or gradients).
//
//   returns  NULL if there is none
const char *network_find_nonfinite(const struct network *net, bool gradients);

// Result of the last pass, (rows, *ld).
const float *network_output(const struct network *net, size_t *ld);

// Where the gradient of the output belongs before a backward, (rows, net->ld_d).
float *network_output_gradient(struct network *net);

#endif
