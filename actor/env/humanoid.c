// Humanoid-v5: a robot with two legs and two arms is to walk forward without falling.
//
//   model        humanoid.xml, RK4, PGS solver, 5 x 0.003 s; 17 torques
//   observation  qpos[2:], qvel, cinert, cvel, qfrc_actuator, cfrc_ext (env/humanoid_view.h): 348
//   reward       forward_reward_weight v + healthy_reward if healthy - ctrl_cost_weight |ctrl|^2
//                - contact_cost_weight sum(cfrc_ext^2) clipped to contact_cost_range,
//                v = (x after - x before) / dt of the centre of mass, which lags
//   healthy      z strictly within healthy_z_range
//   terminated   unless healthy; limit 1000 steps
//   start        qpos + U(-s, s), qvel + U(-s, s),  s = reset_noise_scale
//
// Source: Gymnasium 1.2.0, envs/mujoco/humanoid_v5.py.
#include "actor/env/humanoid_view.h"

#include <math.h>

struct args {
    double forward_reward_weight, ctrl_cost_weight, contact_cost_weight, healthy_reward;
    double reset_noise_scale, contact_cost_range[2], healthy_z_range[2];
    bool   terminate_when_unhealthy, exclude_current_positions_from_observation;
    bool   include_cinert_in_observation, include_cvel_in_observation;
    bool   include_qfrc_actuator_in_observation, include_cfrc_ext_in_observation;
};

static const struct env_arg args[] = {
    {ENV_ARG(WEIGHT, forward_reward_weight, 1.25)},
    {ENV_ARG(WEIGHT, ctrl_cost_weight, 0.1)},
    {ENV_ARG(WEIGHT, contact_cost_weight, 5e-7)},
    {ENV_ARG(RANGE, contact_cost_range, -INFINITY, 10)},
    {ENV_ARG(WEIGHT, healthy_reward, 5)},
    {ENV_ARG(FLAG, terminate_when_unhealthy, true)},
    {ENV_ARG(RANGE, healthy_z_range, 1, 2)},
    {ENV_ARG(SCALE, reset_noise_scale, 1e-2)},
    {ENV_ARG(FLAG, exclude_current_positions_from_observation, true)},
    {ENV_ARG(FLAG, include_cinert_in_observation, true)},
    {ENV_ARG(FLAG, include_cvel_in_observation, true)},
    {ENV_ARG(FLAG, include_qfrc_actuator_in_observation, true)},
    {ENV_ARG(FLAG, include_cfrc_ext_in_observation, true)},
};

static void start(struct env *env, struct rng *rng)
{
    const struct args *p = env->args;
    noise_uniform(rng, env->sim.d->qpos, env->sim.nq, p->reset_noise_scale);
    noise_uniform(rng, env->sim.d->qvel, env->sim.nv, p->reset_noise_scale);
}

static void observe(const struct env *env, struct row *row)
{
    const struct args   *p = env->args;
    struct humanoid_view view = {
        .exclude_positions = p->exclude_current_positions_from_observation,
        .cinert = p->include_cinert_in_observation,
        .cvel = p->include_cvel_in_observation,
        .qfrc_actuator = p->include_qfrc_actuator_in_observation,
        .cfrc_ext = p->include_cfrc_ext_in_observation,
    };
    humanoid_observe(env, view, row);
}

// x of the centre of mass of all bodies
static double mass_center(const struct env *env)
{
    double sum = 0, mass = 0;
    for (size_t i = 0; i < env->sim.nbody; i++) {
        sum += env->sim.m->body_mass[i] * env->sim.d->xipos[3 * i];
        mass += env->sim.m->body_mass[i];
    }
    return sum / mass;
}

static struct env_step step(struct env *env, const float *action)
{
    const struct args *p = env->args;
    double             before = mass_center(env);
    bool               ok = simulator_step(&env->sim, action);
    double             velocity = (mass_center(env) - before) / env->sim.dt;
    bool               healthy = inside(env->sim.d->qpos[2], p->healthy_z_range);
    double gain = p->forward_reward_weight * velocity + (healthy ? p->healthy_reward : 0);
    double cost = humanoid_control_cost(env, p->ctrl_cost_weight) +
                  humanoid_contact_cost(env, p->contact_cost_weight, p->contact_cost_range);
    return (struct env_step){
        .reward = gain - cost,
        .terminated = !healthy && p->terminate_when_unhealthy,
        .broken = !ok,
    };
}

const struct env_task humanoid_task = {
    .name = "Humanoid-v5",
    .max_steps = 1000,
    .threshold = NAN,
    .model = "humanoid.xml",
    .frame_skip = 5,
    .forces = true,
    ENV_TASK_ARGS,
    .start = start,
    .observe = observe,
    .step = step,
};
