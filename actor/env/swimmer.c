// Swimmer-v5: a chain of three links in a thick fluid is to swim forward.
//
//   model        swimmer.xml, RK4, 4 x 0.01 s; 2 torques
//   observation  qpos[2:], qvel: 8
//   reward       forward_reward_weight v - ctrl_cost_weight |a|^2,  v = (x after - x before) / dt
//   terminated   never; limit 1000 steps
//   start        qpos + U(-s, s), qvel + U(-s, s),  s = reset_noise_scale
//
// Source: Gymnasium 1.2.0, envs/mujoco/swimmer_v5.py.
#include "actor/env_task.h"

struct args {
    double forward_reward_weight, ctrl_cost_weight, reset_noise_scale;
    bool   exclude_current_positions_from_observation;
};

static const struct env_arg args[] = {
    {ENV_ARG(WEIGHT, forward_reward_weight, 1)},
    {ENV_ARG(WEIGHT, ctrl_cost_weight, 1e-4)},
    {ENV_ARG(SCALE, reset_noise_scale, 0.1)},
    {ENV_ARG(FLAG, exclude_current_positions_from_observation, true)},
};

static void start(struct env *env, struct rng *rng)
{
    const struct args *p = env->args;
    noise_uniform(rng, env->sim.d->qpos, env->sim.nq, p->reset_noise_scale);
    noise_uniform(rng, env->sim.d->qvel, env->sim.nv, p->reset_noise_scale);
}

static void observe(const struct env *env, struct row *row)
{
    const struct args *p = env->args;
    size_t             skip = p->exclude_current_positions_from_observation ? 2 : 0;
    row_put(row, env->sim.d->qpos + skip, env->sim.nq - skip);
    row_put(row, env->sim.d->qvel, env->sim.nv);
}

static struct env_step step(struct env *env, const float *action)
{
    const struct args *p = env->args;
    const double      *x = &env->sim.d->qpos[0];
    double             before = *x;
    bool               ok = simulator_step(&env->sim, action);
    double             velocity = (*x - before) / env->sim.dt;
    return (struct env_step){
        .reward = p->forward_reward_weight * velocity -
                  control_cost(p->ctrl_cost_weight, action, env->info.action),
        .broken = !ok,
    };
}

const struct env_task swimmer_task = {
    .name = "Swimmer-v5",
    .max_steps = 1000,
    .threshold = 360,
    .model = "swimmer.xml",
    .frame_skip = 4,
    ENV_TASK_ARGS,
    .start = start,
    .observe = observe,
    .step = step,
};
