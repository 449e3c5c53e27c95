// Reacher-v5: an arm of two joints in the plane is to bring its fingertip to a target.
//
//   model        reacher.xml, RK4, 2 x 0.01 s; 2 torques
//   observation  cos of both angles, sin of both, target's position, the joints' speeds, x and y of
//                fingertip - target: 10
//   reward       - reward_dist_weight |fingertip - target| - reward_control_weight |a|^2; positions
//                are those of the bodies' frames, which lag
//   terminated   never; limit 50 steps
//   start        qpos + U(-0.1, 0.1), target uniform in the disc of radius 0.2,
//                qvel U(-0.005, 0.005), the target's 0
//
// Source: Gymnasium 1.2.0, envs/mujoco/reacher_v5.py.
#include "actor/env_task.h"

#include <math.h>

struct args {
    double reward_dist_weight, reward_control_weight;
};

static const struct env_arg args[] = {
    {ENV_ARG(WEIGHT, reward_dist_weight, 1)},
    {ENV_ARG(WEIGHT, reward_control_weight, 1)},
};

static void start(struct env *env, struct rng *rng)
{
    double *qpos = env->sim.d->qpos, *qvel = env->sim.d->qvel;
    noise_uniform(rng, qpos, 4, 0.1);
    do {
        qpos[2] = rng_range(rng, -0.2, 0.2);
        qpos[3] = rng_range(rng, -0.2, 0.2);
    } while (hypot(qpos[2], qpos[3]) >= 0.2);
    noise_uniform(rng, qvel, 2, 0.005);
}

static void observe(const struct env *env, struct row *row)
{
    const mjData *d = env->sim.d;
    const double *fingertip = simulator_body(&env->sim, "fingertip");
    const double *target = simulator_body(&env->sim, "target");
    row_put_one(row, cos(d->qpos[0]));
    row_put_one(row, cos(d->qpos[1]));
    row_put_one(row, sin(d->qpos[0]));
    row_put_one(row, sin(d->qpos[1]));
    row_put(row, d->qpos + 2, 2);
    row_put(row, d->qvel, 2);
    row_put_one(row, fingertip[0] - target[0]);
    row_put_one(row, fingertip[1] - target[1]);
}

static struct env_step step(struct env *env, const float *action)
{
    const struct args *p = env->args;
    bool               ok = simulator_step(&env->sim, action);
    double             away =
        distance(simulator_body(&env->sim, "fingertip"), simulator_body(&env->sim, "target"));
    return (struct env_step){
        .reward = -away * p->reward_dist_weight -
                  control_cost(p->reward_control_weight, action, env->info.action),
        .broken = !ok,
    };
}

const struct env_task reacher_task = {
    .name = "Reacher-v5",
    .max_steps = 50,
    .threshold = -3.75,
    .model = "reacher.xml",
    .frame_skip = 2,
    ENV_TASK_ARGS,
    .start = start,
    .observe = observe,
    .step = step,
};
