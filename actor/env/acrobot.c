// Acrobot-v1: two links hang from a pivot; a torque between them is to swing the free end up.
//
//   state        angle 1 (0 hangs down), angle 2 (relative to link 1), their speeds
//   observation  cos and sin of angle 1, of angle 2, speeds: 6
//   action       torque 0: -1, 1: 0, 2: +1
//   reward       -1, 0 in the step that arrives
//   dynamics     one Runge-Kutta step of 0.2 s under constant torque; then angles are wrapped to
//                [-pi, pi] and speeds bounded by 4 pi and 9 pi
//   terminated   the free end is one link above the pivot; limit 500 steps
//   start        U(-0.1, 0.1) each, float32
//
// Source: Gymnasium 1.2.0, envs/classic_control/acrobot.py ("book" dynamics: Sutton and Barto); its
// order of operations. Mass, length and moment of both links are 1, their centres at 0.5.
#include "actor/env_task.h"

#include <math.h>

static const double pi = 3.141592653589793, dt = 0.2, gravity = 9.8, center = 0.5;

static void start(struct env *env, struct rng *rng)
{
    for (size_t i = 0; i < 4; i++)
        env->state[i] = (double)(float)rng_range(rng, -0.1, 0.1);
}

static void observe(const struct env *env, struct row *row)
{
    const double *s = env->state;
    row_put_one(row, cos(s[0]));
    row_put_one(row, sin(s[0]));
    row_put_one(row, cos(s[1]));
    row_put_one(row, sin(s[1]));
    row_put(row, s + 2, 2);
}

// ds (4) = derivative of s (4) under the torque
static void derive(double *ds, const double *s, double torque)
{
    double angle1 = s[0], angle2 = s[1], w1 = s[2], w2 = s[3], cc = center * center;
    double d1 = cc + (1 + cc + 2 * center * cos(angle2)) + 1 + 1;
    double d2 = (cc + center * cos(angle2)) + 1;
    double phi2 = center * gravity * cos(angle1 + angle2 - pi / 2);
    double phi1 = -center * (w2 * w2) * sin(angle2) - 2 * center * w2 * w1 * sin(angle2) +
                  (center + 1) * gravity * cos(angle1 - pi / 2) + phi2;
    ds[0] = w1;
    ds[1] = w2;
    ds[3] = (torque + d2 / d1 * phi1 - center * (w1 * w1) * sin(angle2) - phi2) /
            (cc + 1 - d2 * d2 / d1);
    ds[2] = -(d2 * ds[3] + phi1) / d1;
}

static void runge_kutta(double *s, double torque)
{
    double k1[4], k2[4], k3[4], k4[4], at[4];
    derive(k1, s, torque);
    for (size_t i = 0; i < 4; i++)
        at[i] = s[i] + dt / 2 * k1[i];
    derive(k2, at, torque);
    for (size_t i = 0; i < 4; i++)
        at[i] = s[i] + dt / 2 * k2[i];
    derive(k3, at, torque);
    for (size_t i = 0; i < 4; i++)
        at[i] = s[i] + dt * k3[i];
    derive(k4, at, torque);
    for (size_t i = 0; i < 4; i++)
        s[i] += dt / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
}

static double wrap(double angle)
{
    while (angle > pi)
        angle -= 2 * pi;
    while (angle < -pi)
        angle += 2 * pi;
    return angle;
}

static struct env_step step(struct env *env, const float *action)
{
    double *s = env->state;
    runge_kutta(s, (double)action[0] - 1);
    s[0] = wrap(s[0]);
    s[1] = wrap(s[1]);
    s[2] = clip(s[2], -4 * pi, 4 * pi);
    s[3] = clip(s[3], -9 * pi, 9 * pi);
    bool up = -cos(s[0]) - cos(s[1] + s[0]) > 1;
    return (struct env_step){.reward = up ? 0 : -1, .terminated = up};
}

const struct env_task acrobot_task = {
    .name = "Acrobot-v1",
    .max_steps = 500,
    .threshold = -100,
    .state = 4,
    .dt = 1.0 / 15,
    .actions = 3,
    .start = start,
    .observe = observe,
    .step = step,
};
