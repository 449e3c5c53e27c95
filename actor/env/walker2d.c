// Walker2d-v5: a planar robot with two legs is to walk forward without falling.
//
//   model        walker2d_v5.xml, RK4, 4 x 0.002 s; 6 torques
//   observation  qpos[1:], qvel clipped to +-10: 17
//   reward       forward_reward_weight v + healthy_reward if healthy - ctrl_cost_weight |a|^2,
//                v = (x after - x before) / dt
//   healthy      z and angle strictly within healthy_z_range and healthy_angle_range
//   terminated   unless healthy; limit 1000 steps
//   start        qpos + U(-s, s), qvel + U(-s, s),  s = reset_noise_scale
//
// Source: Gymnasium 1.2.0, envs/mujoco/walker2d_v5.py.
#include "actor/env_task.h"

#include <math.h>

struct args {
    double forward_reward_weight, ctrl_cost_weight, healthy_reward, reset_noise_scale;
    double healthy_z_range[2], healthy_angle_range[2];
    bool   terminate_when_unhealthy, exclude_current_positions_from_observation;
};

static const struct env_arg args[] = {
    {ENV_ARG(WEIGHT, forward_reward_weight, 1)},
    {ENV_ARG(WEIGHT, ctrl_cost_weight, 1e-3)},
    {ENV_ARG(WEIGHT, healthy_reward, 1)},
    {ENV_ARG(FLAG, terminate_when_unhealthy, true)},
    {ENV_ARG(RANGE, healthy_z_range, 0.8, 2)},
    {ENV_ARG(RANGE, healthy_angle_range, -1, 1)},
    {ENV_ARG(SCALE, reset_noise_scale, 5e-3)},
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
    size_t             skip = p->exclude_current_positions_from_observation ? 1 : 0;
    row_put(row, env->sim.d->qpos + skip, env->sim.nq - skip);
    row_put_clipped(row, env->sim.d->qvel, env->sim.nv, -10, 10);
}

static bool is_healthy(const struct env *env)
{
    const struct args *p = env->args;
    const double      *qpos = env->sim.d->qpos;
    return inside(qpos[1], p->healthy_z_range) && inside(qpos[2], p->healthy_angle_range);
}

static struct env_step step(struct env *env, const float *action)
{
    const struct args *p = env->args;
    const double      *x = &env->sim.d->qpos[0];
    double             before = *x;
    bool               ok = simulator_step(&env->sim, action);
    double             velocity = (*x - before) / env->sim.dt;
    bool               healthy = is_healthy(env);
    return (struct env_step){
        .reward = p->forward_reward_weight * velocity + (healthy ? p->healthy_reward : 0) -
                  control_cost(p->ctrl_cost_weight, action, env->info.action),
        .terminated = !healthy && p->terminate_when_unhealthy,
        .broken = !ok,
    };
}

const struct env_task walker2d_task = {
    .name = "Walker2d-v5",
    .max_steps = 1000,
    .threshold = NAN,
    .model = "walker2d_v5.xml",
    .frame_skip = 4,
    ENV_TASK_ARGS,
    .start = start,
    .observe = observe,
    .step = step,
};
