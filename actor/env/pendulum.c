// Pendulum-v1: swing a pendulum up with a torque too weak to lift it at once, and hold it.
//
//   state        angle (0 is up, never wrapped), speed
//   observation  cos, sin, speed: 3
//   reward       -(angle^2 + 0.1 speed^2 + 0.001 u^2) before the step; angle in [-pi, pi), u the
//                torque clipped to +-2
//   dynamics     speed += (3 g / (2 l) sin + 3 / (m l^2) u) dt, clipped to +-8; angle += speed dt
//   terminated   never; limit 200 steps
//   start        angle U(-pi, pi), speed U(-1, 1)
//
// Source: Gymnasium 1.2.0, envs/classic_control/pendulum.py.
#include "actor/env_task.h"

#include <math.h>

static const double dt = 0.05, mass = 1, length = 1, max_speed = 8, max_torque = 2;
static const double pi = 3.141592653589793;

struct args {
    double g;
};

static const struct env_arg args[] = {
    {ENV_ARG(WEIGHT, g, 10)},
};

static void start(struct env *env, struct rng *rng)
{
    env->state[0] = rng_range(rng, -pi, pi);
    env->state[1] = rng_range(rng, -1, 1);
}

static void observe(const struct env *env, struct row *row)
{
    row_put_one(row, cos(env->state[0]));
    row_put_one(row, sin(env->state[0]));
    row_put_one(row, env->state[1]);
}

// into [-pi, pi), as Python's % does
static double normalize(double angle)
{
    double turn = fmod(angle + pi, 2 * pi);
    return (turn < 0 ? turn + 2 * pi : turn) - pi;
}

static struct env_step step(struct env *env, const float *action)
{
    const struct args *p = env->args;
    double            *angle = &env->state[0], *speed = &env->state[1];
    // the torque is a float32 in Gymnasium, and so are its products; u**2 there is libm's powf, which
    // rounds otherwise than u * u now and then (volatile: or the compiler makes it u * u)
    volatile float two = 2;
    float          u = (float)clip((double)action[0], -max_torque, max_torque);
    double         effort = (double)(0.001f * powf(u, two)), torque = (double)(3.0f * u);

    double from_top = normalize(*angle);
    double cost = from_top * from_top + 0.1 * (*speed * *speed) + effort;
    *speed += (3 * p->g / (2 * length) * sin(*angle) + torque / (mass * length * length)) * dt;
    *speed = clip(*speed, -max_speed, max_speed);
    *angle += *speed * dt;
    return (struct env_step){.reward = -cost};
}

const struct env_task pendulum_task = {
    .name = "Pendulum-v1",
    .max_steps = 200,
    .threshold = NAN,
    .state = 2,
    .dt = 0.05,
    .bound = 2,
    ENV_TASK_ARGS,
    .start = start,
    .observe = observe,
    .step = step,
};
