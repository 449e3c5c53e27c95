// A fixed number of actor steps, for an instruction counter: four environments behind one policy, as an
// actor runs them. tests/bench/check.sh counts what happens inside count_steps.
#include "actor/env.h"
#include "common/blas.h"
#include "common/policy.h"
#include "common/rng.h"

#include <stdio.h>
#include <stdlib.h>

#define ENVS 4
#define STEPS 50
#define MOST 64  // observations or actions of the task

struct actor {
    struct env   *env[ENVS];
    struct policy policy;
    float         obs[ENVS * MOST], action[ENVS * MOST], scratch[ENVS * 2 * MOST];
    struct rng    rng;
};

// not inlined: the counter starts and stops at its borders
__attribute__((noinline)) void count_steps(struct actor *a, size_t steps);

void count_steps(struct actor *a, size_t steps)
{
    const struct env_info *info = env_info(a->env[0]);
    for (size_t k = 0; k < steps; k++) {
        policy_act(&a->policy, a->action, a->scratch, a->obs, ENVS, &a->rng);
        for (size_t i = 0; i < ENVS; i++) {
            float *action = a->action + i * info->action;
            env_scale_action(info, action, action);
            struct env_step step = env_step(a->env[i], action, a->obs + i * info->obs);
            if (step.terminated || step.truncated || step.broken)
                env_reset(a->env[i], &a->rng, a->obs + i * info->obs);
        }
    }
}

static int make(struct actor *a, struct error *err)
{
    static struct spec spec = {.env = {.name = "HalfCheetah-v5"}};
    struct net_spec    net = {.n_layers = 4};
    for (size_t i = 0; i < 4; i++)
        net.layers[i] = (struct layer_spec){.kind = i % 2 == 0 ? LAYER_LINEAR : LAYER_RELU,
                                            .out = i % 2 == 0 ? 256 : 0};
    rng_init(&a->rng, 1, RNG_TEST, 0);
    for (size_t i = 0; i < ENVS; i++) {
        a->env[i] = i == 0 ? env_make(&spec, err) : env_copy(a->env[0], err);
        if (a->env[i] == NULL)
            return err->code;
        env_reset(a->env[i], &a->rng, a->obs + i * env_info(a->env[i])->obs);
    }
    const struct env_info *info = env_info(a->env[0]);
    int                    code =
        policy_init(&a->policy, &net, info->obs, info->action, info->discrete, -5, 2, ENVS, err);
    for (size_t i = 0; code == 0 && i < a->policy.n_floats; i++)
        a->policy.floats[i] = (float)rng_range(&a->rng, -0.05, 0.05);
    return code;
}

int main(void)
{
    static struct actor a;
    struct error        err = {0};
    blas_init();
    int code = make(&a, &err);
    if (code == 0)
        count_steps(&a, STEPS);
    else
        fprintf(stderr, "count_step: %s\n", err.text);
    policy_free(&a.policy);
    for (size_t i = 0; i < ENVS; i++)
        env_free(a.env[i]);
    return code == 0 ? 0 : 1;
}
