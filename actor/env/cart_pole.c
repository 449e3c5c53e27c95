// CartPole-v1: push a cart to the left or right so that the pole on it stays up.
//
//   state        x, x speed, angle, angle speed
//   observation  the state: 4
//   action       0: force -10, 1: force +10
//   reward       1, also in the last step (sutton_barto_reward: 0, and -1 in the last)
//   dynamics     explicit Euler, 0.02 s
//   terminated   |x| > 2.4 or |angle| > 12 degrees; limit 500 steps
//   start        U(-0.05, 0.05) each
//
// Source: Gymnasium 1.2.0, envs/classic_control/cartpole.py; its order of operations.
#include "actor/env_task.h"

#include <math.h>

static const double gravity = 9.8, cart = 1.0, pole = 0.1, half_length = 0.5, force_size = 10;
static const double dt = 0.02, x_limit = 2.4, angle_limit = 12 * 2 * 3.141592653589793 / 360;

struct args {
    bool sutton_barto_reward;
};

static const struct env_arg args[] = {
    {ENV_ARG(FLAG, sutton_barto_reward, false)},
};

static void start(struct env *env, struct rng *rng)
{
    for (size_t i = 0; i < 4; i++)
        env->state[i] = rng_range(rng, -0.05, 0.05);
}

static void observe(const struct env *env, struct row *row)
{
    row_put(row, env->state, 4);
}

static void advance(double *state, double force)
{
    double total = pole + cart, arm = pole * half_length;
    double speed = state[1], angle = state[2], spin = state[3];
    double c = cos(angle), s = sin(angle);
    double push = (force + arm * (spin * spin) * s) / total;
    double spin_up =
        (gravity * s - c * push) / (half_length * (4.0 / 3.0 - pole * (c * c) / total));
    double speed_up = push - arm * spin_up * c / total;
    state[0] += dt * speed;
    state[1] += dt * speed_up;
    state[2] += dt * spin;
    state[3] += dt * spin_up;
}

static struct env_step step(struct env *env, const float *action)
{
    const struct args *p = env->args;
    advance(env->state, action[0] > 0.5f ? force_size : -force_size);
    bool   fallen = fabs(env->state[0]) > x_limit || fabs(env->state[2]) > angle_limit;
    double reward = p->sutton_barto_reward ? (fallen ? -1 : 0) : 1;
    return (struct env_step){.reward = reward, .terminated = fallen};
}

const struct env_task cart_pole_task = {
    .name = "CartPole-v1",
    .max_steps = 500,
    .threshold = 475,
    .state = 4,
    .dt = 0.02,
    .actions = 2,
    ENV_TASK_ARGS,
    .start = start,
    .observe = observe,
    .step = step,
};
