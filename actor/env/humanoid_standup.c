// HumanoidStandup-v5: the humanoid lies on its back and is to stand up.
//
//   model        humanoidstandup.xml, RK4, PGS solver, 5 x 0.003 s; 17 torques
//   observation  as Humanoid-v5 (env/humanoid_view.h): 348
//   reward       z / timestep - ctrl_cost_weight |ctrl|^2
//                - impact_cost_weight sum(cfrc_ext^2) clipped to impact_cost_range + 1
//                (the timestep is the simulation's; uph_cost_weight is read by nobody, as there)
//   terminated   never; limit 1000 steps
//   start        qpos + U(-s, s), qvel + U(-s, s),  s = reset_noise_scale
//
// Source: Gymnasium 1.2.0, envs/mujoco/humanoidstandup_v5.py.
#include "actor/env/humanoid_view.h"

#include <math.h>

struct args {
    double uph_cost_weight, ctrl_cost_weight, impact_cost_weight;
    double reset_noise_scale, impact_cost_range[2];
    bool   exclude_current_positions_from_observation;
    bool   include_cinert_in_observation, include_cvel_in_observation;
    bool   include_qfrc_actuator_in_observation, include_cfrc_ext_in_observation;
};

static const struct env_arg args[] = {
    {ENV_ARG(WEIGHT, uph_cost_weight, 1)},
    {ENV_ARG(WEIGHT, ctrl_cost_weight, 0.1)},
    {ENV_ARG(WEIGHT, impact_cost_weight, 0.5e-6)},
    {ENV_ARG(RANGE, impact_cost_range, -INFINITY, 10)},
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

static struct env_step step(struct env *env, const float *action)
{
    const struct args *p = env->args;
    bool               ok = simulator_step(&env->sim, action);
    double             up = env->sim.d->qpos[2] / env->sim.m->opt.timestep;
    double             effort = humanoid_control_cost(env, p->ctrl_cost_weight);
    double impact = humanoid_contact_cost(env, p->impact_cost_weight, p->impact_cost_range);
    return (struct env_step){.reward = up - effort - impact + 1, .broken = !ok};
}

const struct env_task humanoid_standup_task = {
    .name = "HumanoidStandup-v5",
    .max_steps = 1000,
    .threshold = NAN,
    .model = "humanoidstandup.xml",
    .frame_skip = 5,
    .forces = true,
    ENV_TASK_ARGS,
    .start = start,
    .observe = observe,
    .step = step,
};
