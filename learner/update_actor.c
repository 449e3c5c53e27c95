// The actor's part of an update: policy loss through the critics, temperature, target networks.
#include "learner/update_state.h"

#include "common/vec.h"

#include <math.h>
#include <string.h>

static struct network_pass actor_pass(struct update *u)
{
    return (struct network_pass){.nets = u->actors,
                                 .n = 1,
                                 .parts = u->row_parts,
                                 .pool = u->pool,
                                 .rows = u->B,
                                 .live = u->B};
}

// ---------------------------------------------------------------- continuous: 5a to 5c

static void sample_part(void *job, size_t part)
{
    struct update       *u = job;
    struct network_range s = network_range(u->B, part, u->row_parts);
    size_t               ld;
    const float         *heads = network_output(&u->actor, &ld);
    policy_sample(u, &u->policy, heads, ld, u->batch->noise_policy, u->policy_in + u->O, u->ld_in,
                  s.begin, s.end);
}

// a critic at [obs, a], its new parameters in eval mode
static void value_part(void *job, size_t k)
{
    struct update       *u = job;
    size_t               i = k / u->critic_parts;
    struct network_range s = network_range(u->B, k % u->critic_parts, u->critic_parts);
    network_eval_rows(&u->q[i], u->policy_in, s.begin, s.end);
    size_t       ld;
    const float *q = network_output(&u->q[i], &ld);
    for (size_t r = s.begin; r < s.end; r++)
        u->policy_q[i][r] = q[r * ld];
}

// the gradient of -min(Q1, Q2) / B: each row goes back through the smaller critic only
static void value_backward_part(void *job, size_t k)
{
    struct update       *u = job;
    size_t               i = k / u->critic_parts;
    struct network_range s = network_range(u->B, k % u->critic_parts, u->critic_parts);
    float               *dq = network_output_gradient(&u->q[i]);
    for (size_t r = s.begin; r < s.end; r++) {
        bool first = u->policy_q[0][r] <= u->policy_q[1][r];
        dq[r * u->q[i].ld_d] = first == (i == 0) ? -1 / (float)u->B : 0;
    }
    network_eval_backward_rows(&u->q[i], u->policy_in, s.begin, s.end, u->O);
}

static void heads_backward_part(void *job, size_t part)
{
    struct update       *u = job;
    struct network_range s = network_range(u->B, part, u->row_parts);
    const float *const   da[2] = {u->q[0].dx + u->O, u->q[1].dx + u->O};
    size_t               ld;
    const float         *heads = network_output(&u->actor, &ld);
    policy_sample_backward(u, &u->policy, heads, ld, u->policy_in + u->O, u->ld_in, da,
                           u->q[0].ld_d, network_output_gradient(&u->actor), u->actor.ld_d, s.begin,
                           s.end);
}

static double loss_continuous(struct update *u)
{
    pool_run(u->pool, "sample actions", u->row_parts, sample_part, u);
    for (size_t i = 0; i < 2; i++)
        network_eval_prepare(&u->q[i]);
    pool_run(u->pool, "critics at new actions", 2 * u->critic_parts, value_part, u);
    pool_run(u->pool, "critics back to actions", 2 * u->critic_parts, value_backward_part, u);
    pool_run(u->pool, "policy heads backward", u->row_parts, heads_backward_part, u);
    double loss = 0;
    for (size_t r = 0; r < u->B; r++) {
        float q1 = u->policy_q[0][r], q2 = u->policy_q[1][r];
        loss += (double)(u->alpha * u->policy.log_prob[r] - (q1 < q2 ? q1 : q2));
    }
    return loss / (double)u->B;
}

// ---------------------------------------------------------------- discrete

// Q of all actions comes from the critics' train-mode forward, before their step
static double loss_discrete(struct update *u)
{
    size_t       ld;
    const float *logits = network_output(&u->actor, &ld);
    policy_categorical(u, &u->policy, logits, ld, 0, u->B);
    double loss =
        policy_categorical_backward(u, &u->policy, u->q_now[0], u->q_now[1],
                                    network_output_gradient(&u->actor), u->actor.ld_d, 0, u->B);
    return loss / (double)u->B;
}

// ---------------------------------------------------------------- steps of Adam

static void square_part(void *job, size_t part)
{
    struct update       *u = job;
    struct network_range s = network_range(u->actor.n_params, part, u->row_parts);
    u->squares[part] = vec_sum_squares(u->actor.grads + s.begin, s.end - s.begin);
}

static void adam_part(void *job, size_t part)
{
    struct update       *u = job;
    struct network_range s = network_range(u->actor.n_params, part, u->row_parts);
    adam_apply(&u->actor_adam, u->actor.params, u->actor.grads, u->grad_scale[0], s.begin, s.end);
}

// d alpha_loss / d log_alpha, Adam, bounds
static void step_alpha(struct update *u, double entropy, struct update_result *result)
{
    double gap = entropy - u->target_entropy;
    bool   plain = u->spec.alpha_loss == ALPHA_LOSS_LOG_ALPHA;
    result->entropy = entropy;
    result->alpha_loss = (plain ? (double)u->log_alpha : (double)u->alpha) * gap;
    u->log_alpha_grad = (float)(plain ? gap : (double)u->alpha * gap);
    adam_begin(&u->alpha_adam, adam_rate(&u->alpha_adam.spec, u->progress));
    adam_apply(&u->alpha_adam, &u->log_alpha, &u->log_alpha_grad, 1, 0, 1);
    u->log_alpha =
        fminf(fmaxf(u->log_alpha, (float)u->spec.log_alpha_min), (float)u->spec.log_alpha_max);
}

static void follow_part(void *job, size_t k)
{
    struct update       *u = job;
    size_t               i = k / u->critic_parts;
    struct network_range s = network_range(u->q[i].n_params, k % u->critic_parts, u->critic_parts);
    network_follow(&u->target[i], &u->q[i], (float)u->q[i].spec.polyak_coef, s.begin, s.end);
}

bool update_actor_step(struct update *u, struct update_result *result)
{
    struct network_pass pass = actor_pass(u);
    network_forward(&pass, u->obs_in);
    double loss = u->discrete ? loss_discrete(u) : loss_continuous(u);
    double entropy = 0;
    for (size_t r = 0; r < u->B; r++)
        entropy -= (double)u->policy.log_prob[r] / (double)u->B;
    if (!isfinite(loss) || !isfinite(entropy)) {
        update_explain(u, "actor loss", NULL, result);
        return false;
    }
    network_backward(&pass, false);
    pool_run(u->pool, "gradient norm", u->row_parts, square_part, u);
    if (!update_clip(&u->actor, u->squares, u->row_parts, &u->grad_scale[0])) {
        update_explain(u, "gradient of actor", &u->actor, result);
        return false;
    }
    adam_begin(&u->actor_adam, adam_rate(&u->actor.spec.optim, u->progress));
    pool_run(u->pool, "adam", u->row_parts, adam_part, u);
    network_commit(&u->actor);
    if (u->actor.spec.weight_norm)
        network_project(&u->actor);
    step_alpha(u, entropy, result);
    if (u->spec.kind == ALGORITHM_SAC)
        pool_run(u->pool, "targets follow", 2 * u->critic_parts, follow_part, u);
    result->actor_loss = loss;
    result->actor_updated = true;
    return true;
}
