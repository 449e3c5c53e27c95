// InvertedDoublePendulum-v5: a cart is to hold up a pole on top of a pole.
//
//   model        inverted_double_pendulum.xml, RK4, 5 x 0.01 s; 1 force
//   observation  x, sin of both angles, cos of both, qvel clipped to +-10, the constraint force on
//                the cart clipped to +-10: 9
//   reward       healthy_reward unless terminated - 0.01 x^2 - (y - 2)^2 - 0.001 w1^2 - 0.005 w2^2,
//                x and y of the tip, which lags; w the poles' speeds, not clipped
//   terminated   y <= 1; limit 1000 steps
//   start        qpos + U(-s, s), qvel + s N(0, 1),  s = reset_noise_scale
//
// Source: Gymnasium 1.2.0, envs/mujoco/inverted_double_pendulum_v5.py.
#include "actor/env_task.h"

#include <math.h>

struct args {
    double healthy_reward, reset_noise_scale;
};

static const struct env_arg args[] = {
    {ENV_ARG(WEIGHT, healthy_reward, 10)},
    {ENV_ARG(SCALE, reset_noise_scale, 0.1)},
};

static void start(struct env *env, struct rng *rng)
{
    const struct args *p = env->args;
    noise_uniform(rng, env->sim.d->qpos, env->sim.nq, p->reset_noise_scale);
    noise_normal(rng, env->sim.d->qvel, env->sim.nv, p->reset_noise_scale);
}

static void observe(const struct env *env, struct row *row)
{
    const mjData *d = env->sim.d;
    row_put_one(row, d->qpos[0]);
    row_put_one(row, sin(d->qpos[1]));
    row_put_one(row, sin(d->qpos[2]));
    row_put_one(row, cos(d->qpos[1]));
    row_put_one(row, cos(d->qpos[2]));
    row_put_clipped(row, d->qvel, 3, -10, 10);
    row_put_clipped(row, d->qfrc_constraint, 1, -10, 10);
}

static struct env_step step(struct env *env, const float *action)
{
    const struct args *p = env->args;
    const mjData      *d = env->sim.d;
    bool               ok = simulator_step(&env->sim, action);
    double             x = d->site_xpos[0], y = d->site_xpos[2], w1 = d->qvel[1], w2 = d->qvel[2];
    bool               fallen = y <= 1;
    double             off_center = 0.01 * (x * x) + (y - 2) * (y - 2);
    double             haste = 1e-3 * (w1 * w1) + 5e-3 * (w2 * w2);
    return (struct env_step){
        .reward = (fallen ? 0 : p->healthy_reward) - off_center - haste,
        .terminated = fallen,
        .broken = !ok,
    };
}

const struct env_task inverted_double_pendulum_task = {
    .name = "InvertedDoublePendulum-v5",
    .max_steps = 1000,
    .threshold = 9100,
    .model = "inverted_double_pendulum.xml",
    .frame_skip = 5,
    .camera = {.distance = 4.1225, .aimed = true, .lookat = {0, 0, 0.1225}},
    ENV_TASK_ARGS,
    .start = start,
    .observe = observe,
    .step = step,
};
