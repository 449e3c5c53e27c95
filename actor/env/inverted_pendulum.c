// InvertedPendulum-v5: a cart is to hold up the pole on it.
//
//   model        inverted_pendulum.xml, RK4, 2 x 0.02 s; 1 force
//   observation  qpos, qvel: 4
//   reward       1 unless terminated
//   terminated   |angle| > 0.2; limit 1000 steps
//   start        qpos + U(-s, s), qvel + U(-s, s),  s = reset_noise_scale
//
// Source: Gymnasium 1.2.0, envs/mujoco/inverted_pendulum_v5.py.
#include "actor/env_task.h"

#include <math.h>

struct args {
    double reset_noise_scale;
};

static const struct env_arg args[] = {
    {ENV_ARG(SCALE, reset_noise_scale, 0.01)},
};

static void start(struct env *env, struct rng *rng)
{
    const struct args *p = env->args;
    noise_uniform(rng, env->sim.d->qpos, env->sim.nq, p->reset_noise_scale);
    noise_uniform(rng, env->sim.d->qvel, env->sim.nv, p->reset_noise_scale);
}

static void observe(const struct env *env, struct row *row)
{
    row_put(row, env->sim.d->qpos, env->sim.nq);
    row_put(row, env->sim.d->qvel, env->sim.nv);
}

static struct env_step step(struct env *env, const float *action)
{
    bool ok = simulator_step(&env->sim, action);
    bool fallen = fabs(env->sim.d->qpos[1]) > 0.2;
    return (struct env_step){.reward = fallen ? 0 : 1, .terminated = fallen, .broken = !ok};
}

const struct env_task inverted_pendulum_task = {
    .name = "InvertedPendulum-v5",
    .max_steps = 1000,
    .threshold = 950,
    .model = "inverted_pendulum.xml",
    .frame_skip = 2,
    .camera = {.distance = 2.04},
    ENV_TASK_ARGS,
    .start = start,
    .observe = observe,
    .step = step,
};
