// What a spec says about a network: the list of its layers and how it is trained. Plain data, shared
// by the spec loader (which fills it) and the network (which is built from it).
#ifndef COMMON_LAYER_SPEC_H
#define COMMON_LAYER_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_MAX_LAYERS 64

enum layer_kind {
    LAYER_LINEAR,        // y = x W^T + b
    LAYER_BATCH_RENORM,  // common/layer_batch_renorm.h
    LAYER_LAYER_NORM,    // over the features of a row
    LAYER_RELU,
    LAYER_TANH,
};

enum renorm_ramp { RENORM_LINEAR, RENORM_STEP };
enum renorm_form { RENORM_TEXTBOOK, RENORM_ADJUSTED };

struct layer_spec {
    enum layer_kind kind;
    size_t          out;  // LINEAR: features out; other kinds keep their input's width
    // BATCH_RENORM; formulas in tests/golden/crossq/README.md section 2
    double           momentum;      // (0, 1]  weight of the NEW value, 0.01
    double           eps;           // BATCH_RENORM 1e-3, LAYER_NORM 1e-5
    uint64_t         warmup_steps;  // train forwards
    double           r_max, d_max;  // 3, 5
    enum renorm_ramp ramp;
    enum renorm_form form;
};

enum init_kind {
    INIT_TORCH,            // U(+-1/sqrt(in)) for weight and bias: torch's nn.Linear
    INIT_ORTHOGONAL,       // gain sqrt(2), zero bias, also the heads
    INIT_XAVIER_UNIFORM,   // zero bias
    INIT_XAVIER_NORMAL,    // zero bias
    INIT_KAIMING_UNIFORM,  // fan in, gain sqrt(2), zero bias
    INIT_KAIMING_NORMAL,   // fan in, gain sqrt(2), zero bias
    INIT_LECUN_NORMAL,     // flax's Dense: truncated normal, variance 1/in, zero bias
};

enum loss_kind { LOSS_MSE, LOSS_SMOOTH_L1 };
enum optim_kind { OPTIM_ADAM, OPTIM_ADAMW };
enum schedule_kind { SCHEDULE_CONSTANT, SCHEDULE_LINEAR };

struct optim_spec {
    enum optim_kind kind;
    double          lr, beta1, beta2, eps, weight_decay;
    // learning rate against environment steps: constant, or linear from lr to lr * final_factor over
    // max_frame
    enum schedule_kind schedule;
    double             final_factor;
};

struct net_spec {
    size_t            n_layers;  // hidden layers; the heads are added by the algorithm
    struct layer_spec layers[NET_MAX_LAYERS];  // in order from the input
    enum init_kind    init;
    enum loss_kind    loss;
    double            clip_grad_val;  // largest norm of the whole gradient; 0: no clipping
    struct optim_spec optim;
    double            polyak_coef;  // SAC: target += polyak_coef * (net - target); 0.005
    bool weight_norm;  // CrossQ + WN: hidden rows are projected to unit norm after each step
};

#endif
