// Ant-v5: a robot with four legs is to run forward without falling.
//
//   model        ant.xml, RK4, 5 x 0.01 s; 8 torques
//   observation  qpos[2:], qvel, contact forces without the world's: 105
//   forces       cfrc_ext (bodies x 6), each clipped to contact_force_range
//   reward       forward_reward_weight v + healthy_reward if healthy - ctrl_cost_weight |a|^2
//                - contact_cost_weight sum(forces^2),
//                v = (x after - x before) / dt of the frame of body main_body, which lags
//   healthy      all finite, z within healthy_z_range
//   terminated   unless healthy; limit 1000 steps
//   start        qpos + U(-s, s), qvel + s N(0, 1),  s = reset_noise_scale
//
// Source: Gymnasium 1.2.0, envs/mujoco/ant_v5.py.
#include "actor/env_task.h"

#include <math.h>

struct args {
    double forward_reward_weight, ctrl_cost_weight, contact_cost_weight, healthy_reward;
    double main_body, reset_noise_scale;
    double healthy_z_range[2], contact_force_range[2];
    bool   terminate_when_unhealthy, exclude_current_positions_from_observation;
    bool   include_cfrc_ext_in_observation;
};

static const struct env_arg args[] = {
    {ENV_ARG(WEIGHT, forward_reward_weight, 1)},
    {ENV_ARG(WEIGHT, ctrl_cost_weight, 0.5)},
    {ENV_ARG(WEIGHT, contact_cost_weight, 5e-4)},
    {ENV_ARG(WEIGHT, healthy_reward, 1)},
    {ENV_ARG(SCALE, main_body, 1)},
    {ENV_ARG(FLAG, terminate_when_unhealthy, true)},
    {ENV_ARG(RANGE, healthy_z_range, 0.2, 1)},
    {ENV_ARG(RANGE, contact_force_range, -1, 1)},
    {ENV_ARG(SCALE, reset_noise_scale, 0.1)},
    {ENV_ARG(FLAG, exclude_current_positions_from_observation, true)},
    {ENV_ARG(FLAG, include_cfrc_ext_in_observation, true)},
};

static int open(struct env *env, const struct spec *spec, struct error *err)
{
    const struct args *p = env->args;
    if (p->main_body >= (double)env->sim.m->nbody || p->main_body != floor(p->main_body))
        return error_set(err, ERR_SPEC, "%s: env.kwargs.main_body: allowed: 0 to %d", spec->file,
                         (int)env->sim.m->nbody - 1);
    return 0;
}

static void start(struct env *env, struct rng *rng)
{
    const struct args *p = env->args;
    noise_uniform(rng, env->sim.d->qpos, env->sim.nq, p->reset_noise_scale);
    noise_normal(rng, env->sim.d->qvel, env->sim.nv, p->reset_noise_scale);
}

static void observe(const struct env *env, struct row *row)
{
    const struct args *p = env->args;
    const mjData      *d = env->sim.d;
    const double      *range = p->contact_force_range;
    size_t             skip = p->exclude_current_positions_from_observation ? 2 : 0;
    row_put(row, d->qpos + skip, env->sim.nq - skip);
    row_put(row, d->qvel, env->sim.nv);
    if (p->include_cfrc_ext_in_observation)
        row_put_clipped(row, d->cfrc_ext + 6, 6 * (env->sim.nbody - 1), range[0], range[1]);
}

static bool is_healthy(const struct env *env)
{
    const struct args *p = env->args;
    const mjData      *d = env->sim.d;
    bool healthy = p->healthy_z_range[0] <= d->qpos[2] && d->qpos[2] <= p->healthy_z_range[1];
    for (size_t i = 0; i < env->sim.nq; i++)
        healthy &= isfinite(d->qpos[i]) != 0;
    for (size_t i = 0; i < env->sim.nv; i++)
        healthy &= isfinite(d->qvel[i]) != 0;
    return healthy;
}

static struct env_step step(struct env *env, const float *action)
{
    const struct args *p = env->args;
    const double      *range = p->contact_force_range;
    const double      *x = env->sim.d->xpos + 3 * (size_t)p->main_body;
    double             before = *x;
    bool               ok = simulator_step(&env->sim, action);
    double             velocity = (*x - before) / env->sim.dt;
    bool               healthy = is_healthy(env);
    double contact = sum_squares(env->sim.d->cfrc_ext, 6 * env->sim.nbody, range[0], range[1]);
    double gain = velocity * p->forward_reward_weight + (healthy ? p->healthy_reward : 0);
    double cost = control_cost(p->ctrl_cost_weight, action, env->info.action) +
                  p->contact_cost_weight * contact;
    return (struct env_step){
        .reward = gain - cost,
        .terminated = !healthy && p->terminate_when_unhealthy,
        .broken = !ok,
    };
}

const struct env_task ant_task = {
    .name = "Ant-v5",
    .max_steps = 1000,
    .threshold = 6000,
    .model = "ant.xml",
    .frame_skip = 5,
    .forces = true,
    ENV_TASK_ARGS,
    .open = open,
    .start = start,
    .observe = observe,
    .step = step,
};
