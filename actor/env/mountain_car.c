// MountainCar-v0: a car too weak for the slope is to swing out of a valley, pushing left or right.
//
//   state        position, velocity
//   observation  the state: 2
//   action       0: left, 1: none, 2: right
//   reward       -1, also in the last step
//   dynamics     velocity += 0.001 (action - 1) - 0.0025 cos(3 position), within +-0.07;
//                position += velocity, within [-1.2, 0.6]; the left wall stops the car
//   terminated   position >= 0.5 with velocity >= goal_velocity; limit 200 steps
//   start        position U(-0.6, -0.4), velocity 0
//
// Source: Gymnasium 1.2.0, envs/classic_control/mountain_car.py.
#include "actor/env_task.h"

#include <math.h>

struct args {
    double goal_velocity;
};

static const struct env_arg args[] = {
    {ENV_ARG(WEIGHT, goal_velocity, 0)},
};

static void start(struct env *env, struct rng *rng)
{
    env->state[0] = rng_range(rng, -0.6, -0.4);
    env->state[1] = 0;
}

static void observe(const struct env *env, struct row *row)
{
    row_put(row, env->state, 2);
}

static struct env_step step(struct env *env, const float *action)
{
    const struct args *p = env->args;
    double            *position = &env->state[0], *velocity = &env->state[1];
    *velocity += ((double)action[0] - 1) * 0.001 + cos(3 * *position) * -0.0025;
    *velocity = clip(*velocity, -0.07, 0.07);
    *position = clip(*position + *velocity, -1.2, 0.6);
    if (*position == -1.2 && *velocity < 0)
        *velocity = 0;
    bool arrived = *position >= 0.5 && *velocity >= p->goal_velocity;
    return (struct env_step){.reward = -1, .terminated = arrived};
}

const struct env_task mountain_car_task = {
    .name = "MountainCar-v0",
    .max_steps = 200,
    .threshold = -110,
    .state = 2,
    .dt = 1.0 / 30,
    .actions = 3,
    ENV_TASK_ARGS,
    .start = start,
    .observe = observe,
    .step = step,
};
