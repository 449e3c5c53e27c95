// MountainCarContinuous-v0: the car in the valley, pushed with a force of one's choice.
//
//   state        position, velocity: float64 at the start, float32 after a step
//   observation  the state: 2
//   reward       100 at the goal, - 0.1 a^2; the action as given, not clipped
//   dynamics     velocity += 0.0015 force - 0.0025 cos(3 position), force = a clipped to +-1,
//                velocity within +-0.07; position += velocity, within [-1.2, 0.6]; the left wall
//                stops the car
//   terminated   position >= 0.45 with velocity >= goal_velocity; limit 999 steps
//   start        position U(-0.6, -0.4), velocity 0
//
// Which sums are float32 follows numpy: a float32 array element meets Python numbers.
// Source: Gymnasium 1.2.0, envs/classic_control/continuous_mountain_car.py.
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
    row_put_one(row, (double)(float)env->state[0]);
    row_put_one(row, (double)(float)env->state[1]);
}

// 0.0015 force - 0.0025 cos(3 position): float32 unless the force was clipped, which makes it a
// Python number
static double push(float action, double slope)
{
    if (action < -1 || action > 1)
        return (action > 0 ? 1.0 : -1.0) * 0.0015 - slope;
    return (double)(action * 0.0015f - (float)slope);
}

// a step of a float32 state, and of a float64 one, which only the first step meets
static void advance_float(double *state, float action)
{
    float position = (float)state[0], velocity = (float)state[1];
    float slope_at = 3 * position;
    velocity += (float)push(action, 0.0025 * cos((double)slope_at));
    velocity = velocity > 0.07f ? 0.07f : velocity < -0.07f ? -0.07f : velocity;
    position += velocity;
    position = position > 0.6f ? 0.6f : position < -1.2f ? -1.2f : position;
    state[0] = (double)position;
    state[1] = position == -1.2f && velocity < 0 ? 0 : (double)velocity;
}

static void advance_double(double *state, float action)
{
    double velocity = state[1] + push(action, 0.0025 * cos(3 * state[0]));
    velocity = clip(velocity, -0.07, 0.07);
    state[0] = clip(state[0] + velocity, -1.2, 0.6);
    state[1] = state[0] == -1.2 && velocity < 0 ? 0 : velocity;
}

static struct env_step step(struct env *env, const float *action)
{
    const struct args *p = env->args;
    double            *state = env->state, goal = 0.45;
    if (env->elapsed == 0) {
        advance_double(state, action[0]);
    } else {
        advance_float(state, action[0]);
        goal = (double)0.45f;
    }
    bool arrived = state[0] >= goal && state[1] >= p->goal_velocity;
    state[0] = (double)(float)state[0];
    state[1] = (double)(float)state[1];
    double effort = (double)action[0] * (double)action[0] * 0.1;
    return (struct env_step){.reward = (arrived ? 100 : 0) - effort, .terminated = arrived};
}

const struct env_task mountain_car_continuous_task = {
    .name = "MountainCarContinuous-v0",
    .max_steps = 999,
    .threshold = 90,
    .state = 2,
    .dt = 1.0 / 30,
    .bound = 1,
    ENV_TASK_ARGS,
    .start = start,
    .observe = observe,
    .step = step,
};
