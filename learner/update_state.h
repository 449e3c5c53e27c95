// What an update is made of: shared by the files learner/update*.c, the golden test and the benchmark.
//
// Row numbers follow tests/golden/crossq/README.md section 3. Q is 1 for continuous actions and A, the
// number of choices, for discrete ones.
#ifndef LEARNER_UPDATE_STATE_H
#define LEARNER_UPDATE_STATE_H

#include "common/adam.h"
#include "common/network.h"
#include "common/network_pass.h"
#include "common/pool.h"
#include "learner/update.h"

struct policy_rows {
    float *std_noise;  // (B, A)  exp(log_std) noise; continuous
    float *raw;        // (B, A)  mean + std_noise; discrete: pi
    float *log_pi;     // (B, A)  discrete
    float *log_prob;   // (B)     continuous: of the action; discrete: mean of log_pi, minus entropy
};

struct update {
    struct algorithm_spec spec;
    bool                  discrete;
    size_t                O, A, B, Q;
    double                target_entropy;
    struct pool          *pool;
    size_t                critic_parts, row_parts;  // pieces of a critic; pieces of B rows
    struct network        actor, q[2], target[2];   // targets: SAC only
    struct network       *critics[2], *targets[2], *actors[1];  // the same, for passes
    struct adam           actor_adam, q_adam[2], alpha_adam;
    float                 log_alpha, log_alpha_grad, alpha_m, alpha_v;
    uint64_t              count;     // updates so far
    double                progress;  // of the run, 0 to 1, for learning-rate schedules
    // the running update
    const struct batch *batch;
    bool                actor_due;    // it is one of every policy_delay
    float               alpha;        // exp(log_alpha) at its start
    float              *critic_in;    // (2B, ld_in)  [obs, action] then [next_obs, a']
    float              *policy_in;    // (B, ld_in)   [obs, a]
    float              *obs_in;       // (B, ld_obs)
    float              *next_obs_in;  // (B, ld_obs)
    size_t              ld_in, ld_obs;
    struct policy_rows  next, policy;   // of a' and of a
    float              *q_now[2];       // (B, Q)
    float              *q_next[2];      // (B, Q)
    float              *policy_q[2];    // (B)     continuous
    float              *y;              // (B)     target
    float              *td;             // (B)     |min(Q1, Q2) - y|
    double             *squares;        // (2, critic_parts or row_parts)  of gradients, per piece
    float               grad_scale[2];  // from clipping
    void               *memory;
    size_t              memory_size;
};

// learner/update_policy.c: rows begin <= r < end of a policy's output

// Samples a Gaussian's actions (rows, stride ld_action) from heads (B, ld) and noise (B, A).
void policy_sample(const struct update *u, struct policy_rows *p, const float *heads, size_t ld,
                   const float *noise, float *action, size_t ld_action, size_t begin, size_t end);

// pi and log pi of a Categorical policy from logits (B, ld).
void policy_categorical(const struct update *u, struct policy_rows *p, const float *logits,
                        size_t ld, size_t begin, size_t end);

// Gradient of the actor's loss for the heads: dheads (B, ld_d). daction (B, ld_action) is that of
// -min(Q1, Q2) / B, summed over both critics' shares.
void policy_sample_backward(const struct update *u, const struct policy_rows *p, const float *heads,
                            size_t ld, const float *action, size_t ld_action,
                            const float *const daction[2], size_t ld_da, float *dheads, size_t ld_d,
                            size_t begin, size_t end);

// The same for a Categorical policy; q1, q2 (B, A) are constants. Returns the rows' part of the loss.
double policy_categorical_backward(const struct update *u, const struct policy_rows *p,
                                   const float *q1, const float *q2, float *dlogits, size_t ld_d,
                                   size_t begin, size_t end);

// learner/update_critic.c: steps 1 to 4; why gets the tensor's name when it returns false, and nothing
// was changed then
bool update_critics(struct update *u, struct update_result *result);

// learner/update_actor.c: step 5, likewise
bool update_actor_step(struct update *u, struct update_result *result);

// Sum of squares of a network's gradients from the pieces, and what clipping multiplies them with.
//
//   returns  false if it is not finite, or too large for its square to be
bool update_clip(const struct network *net, const double *squares, size_t parts, float *scale);

// Writes "what" and the first tensor of the batch or the networks that is not finite.
void update_explain(const struct update *u, const char *what, const struct network *grads_of,
                    struct update_result *result);

#endif
