#include "learner/update.h"

#include "common/blas.h"
#include "common/block.h"
#include "common/vec.h"
#include "learner/update_state.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---------------------------------------------------------------- make and free

// pieces of scratch, counted with base NULL
static float *take(char *base, size_t *used, size_t n)
{
    size_t at = *used;
    *used += block_round(n) * sizeof(float);
    return base == NULL ? NULL : (float *)(void *)(base + at);
}

static void lay_policy(struct policy_rows *p, size_t B, size_t A, char *base, size_t *used)
{
    p->std_noise = take(base, used, B * A);
    p->raw = take(base, used, B * A);
    p->log_pi = take(base, used, B * A);
    p->log_prob = take(base, used, B);
}

static size_t lay_scratch(struct update *u, char *base)
{
    size_t used = 0, B = u->B;
    u->critic_in = take(base, &used, 2 * B * u->ld_in);
    u->policy_in = take(base, &used, B * u->ld_in);
    u->obs_in = take(base, &used, B * u->ld_obs);
    u->next_obs_in = take(base, &used, B * u->ld_obs);
    lay_policy(&u->next, B, u->A, base, &used);
    lay_policy(&u->policy, B, u->A, base, &used);
    for (int i = 0; i < 2; i++) {
        u->q_now[i] = take(base, &used, B * u->Q);
        u->q_next[i] = take(base, &used, B * u->Q);
        u->policy_q[i] = take(base, &used, B);
        float *m = take(base, &used, u->q[i].n_params), *v = take(base, &used, u->q[i].n_params);
        adam_init(&u->q_adam[i], &u->q[i].spec.optim, u->q[i].n_params, m, v);
    }
    float *m = take(base, &used, u->actor.n_params), *v = take(base, &used, u->actor.n_params);
    adam_init(&u->actor_adam, &u->actor.spec.optim, u->actor.n_params, m, v);
    u->y = take(base, &used, B);
    u->td = take(base, &used, B);
    size_t parts = u->critic_parts > u->row_parts ? u->critic_parts : u->row_parts;
    u->squares = (double *)(void *)take(base, &used, 4 * parts);
    return used;
}

static int make_networks(struct update *u, const struct spec *spec, struct error *err)
{
    bool                sac = spec->algorithm.kind == ALGORITHM_SAC;
    size_t              in = u->O + (u->discrete ? 0 : u->A);
    struct network_head gaussian[] = {{"mean", u->A}, {"log_std", u->A}};
    struct network_head logits = {"logits", u->A}, out = {"out", u->Q};
    int                 code = u->discrete
                                   ? network_init(&u->actor, &spec->actor_net, u->O, &logits, 1, u->B, true, err)
                                   : network_init(&u->actor, &spec->actor_net, u->O, gaussian, 2, u->B, true, err);
    if (code != 0)
        return error_prefix(err, "agent.net");
    for (int i = 0; i < 2 && code == 0; i++) {
        code =
            network_init(&u->q[i], &spec->critic_net, in, &out, 1, (sac ? 1 : 2) * u->B, true, err);
        if (code == 0 && sac)
            code = network_init(&u->target[i], &spec->critic_net, in, &out, 1, u->B, false, err);
        u->critics[i] = &u->q[i];
        u->targets[i] = &u->target[i];
    }
    u->actors[0] = &u->actor;
    return code == 0 ? 0 : error_prefix(err, "agent.critic_net");
}

static void make_alpha(struct update *u, const struct spec *spec)
{
    const struct algorithm_spec *a = &spec->algorithm;
    struct optim_spec            optim = spec->actor_net.optim;
    optim.kind = OPTIM_ADAM;
    optim.weight_decay = 0;
    optim.beta1 = a->alpha_beta1;
    optim.lr = a->alpha_lr > 0 ? a->alpha_lr : optim.lr;
    adam_init(&u->alpha_adam, &optim, 1, &u->alpha_m, &u->alpha_v);
    u->log_alpha = (float)log(a->alpha_init);
    double A = (double)u->A;
    u->target_entropy = !isnan(a->target_entropy) ? a->target_entropy
                        : u->discrete             ? 0.6 * log(A)
                                                  : -A;
}

static void randomize(struct update *u, uint64_t seed)
{
    struct network *nets[] = {&u->actor, &u->q[0], &u->q[1]};
    for (uint64_t i = 0; i < 3; i++) {
        struct rng rng;
        rng_init(&rng, seed, RNG_INIT, i);
        network_randomize(nets[i], &rng);
    }
    for (int i = 0; i < 2 && u->spec.kind == ALGORITHM_SAC; i++)
        network_copy(&u->target[i], &u->q[i]);
}

static int build(struct update *u, const struct spec *spec, size_t threads, struct error *err)
{
    size_t B = (size_t)spec->memory.batch_size;
    u->spec = spec->algorithm;
    u->B = B;
    u->Q = u->discrete ? u->A : 1;
    u->ld_in = network_ld(u->O + (u->discrete ? 0 : u->A));
    u->ld_obs = network_ld(u->O);
    // never fewer than two pieces of rows, so that one thread and two do the same sums
    u->critic_parts = threads > 2 ? threads / 2 : 1;
    u->row_parts = threads > 2 ? threads : 2;
    u->pool = pool_make(threads, err);
    if (u->pool == NULL)
        return err->code;
    int code = make_networks(u, spec, err);
    if (code != 0)
        return code;
    u->memory_size = lay_scratch(u, NULL);
    u->memory = block_make(u->memory_size);
    if (u->memory == NULL)
        return error_set(err, ERR_MEMORY, "no memory for %zu MB of the update",
                         u->memory_size >> 20);
    lay_scratch(u, u->memory);
    make_alpha(u, spec);
    return 0;
}

struct update *update_make(const struct spec *spec, size_t O, size_t A, bool discrete,
                           size_t threads, uint64_t seed, struct error *err)
{
    assert(O > 0 && A > 0 && threads > 0 && threads <= LAYER_NORM_PARTS);
    blas_init();
    struct update *u = calloc(1, sizeof *u);
    if (u == NULL) {
        error_set(err, ERR_MEMORY, "no memory for the update");
        return NULL;
    }
    u->O = O;
    u->A = A;
    u->discrete = discrete;
    if (build(u, spec, threads, err) != 0) {
        update_free(u);
        return NULL;
    }
    randomize(u, seed);
    return u;
}

void update_free(struct update *u)
{
    if (u == NULL)
        return;
    pool_free(u->pool);
    network_free(&u->actor);
    for (int i = 0; i < 2; i++) {
        network_free(&u->q[i]);
        network_free(&u->target[i]);
    }
    block_free(u->memory, u->memory_size);
    free(u);
}

// ---------------------------------------------------------------- one update

bool update_clip(const struct network *net, const double *squares, size_t parts, float *scale)
{
    double square = 0, limit = net->spec.clip_grad_val;
    for (size_t i = 0; i < parts; i++)
        square += squares[i];
    double norm = sqrt(square);
    *scale = limit > 0 && norm > limit ? (float)(limit / (norm + 1e-6)) : 1;
    // a gradient whose square overflows would stop its parameter in Adam for good
    return square * (double)*scale * (double)*scale < (double)FLT_MAX;
}

static bool finite(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

void update_explain(const struct update *u, const char *what, const struct network *grads_of,
                    struct update_result *result)
{
    const struct batch *b = u->batch;
    const struct {
        const char  *name;
        const float *x;
        size_t       n;
    } inputs[] = {{"obs", b->obs, b->B * b->O},
                  {"action", b->action, b->B * b->W},
                  {"reward", b->reward, b->B},
                  {"discount", b->discount, b->B},
                  {"next_obs", b->next_obs, b->B * b->O},
                  {"weight", b->weight, b->B}};
    const struct network *nets[] = {&u->actor, &u->q[0], &u->q[1]};
    const char           *names[] = {"actor", "q1", "q2"};
    const char           *tensor = NULL;
    result->skipped = true;
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (!finite(inputs[i].x, inputs[i].n)) {
            snprintf(result->why, sizeof result->why, "%s: batch.%s", what, inputs[i].name);
            return;
        }
    for (size_t i = 0; i < 3; i++)
        if ((tensor = network_find_nonfinite(nets[i], false)) != NULL) {
            snprintf(result->why, sizeof result->why, "%s: %s.%s", what, names[i], tensor);
            return;
        }
    if (grads_of != NULL)
        tensor = network_find_nonfinite(grads_of, true);
    snprintf(result->why, sizeof result->why, tensor == NULL ? "%s" : "%s: %s", what, tensor);
}

void update_step(struct update *u, const struct batch *b, struct update_result *result)
{
    assert(b->B == u->B && b->O == u->O && b->W == (u->discrete ? 1 : u->A));
    unsigned state = vec_denormals_flush();
    *result = (struct update_result){.actor_loss = NAN, .alpha_loss = NAN, .entropy = NAN};
    u->batch = b;
    u->alpha = expf(u->log_alpha);
    u->count++;
    u->actor_due = u->count % u->spec.policy_delay == 0;
    if (update_critics(u, result) && u->actor_due)
        update_actor_step(u, result);
    result->alpha = exp((double)u->log_alpha);
    u->batch = NULL;
    vec_denormals_restore(state);
}

void update_set_progress(struct update *u, double fraction)
{
    u->progress = fraction;
}

size_t update_threads(const struct update *u)
{
    return pool_threads(u->pool);
}

void update_set_profile(struct update *u, struct profile *p)
{
    pool_set_profile(u->pool, p);
}

const float *update_td_error(const struct update *u)
{
    return u->td;
}

const struct network *update_actor(const struct update *u)
{
    return &u->actor;
}

uint64_t update_count(const struct update *u)
{
    return u->count;
}
