#include "actor/bench_env.h"

#include "actor/env_task.h"
#include "actor/rollout.h"
#include "common/clock.h"
#include "common/policy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { POOL = 4096, BENCH_ENVS = 16 };
static const double slice_seconds = 0.05;

struct bench {
    size_t            N;  // environments
    struct env      **envs;
    struct simulator *bare;  // (N)  MuJoCo tasks
    struct rng        rng;
    float            *actions;  // (POOL, W)  used in turn
    float            *obs;      // (N, O)
    size_t            W;
    size_t            rounds;  // steps of each environment in a slice
    size_t            begin;   // steps before this slice, for the turn of actions
    // resets of the last slice of env
    size_t  n_resets, state_size;
    size_t *reset_at;     // (rounds N)  step of the slice
    double *reset_state;  // (rounds N, state_size)
};

// ------ making

static void bench_free(struct bench *b)
{
    for (size_t i = 0; i < b->N; i++) {
        if (b->bare != NULL)
            simulator_free(&b->bare[i]);
        if (b->envs != NULL)
            env_free(b->envs[i]);
    }
    free(b->envs);
    free(b->bare);
    free(b->actions);
    free(b->obs);
    free(b->reset_at);
    free(b->reset_state);
}

static int make_envs(struct bench *b, const struct spec *spec, struct error *err)
{
    int rc = 0;
    b->envs = calloc(b->N, sizeof(struct env *));
    b->bare = calloc(b->N, sizeof *b->bare);
    if (b->envs == NULL || b->bare == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a benchmark");
    for (size_t i = 0; rc == 0 && i < b->N; i++) {
        b->envs[i] = i == 0 ? env_make(spec, err) : env_copy(b->envs[0], err);
        if (b->envs[i] == NULL)
            return err->code;
        if (b->envs[0]->sim.m != NULL)
            rc = simulator_copy(&b->bare[i], &b->envs[0]->sim, err);
    }
    return rc;
}

// uniform actions within the bounds, or choices
static void fill_actions(struct bench *b)
{
    const struct env_info *info = env_info(b->envs[0]);
    for (size_t i = 0; i < POOL; i++)
        for (size_t k = 0; k < b->W; k++)
            b->actions[i * b->W + k] = info->discrete
                                           ? (float)rng_below(&b->rng, info->action)
                                           : (float)rng_range(&b->rng, info->low[k], info->high[k]);
}

static const float *action_of(const struct bench *b, size_t step, size_t env)
{
    return b->actions + ((b->begin + step) * 31 + env * 257) % POOL * b->W;
}

static void reset(struct bench *b, size_t i)
{
    env_reset(b->envs[i], &b->rng, b->obs + i * env_info(b->envs[i])->obs);
}

static int bench_init(struct bench *b, const char *task, size_t envs, struct error *err)
{
    struct spec spec = {0};
    *b = (struct bench){.N = envs};
    snprintf(spec.env.name, sizeof spec.env.name, "%s", task);
    int rc = make_envs(b, &spec, err);
    if (rc < 0)
        return rc;
    const struct env_info *info = env_info(b->envs[0]);
    b->W = info->discrete ? 1 : info->action;
    b->state_size = env_state_size(b->envs[0]);
    b->actions = calloc(POOL * b->W, sizeof *b->actions);
    b->obs = calloc(b->N * info->obs, sizeof *b->obs);
    if (b->actions == NULL || b->obs == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a benchmark");
    rng_init(&b->rng, 1, RNG_TEST, 0);
    fill_actions(b);
    return 0;
}

// ------ slices

static double run_env(struct bench *b)
{
    double start = clock_thread(), resets = 0;
    size_t O = env_info(b->envs[0])->obs;
    b->n_resets = 0;
    for (size_t t = 0; t < b->rounds; t++)
        for (size_t i = 0; i < b->N; i++) {
            struct env_step s = env_step(b->envs[i], action_of(b, t, i), b->obs + i * O);
            if (!s.terminated && !s.truncated && !s.broken)
                continue;
            double before = clock_thread();
            reset(b, i);
            env_get_state(b->envs[i], b->reset_state + b->n_resets * b->state_size);
            b->reset_at[b->n_resets++] = t * b->N + i;
            resets += clock_thread() - before;
        }
    return clock_thread() - start - resets;
}

static void put_state(struct simulator *s, const double *state)
{
    mj_resetData(s->m, s->d);
    memcpy(s->d->qpos, state, s->nq * sizeof *state);
    memcpy(s->d->qvel, state + s->nq, s->nv * sizeof *state);
    mj_forward(s->m, s->d);
}

static void bare_step(struct simulator *s, const float *action)
{
    for (size_t k = 0; k < s->nu; k++)
        s->d->ctrl[k] = (double)action[k];
    for (int k = 0; k < s->frame_skip; k++)
        mj_step(s->m, s->d);
    mj_rnePostConstraint(s->m, s->d);
}

static double run_bare(struct bench *b)
{
    double start = clock_thread(), resets = 0;
    size_t next = 0;
    for (size_t t = 0; t < b->rounds; t++)
        for (size_t i = 0; i < b->N; i++) {
            bare_step(&b->bare[i], action_of(b, t, i));
            if (next == b->n_resets || b->reset_at[next] != t * b->N + i)
                continue;
            double before = clock_thread();
            put_state(&b->bare[i], b->reset_state + next++ * b->state_size);
            resets += clock_thread() - before;
        }
    return clock_thread() - start - resets;
}

static double run_actor(struct bench *b, struct rollout *r, struct policy *policy)
{
    double start = clock_thread();
    for (size_t t = 0; t < b->rounds; t++)
        rollout_step(r, policy, 1);
    return clock_thread() - start;
}

// ------ measuring

// how many rounds make a slice, and memory for as many resets as may be in it
static int calibrate(struct bench *b, struct error *err)
{
    double start = clock_thread(), spent = 0;
    size_t O = env_info(b->envs[0])->obs, n = 0;
    for (size_t i = 0; i < b->N; i++)
        reset(b, i);
    for (; spent < slice_seconds / 4; n++) {
        for (size_t i = 0; i < b->N; i++)
            env_step(b->envs[i], action_of(b, n, i), b->obs + i * O);
        spent = clock_thread() - start;
    }
    b->rounds = 1 + (size_t)(slice_seconds / spent * (double)n);
    b->reset_at = calloc(b->rounds * b->N, sizeof *b->reset_at);
    b->reset_state = calloc(b->rounds * b->N * b->state_size, sizeof *b->reset_state);
    if (b->reset_at == NULL || b->reset_state == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a benchmark");
    return 0;
}

// the env run and the bare run begin in the same states
static void start_alike(struct bench *b)
{
    for (size_t i = 0; i < b->N; i++) {
        reset(b, i);
        env_get_state(b->envs[i], b->reset_state);
        if (b->bare[i].m != NULL)
            put_state(&b->bare[i], b->reset_state);
    }
}

static int check_same_ends(const struct bench *b, struct error *err)
{
    for (size_t i = 0; i < b->N && b->bare[i].m != NULL; i++)
        if (memcmp(b->bare[i].d->qpos, b->envs[i]->sim.d->qpos, b->bare[i].nq * sizeof(double)) !=
            0)
            return error_set(err, ERR_NUMERIC, "the bare run left the states of the env run");
    return 0;
}

static int make_policy(struct policy *policy, const struct bench *b, struct rng *rng,
                       struct error *err)
{
    const struct env_info       *info = env_info(b->envs[0]);
    static const struct net_spec net = {
        .n_layers = 4,
        .layers = {{.kind = LAYER_LINEAR, .out = 256},
                   {.kind = LAYER_RELU},
                   {.kind = LAYER_LINEAR, .out = 256},
                   {.kind = LAYER_RELU}},
    };
    int rc = policy_init(policy, &net, info->obs, info->action, info->discrete, -5, 2, b->N, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < policy->n_floats; i++)
        policy->floats[i] = (float)rng_range(rng, -0.05, 0.05);
    // actions that do not depend on the state and are spread almost uniformly, so that the physics is
    // that of the other two runs
    struct policy_layer *head = &policy->layer[policy->n_layers - 1];
    memset(head->weight, 0, head->in * head->out * sizeof *head->weight);
    for (size_t i = 0; i < head->out; i++)
        head->bias[i] = i < head->out / 2 || policy->discrete ? 0 : -0.1f;
    return 0;
}

static int make_actor(struct rollout *r, struct policy *policy, struct bench *b, struct error *err)
{
    struct spec spec = {.algorithm = {.n_step = 1, .gamma = 0.99}};
    snprintf(spec.env.name, sizeof spec.env.name, "%s", env_info(b->envs[0])->name);
    int rc = rollout_init(r, &spec, b->N, err);
    if (rc == 0)
        rc = make_policy(policy, b, &b->rng, err);
    if (rc == 0)
        rollout_restart(r, 1, 0, 0);
    return rc;
}

static int measure(struct bench_env *result, struct bench *b, struct rollout *r,
                   struct policy *policy, double seconds, struct error *err)
{
    double env = 0, bare = 0, actor = 0, steps = 0;
    start_alike(b);
    while (env < seconds) {
        env += run_env(b);
        if (b->bare[0].m != NULL)
            bare += run_bare(b);
        if (policy != NULL)
            actor += run_actor(b, r, policy);
        b->begin += b->rounds;
        steps += (double)(b->rounds * b->N);
    }
    result->env = steps / env;
    result->bare = bare > 0 ? steps / bare : NAN;
    result->actor = actor > 0 ? steps / actor : NAN;
    return check_same_ends(b, err);
}

int bench_env_measure(struct bench_env *result, const char *task, size_t envs, double seconds,
                      bool actor, struct error *err)
{
    struct bench   b;
    struct rollout r = {0};
    struct policy  policy = {0};
    int            rc = bench_init(&b, task, envs, err);
    if (rc == 0)
        rc = calibrate(&b, err);
    if (rc == 0 && actor)
        rc = make_actor(&r, &policy, &b, err);
    if (rc == 0)
        rc = measure(result, &b, &r, actor ? &policy : NULL, seconds, err);
    rollout_free(&r);
    policy_free(&policy);
    bench_free(&b);
    return rc;
}

// ------ printing

// null, JSON's way, where there is no such number
static void print_rate(FILE *out, const char *key, double rate)
{
    if (isnan(rate))
        fprintf(out, ",\"%s\":null", key);
    else
        fprintf(out, ",\"%s\":%.1f", key, rate);
}

static int print_task(FILE *out, const char *task, double seconds, struct error *err)
{
    struct bench_env b;
    int              rc = bench_env_measure(&b, task, BENCH_ENVS, seconds, true, err);
    if (rc < 0)
        return rc;
    fprintf(out, "{\"bench\":\"env\",\"task\":\"%s\",\"envs\":%d", task, (int)BENCH_ENVS);
    print_rate(out, "env_steps_per_s", b.env);
    print_rate(out, "bare_mujoco_steps_per_s", b.bare);
    print_rate(out, "actor_steps_per_s", b.actor);
    fprintf(out, "}\n");
    fflush(out);
    return 0;
}

int bench_env_print(FILE *out, const char *tasks, double seconds, struct error *err)
{
    static const char mujoco_tasks[] =
        "HalfCheetah-v5 Hopper-v5 Walker2d-v5 Ant-v5 Humanoid-v5 HumanoidStandup-v5 Swimmer-v5 "
        "Reacher-v5 Pusher-v5 InvertedPendulum-v5 InvertedDoublePendulum-v5";
    const char *at = tasks != NULL && tasks[0] != '\0' ? tasks : mujoco_tasks;
    int         rc = 0;
    for (at += strspn(at, " "); rc == 0 && *at != '\0'; at += strspn(at, " ")) {
        char   task[64];
        size_t n = strcspn(at, " ");
        snprintf(task, sizeof task, "%.*s", (int)n, at);
        rc = print_task(out, task, seconds, err);
        at += n;
    }
    return rc;
}
