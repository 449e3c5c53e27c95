#include "actor/rollout.h"

#include "common/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// one block for all arrays
static int arrays_make(struct rollout *r, struct error *err)
{
    size_t sizes[] = {
        r->M * r->O, r->O, r->M * r->W, r->A, 2 * r->M * r->A, r->M * r->n_step * r->shape.words};
    float **arrays[] = {&r->obs, &r->next, &r->action, &r->scaled, &r->outputs, &r->rows};
    size_t  total = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        total += sizes[i];
    r->block = calloc(total, sizeof(float));
    r->envs = calloc(r->M, sizeof *r->envs);
    r->episodes = calloc(r->M, sizeof *r->episodes);
    if (r->block == NULL || r->envs == NULL || r->episodes == NULL)
        return error_set(err, ERR_MEMORY, "no memory for %zu environments", r->M);
    float *at = r->block;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        *arrays[i] = at;
        at += sizes[i];
    }
    return 0;
}

int rollout_init(struct rollout *r, const struct spec *spec, size_t M, struct error *err)
{
    assert(M >= 1);
    *r = (struct rollout){.M = M, .n_step = (size_t)spec->algorithm.n_step};
    struct env *first = env_make(spec, err);
    if (first == NULL)
        return err->code;
    const struct env_info *info = env_info(first);
    r->O = info->obs;
    r->A = info->action;
    r->W = info->discrete ? 1 : info->action;
    r->shape = row_shape_make(r->O, r->W);
    int rc = arrays_make(r, err);
    if (rc < 0) {
        env_free(first);
        rollout_free(r);
        return rc;
    }
    for (size_t i = 0; rc == 0 && i < M; i++) {
        struct rollout_env *e = &r->envs[i];
        e->env = i == 0 ? first : env_copy(first, err);
        rc = e->env == NULL
                 ? err->code
                 : window_init(&e->window, r->shape, r->n_step, spec->algorithm.gamma, err);
    }
    if (rc < 0)
        rollout_free(r);
    return rc;
}

void rollout_free(struct rollout *r)
{
    for (size_t i = 0; r->envs != NULL && i < r->M; i++) {
        env_free(r->envs[i].env);
        window_free(&r->envs[i].window);
    }
    free(r->envs);
    free(r->episodes);
    free(r->block);
    *r = (struct rollout){0};
}

const struct env_info *rollout_info(const struct rollout *r)
{
    return env_info(r->envs[0].env);
}

static void episode_start(struct rollout *r, size_t i)
{
    struct rollout_env *e = &r->envs[i];
    e->ret = 0;
    e->length = 0;
    e->started = clock_now();
    env_reset(e->env, &e->rng, r->obs + i * r->O);
}

void rollout_restart(struct rollout *r, uint64_t seed, uint64_t slot, uint64_t epoch)
{
    // an epoch is a seed of its own, drawn from the run's
    struct rng streams;
    rng_init(&streams, seed, RNG_ENV, epoch);
    uint64_t own = rng_next(&streams);
    rng_init(&r->policy_rng, own, RNG_POLICY, slot);
    rng_init(&r->uniform_rng, own, RNG_WARMUP, slot);
    for (size_t i = 0; i < r->M; i++) {
        rng_init(&r->envs[i].rng, own, RNG_ENV, slot << 32 | i);
        window_reset(&r->envs[i].window);
        episode_start(r, i);
    }
}

static void act_uniform(struct rollout *r, bool discrete)
{
    for (size_t i = 0; i < r->M * r->W; i++)
        r->action[i] = discrete ? (float)rng_below(&r->uniform_rng, r->A)
                                : (float)rng_range(&r->uniform_rng, -1.0, 1.0);
}

// steps environment i with the action that is in place
static void env_advance(struct rollout *r, size_t i, const struct env_info *info, uint32_t version)
{
    struct rollout_env *e = &r->envs[i];
    float              *obs = r->obs + i * r->O, *action = r->action + i * r->W;
    if (!info->discrete)
        env_scale_action(info, r->scaled, action);
    struct env_step step = env_step(e->env, info->discrete ? action : r->scaled, r->next);
    if (step.broken) {
        r->broken++;
        window_reset(&e->window);
        episode_start(r, i);
        return;
    }
    e->ret += step.reward;
    e->length++;
    r->n_rows += window_step(&e->window, r->rows + r->n_rows * r->shape.words, obs, action,
                             step.reward, r->next, step.terminated, step.truncated, version);
    memcpy(obs, r->next, r->O * sizeof *obs);
    if (step.terminated || step.truncated) {
        r->episodes[r->n_episodes++] =
            (struct episode){e->ret, (uint32_t)e->length, (float)(clock_now() - e->started)};
        episode_start(r, i);
    }
}

void rollout_step(struct rollout *r, struct policy *policy, uint32_t version)
{
    const struct env_info *info = rollout_info(r);
    r->n_rows = 0;
    r->n_episodes = 0;
    if (policy == NULL)
        act_uniform(r, info->discrete);
    else
        policy_act(policy, r->action, r->outputs, r->obs, r->M, &r->policy_rng);
    for (size_t i = 0; i < r->M; i++)
        env_advance(r, i, info, policy == NULL ? 0 : version);
}
