#include "actor/play.h"

#include <stdlib.h>

int play_fits(const struct env_info *env, const struct policy *policy, struct error *err)
{
    if (env->obs == policy->O && env->action == policy->A && env->discrete == policy->discrete)
        return 0;
    return error_set(err, ERR_VERSION,
                     "the policy is for %zu observations and %zu %s, %s has %zu and %zu %s",
                     policy->O, policy->A, policy->discrete ? "choices" : "actions", env->name,
                     env->obs, env->action, env->discrete ? "choices" : "actions");
}

int play_init(struct play *p, struct env *env, struct policy *policy, struct error *err)
{
    *p = (struct play){.env = env, .policy = policy};
    p->obs = calloc(policy->O + 3 * policy->A, sizeof *p->obs);
    if (p->obs == NULL)
        return error_set(err, ERR_MEMORY, "no memory to play %s", env_info(env)->name);
    p->action = p->obs + policy->O;
    p->outputs = p->action + policy->A;
    return 0;
}

void play_free(struct play *p)
{
    free(p->obs);
    *p = (struct play){0};
}

struct play_result play_episode(struct play *p, uint64_t seed, uint64_t episode,
                                bool (*step)(void *context), void *context)
{
    const struct env_info *info = env_info(p->env);
    struct play_result     result = {0};
    struct env_step        now = {0};
    struct rng             rng;
    rng_init(&rng, seed, RNG_EVAL, episode);
    env_reset(p->env, &rng, p->obs);
    while (!(now.terminated || now.truncated) && (step == NULL || step(context))) {
        policy_act(p->policy, p->action, p->outputs, p->obs, 1, NULL);
        if (!info->discrete)
            env_scale_action(info, p->action, p->action);
        now = env_step(p->env, p->action, p->obs);
        if (now.broken)
            break;
        result.ret += now.reward;
        result.length++;
    }
    return result;
}
