// The critics' part of an update: next actions, the critics' values, targets, loss, Adam.
//
// CrossQ and SAC differ in values_crossq and values_sac, in which mode critics run, and in the target
// networks' step at the end of learner/update_actor.c; everything else is the same code.
#include "learner/update_state.h"

#include "common/vec.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// ---------------------------------------------------------------- step 1: next actions

// the critics' rows and a' for some rows of the batch
static void prepare_rows(void *job, size_t part)
{
    struct update       *u = job;
    const struct batch  *b = u->batch;
    struct network_range s = network_range(u->B, part, u->row_parts);
    size_t               O = u->O, A = u->A;
    for (size_t r = s.begin; r < s.end; r++) {
        float *now = u->critic_in + r * u->ld_in, *next = now + u->B * u->ld_in;
        memcpy(now, b->obs + r * O, O * sizeof(float));
        memcpy(next, b->next_obs + r * O, O * sizeof(float));
        memcpy(u->next_obs_in + r * u->ld_obs, b->next_obs + r * O, O * sizeof(float));
        if (!u->discrete)
            memcpy(now + O, b->action + r * A, A * sizeof(float));
        if (u->actor_due) {
            memcpy(u->obs_in + r * u->ld_obs, b->obs + r * O, O * sizeof(float));
            memcpy(u->policy_in + r * u->ld_in, b->obs + r * O, O * sizeof(float));
        }
    }
    network_eval_rows(&u->actor, u->next_obs_in, s.begin, s.end);
    size_t       ld;
    const float *heads = network_output(&u->actor, &ld);
    if (u->discrete)
        policy_categorical(u, &u->next, heads, ld, s.begin, s.end);
    else
        policy_sample(u, &u->next, heads, ld, b->noise_next, u->critic_in + u->B * u->ld_in + O,
                      u->ld_in, s.begin, s.end);
}

// ---------------------------------------------------------------- step 2: values

static struct network_pass pass_of(struct update *u, struct network *const *nets, size_t rows)
{
    return (struct network_pass){.nets = nets,
                                 .n = 2,
                                 .parts = u->critic_parts,
                                 .pool = u->pool,
                                 .rows = rows,
                                 .live = u->B};
}

static void copy_rows(float *to, const struct network *net, size_t begin, size_t rows, size_t Q)
{
    size_t       ld;
    const float *from = network_output(net, &ld);
    for (size_t r = 0; r < rows; r++)
        memcpy(to + r * Q, from + (begin + r) * ld, Q * sizeof *to);
}

// CrossQ: one train-mode forward of [obs, action] and [next_obs, a'] together, no target networks
static void values_crossq(struct update *u)
{
    struct network_pass both = pass_of(u, u->critics, 2 * u->B);
    network_forward(&both, u->critic_in);
    for (int i = 0; i < 2; i++) {
        copy_rows(u->q_now[i], &u->q[i], 0, u->B, u->Q);
        copy_rows(u->q_next[i], &u->q[i], u->B, u->B, u->Q);
    }
}

// SAC: the critics at [obs, action], slowly following target networks at [next_obs, a']
static void values_sac(struct update *u)
{
    struct network_pass now = pass_of(u, u->critics, u->B);
    struct network_pass next = pass_of(u, u->targets, u->B);
    network_forward(&now, u->critic_in);
    network_forward(&next, u->critic_in + u->B * u->ld_in);
    for (int i = 0; i < 2; i++) {
        copy_rows(u->q_now[i], &u->q[i], 0, u->B, u->Q);
        copy_rows(u->q_next[i], &u->target[i], 0, u->B, u->Q);
    }
}

// ---------------------------------------------------------------- step 3: targets

// the smaller of two, or NaN if either is
static inline float smaller(float a, float b)
{
    return a < b || a != a ? a : b;
}

static void compute_targets(struct update *u)
{
    const struct batch *b = u->batch;
    for (size_t r = 0; r < u->B; r++) {
        double value;
        if (u->discrete) {
            const float *pi = u->next.raw + r * u->A, *log_pi = u->next.log_pi + r * u->A;
            value = 0;
            for (size_t j = 0; j < u->A; j++) {
                float q = (u->q_next[0][r * u->A + j] + u->q_next[1][r * u->A + j]) / 2;
                value += (double)(pi[j] * (q - u->alpha * log_pi[j]));
            }
        } else {
            float q = smaller(u->q_next[0][r], u->q_next[1][r]);
            value = (double)(q - u->alpha * u->next.log_prob[r]);
        }
        u->y[r] = (float)((double)b->reward[r] + (double)b->discount[r] * value);
    }
}

// ---------------------------------------------------------------- step 4: loss and gradients

// loss of an error e and its derivative
static inline double loss_of(enum loss_kind kind, double e, double *de)
{
    if (kind == LOSS_MSE || fabs(e) < 1) {
        double c = kind == LOSS_MSE ? 1 : 0.5;
        *de = 2 * c * e;
        return c * e * e;
    }
    *de = e < 0 ? -1 : 1;
    return fabs(e) - 0.5;
}

static size_t taken(const struct update *u, size_t r)
{
    return u->discrete ? r * u->Q + (size_t)u->batch->action[r] : r;
}

// loss of critic i; the gradient of its output, 0 but for the taken action of the batch's rows
static double critic_loss(struct update *u, int i)
{
    struct network *net = &u->q[i];
    float          *dq = network_output_gradient(net);
    bool            joint = u->spec.kind == ALGORITHM_CROSSQ;
    double          scale = u->spec.critic_loss_scale / (double)u->B, loss = 0;
    for (size_t r = 0; r < (joint ? 2 : 1) * u->B; r++)
        memset(dq + r * net->ld_d, 0, u->Q * sizeof *dq);
    for (size_t r = 0; r < u->B; r++) {
        double de, weight = scale * (double)u->batch->weight[r];
        double e = (double)u->q_now[i][taken(u, r)] - (double)u->y[r];
        loss += weight * loss_of(net->spec.loss, e, &de);
        dq[r * net->ld_d + taken(u, r) - r * u->Q] = (float)(weight * de);
    }
    return loss;
}

static void critic_losses(struct update *u, struct update_result *result)
{
    result->q1_loss = critic_loss(u, 0);
    result->q2_loss = critic_loss(u, 1);
    double mean = 0;
    for (size_t r = 0; r < u->B; r++) {
        float q1 = u->q_now[0][taken(u, r)], q2 = u->q_now[1][taken(u, r)];
        u->td[r] = fabsf((q1 < q2 ? q1 : q2) - u->y[r]);
        mean += (double)q1;
    }
    result->q_mean = mean / (double)u->B;
}

static void square_part(void *job, size_t k)
{
    struct update        *u = job;
    const struct network *net = &u->q[k / u->critic_parts];
    struct network_range  s = network_range(net->n_params, k % u->critic_parts, u->critic_parts);
    u->squares[k] = vec_sum_squares(net->grads + s.begin, s.end - s.begin);
}

static void adam_part(void *job, size_t k)
{
    struct update       *u = job;
    size_t               i = k / u->critic_parts;
    struct network      *net = &u->q[i];
    struct network_range s = network_range(net->n_params, k % u->critic_parts, u->critic_parts);
    adam_apply(&u->q_adam[i], net->params, net->grads, u->grad_scale[i], s.begin, s.end);
}

static void commit_part(void *job, size_t i)
{
    struct update *u = job;
    network_commit(&u->q[i]);
    if (u->spec.kind == ALGORITHM_SAC)
        network_commit(&u->target[i]);
    if (u->q[i].spec.weight_norm)
        network_project(&u->q[i]);
}

bool update_critics(struct update *u, struct update_result *result)
{
    bool joint = u->spec.kind == ALGORITHM_CROSSQ;
    network_eval_prepare(&u->actor);
    pool_run(u->pool, "next actions", u->row_parts, prepare_rows, u);
    if (joint)
        values_crossq(u);
    else
        values_sac(u);
    struct profile_lane *lane = pool_caller_lane(u->pool);
    double               start = profile_start(lane);
    compute_targets(u);
    critic_losses(u, result);
    profile_add(lane, "targets and loss", start);
    if (!isfinite(result->q1_loss) || !isfinite(result->q2_loss)) {
        update_explain(u, "critic loss", NULL, result);
        return false;
    }
    struct network_pass pass = pass_of(u, u->critics, (joint ? 2 : 1) * u->B);
    network_backward(&pass, false);
    pool_run(u->pool, "gradient norm", 2 * u->critic_parts, square_part, u);
    for (size_t i = 0; i < 2; i++)
        if (!update_clip(&u->q[i], u->squares + i * u->critic_parts, u->critic_parts,
                         &u->grad_scale[i])) {
            update_explain(u, i == 0 ? "gradient of q1" : "gradient of q2", &u->q[i], result);
            return false;
        }
    for (size_t i = 0; i < 2; i++)
        adam_begin(&u->q_adam[i], adam_rate(&u->q[i].spec.optim, u->progress));
    pool_run(u->pool, "adam", 2 * u->critic_parts, adam_part, u);
    pool_run(u->pool, "commit statistics", 2, commit_part, u);
    return true;
}
