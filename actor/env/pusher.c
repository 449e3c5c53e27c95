// Pusher-v5: an arm of seven joints is to push an object to a goal.
//
//   model        pusher_v5.xml, Euler, 5 x 0.01 s; 7 torques
//   observation  qpos[:7], qvel[:7], positions of tips_arm, object and goal: 23
//   reward       - reward_dist_weight |object - goal| - reward_control_weight |a|^2
//                - reward_near_weight |object - tips_arm|; positions are those of the bodies' frames,
//                which lag
//   terminated   never; limit 100 steps
//   start        arm at rest; object at y in (-0.3, 0), x in (-0.2, 0.2), further than 0.17 from the
//                goal; qvel U(-0.005, 0.005), the object's and the goal's 0
//
// Source: Gymnasium 1.2.0, envs/mujoco/pusher_v5.py.
#include "actor/env_task.h"

#include <math.h>

struct args {
    double reward_near_weight, reward_dist_weight, reward_control_weight;
};

static const struct env_arg args[] = {
    {ENV_ARG(WEIGHT, reward_near_weight, 0.5)},
    {ENV_ARG(WEIGHT, reward_dist_weight, 1)},
    {ENV_ARG(WEIGHT, reward_control_weight, 0.1)},
};

static void start(struct env *env, struct rng *rng)
{
    // the object slides along y, then x; the goal stays at its own 0
    double *object = env->sim.d->qpos + 7;
    do {
        object[0] = rng_range(rng, -0.3, 0);
        object[1] = rng_range(rng, -0.2, 0.2);
    } while (hypot(object[0], object[1]) <= 0.17);
    noise_uniform(rng, env->sim.d->qvel, 7, 0.005);
}

static void observe(const struct env *env, struct row *row)
{
    row_put(row, env->sim.d->qpos, 7);
    row_put(row, env->sim.d->qvel, 7);
    row_put(row, simulator_body(&env->sim, "tips_arm"), 3);
    row_put(row, simulator_body(&env->sim, "object"), 3);
    row_put(row, simulator_body(&env->sim, "goal"), 3);
}

static struct env_step step(struct env *env, const float *action)
{
    const struct args *p = env->args;
    bool               ok = simulator_step(&env->sim, action);
    const double      *object = simulator_body(&env->sim, "object");
    double             to_goal = distance(object, simulator_body(&env->sim, "goal"));
    double             to_tip = distance(object, simulator_body(&env->sim, "tips_arm"));
    return (struct env_step){
        .reward = -to_goal * p->reward_dist_weight -
                  control_cost(p->reward_control_weight, action, env->info.action) -
                  to_tip * p->reward_near_weight,
        .broken = !ok,
    };
}

const struct env_task pusher_task = {
    .name = "Pusher-v5",
    .max_steps = 100,
    .threshold = 0,
    .model = "pusher_v5.xml",
    .frame_skip = 5,
    .camera = {.distance = 4},
    ENV_TASK_ARGS,
    .start = start,
    .observe = observe,
    .step = step,
};
