#include "common/spec_bind.h"

#include <string.h>

// ------ defaults that depend on other keys

static void resolve_net(struct spec_bind *b, struct net_spec *net, const char *weight_decay)
{
    if (spec_bind_left_out(b, weight_decay) && net->optim.kind == OPTIM_ADAMW)
        net->optim.weight_decay = 0.01;
    if (net->optim.schedule == SCHEDULE_CONSTANT)
        net->optim.final_factor = 0;
}

void spec_bind_resolve(struct spec_bind *b)
{
    struct spec           *s = b->spec;
    struct algorithm_spec *a = &s->algorithm;
    if (a->training_iter == 0)
        a->training_iter = s->env.num_envs;
    if (spec_bind_left_out(b, "agent.algorithm.training_start_step"))
        a->training_start_step = s->memory.batch_size > 1000 ? s->memory.batch_size : 1000;
    if (a->policy_delay == 0)
        a->policy_delay = a->kind == ALGORITHM_CROSSQ ? 3 : 1;
    resolve_net(b, &s->actor_net, "agent.net.optim_spec.weight_decay");
    if (spec_bind_left_out(b, "agent.critic_net"))
        s->critic_net = s->actor_net;
    else
        resolve_net(b, &s->critic_net, "agent.critic_net.optim_spec.weight_decay");
    if (spec_bind_left_out(b, "agent.algorithm.alpha_beta1"))
        a->alpha_beta1 = s->actor_net.optim.beta1;
}

// ------ what must fit together

static void check_pair(struct spec_bind *b, const char *path, bool good, const char *allowed)
{
    char                    is[128];
    const struct yaml_node *node = spec_bind_at(b, path);
    if (good)
        return;
    problems_add(b->problems, spec_bind_line(b, path), path, "is %s, allowed: %s",
                 node != NULL ? yaml_describe(node, is, sizeof is) : "left out", allowed);
}

static bool has_renorm(const struct net_spec *net)
{
    for (size_t i = 0; i < net->n_layers; i++)
        if (net->layers[i].kind == LAYER_BATCH_RENORM)
            return true;
    return false;
}

static void check_task(struct spec_bind *b)
{
    const struct task_spec *task = &b->spec->env.task;
    const char             *name = b->spec->env.name;
    bool                    custom = strcmp(name, "custom") == 0;
    bool                    plugin = strcmp(name, "plugin") == 0;
    bool                    terms = task->n_observation + task->n_reward + task->n_termination > 0;
    check_pair(b, "env.model", !custom || task->model[0] != '\0',
               "a file, env.name custom needs it");
    check_pair(b, "env.observation", !custom || task->n_observation > 0,
               "a list of terms, env.name custom needs it");
    check_pair(b, "env.reward", !custom || task->n_reward > 0,
               "a list of terms, env.name custom needs it");
    check_pair(b, "env.plugin", !plugin || task->plugin[0] != '\0',
               "a file, env.name plugin needs it");
    check_pair(b, "env.model", custom || task->model[0] == '\0', "only with env.name custom");
    check_pair(b, "env.plugin", plugin || task->plugin[0] == '\0', "only with env.name plugin");
    check_pair(b, "env.name", custom || !terms,
               "custom, when there are env.observation, env.reward or env.termination");
}

void spec_bind_check(struct spec_bind *b)
{
    const struct spec *s = b->spec;
    check_pair(b, "agent.memory.batch_size", s->memory.batch_size <= s->memory.max_size,
               "at most max_size");
    check_pair(b, "agent.memory.batch_size",
               s->memory.batch_size >= 2 ||
                   !(has_renorm(&s->actor_net) || has_renorm(&s->critic_net)),
               "at least 2 rows, BatchRenorm needs them");
    check_pair(b, "agent.algorithm.log_std_min",
               s->algorithm.log_std_min < s->algorithm.log_std_max, "less than log_std_max");
    check_pair(b, "agent.algorithm.log_alpha_min",
               s->algorithm.log_alpha_min <= s->algorithm.log_alpha_max, "at most log_alpha_max");
    check_pair(b, "cluster.block_rows", s->cluster.block_rows <= s->cluster.credit_window,
               "at most cluster.credit_window");
    check_pair(b, "cluster.heartbeat_timeout_s",
               s->cluster.heartbeat_timeout_s > s->cluster.heartbeat_s,
               "more than cluster.heartbeat_s");
    check_task(b);
}
