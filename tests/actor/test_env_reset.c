// Start states of 10,000 resets against the formulas of tests/golden/env/README.md: range, mean and
// covariance of each number. The streams are fixed, so that no run differs from another.
#include "actor/env.h"

#include "actor/mujoco.h"
#include "common/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RESETS = 10000, MAX_STATE = 64, SIGMAS = 5 };

// how the numbers from one index on are drawn, up to the next row's
enum law { FIXED, UNIFORM, NORMAL };

struct part {
    size_t   from;
    enum law law;
    double   center, scale;  // UNIFORM: in center +-scale
};

struct expectation {
    const char *task;
    double      start[MAX_STATE];  // where it is not 0: the model's own pose
    struct part parts[2];
    size_t      n_parts;
};

static const struct expectation expectations[] = {
    {"Ant-v5", {0, 0, 0.75, 1}, {{0, UNIFORM, 0, 0.1}, {15, NORMAL, 0, 0.1}}, 2},
    {"HalfCheetah-v5", {0}, {{0, UNIFORM, 0, 0.1}, {9, NORMAL, 0, 0.1}}, 2},
    {"Hopper-v5", {0, 1.25}, {{0, UNIFORM, 0, 5e-3}}, 1},
    {"Walker2d-v5", {0, 1.25}, {{0, UNIFORM, 0, 5e-3}}, 1},
    {"Humanoid-v5", {0, 0, 1.4, 1}, {{0, UNIFORM, 0, 0.01}}, 1},
    {"HumanoidStandup-v5", {0, 0, 0.105, 1}, {{0, UNIFORM, 0, 0.01}}, 1},
    {"InvertedPendulum-v5", {0}, {{0, UNIFORM, 0, 0.01}}, 1},
    {"InvertedDoublePendulum-v5", {0}, {{0, UNIFORM, 0, 0.1}, {3, NORMAL, 0, 0.1}}, 2},
    {"Swimmer-v5", {0}, {{0, UNIFORM, 0, 0.1}}, 1},
    {"CartPole-v1", {0}, {{0, UNIFORM, 0, 0.05}}, 1},
    {"Acrobot-v1", {0}, {{0, UNIFORM, 0, 0.1}}, 1},
    {"MountainCar-v0", {0}, {{0, UNIFORM, -0.5, 0.1}, {1, FIXED, 0, 0}}, 2},
    {"MountainCarContinuous-v0", {0}, {{0, UNIFORM, -0.5, 0.1}, {1, FIXED, 0, 0}}, 2},
    {"Pendulum-v1", {0}, {{0, UNIFORM, 0, 3.141592653589793}, {1, UNIFORM, 0, 1}}, 2},
};

static double *draw(const char *task, size_t *size)
{
    struct spec  spec = {.file = "test.yaml"};
    struct error err = {0};
    struct rng   rng;
    snprintf(spec.env.name, sizeof spec.env.name, "%s", task);
    struct env *env = env_make(&spec, &err);
    if (env == NULL)
        fail_msg("%s", err.text);
    float obs[1024];
    *size = env_state_size(env);
    double *states = calloc(RESETS * *size, sizeof *states);
    assert_non_null(states);
    rng_init(&rng, 7, RNG_TEST, 0);
    for (size_t i = 0; i < RESETS; i++) {
        env_reset(env, &rng, obs);
        env_get_state(env, states + i * *size);
    }
    env_free(env);
    return states;
}

static struct part part_of(const struct expectation *e, size_t k)
{
    struct part part = e->parts[0];
    for (size_t i = 1; i < e->n_parts; i++)
        if (k >= e->parts[i].from)
            part = e->parts[i];
    part.center += e->start[k];
    return part;
}

static double variance_of(struct part part)
{
    double square = part.scale * part.scale;
    return part.law == UNIFORM ? square / 3 : part.law == NORMAL ? square : 0;
}

static double mean_of(const double *states, size_t size, size_t k)
{
    double sum = 0;
    for (size_t i = 0; i < RESETS; i++)
        sum += states[i * size + k];
    return sum / RESETS;
}

static double covariance_of(const double *states, size_t size, size_t a, size_t b, double mean_a,
                            double mean_b)
{
    double sum = 0;
    for (size_t i = 0; i < RESETS; i++)
        sum += (states[i * size + a] - mean_a) * (states[i * size + b] - mean_b);
    return sum / RESETS;
}

static void check_near(const char *task, const char *what, size_t k, double found, double want,
                       double allowed)
{
    if (!(fabs(found - want) <= allowed))
        fail_msg("%s: %s of number %zu is %g, expected %g +- %g", task, what, k, found, want,
                 allowed);
}

static void check_range(const char *task, const double *states, size_t size, size_t k,
                        struct part part)
{
    double low = INFINITY, high = -INFINITY, reach = part.scale;
    for (size_t i = 0; i < RESETS; i++) {
        low = fmin(low, states[i * size + k]);
        high = fmax(high, states[i * size + k]);
    }
    // float32 states may round onto a bound
    double slack = part.law == NORMAL ? 3 * reach : 1e-8;
    if (part.law == NORMAL)
        reach *= 3;
    assert_true(low >= part.center - reach - slack && high <= part.center + reach + slack);
    check_near(task, "the lowest", k, low, part.center - reach, 0.01 * part.scale + slack);
    check_near(task, "the highest", k, high, part.center + reach, 0.01 * part.scale + slack);
}

static void check_task(const struct expectation *e)
{
    size_t  size;
    double *states = draw(e->task, &size), mean[MAX_STATE];
    assert_true(size <= MAX_STATE);
    for (size_t k = 0; k < size; k++) {
        struct part part = part_of(e, k);
        double      variance = variance_of(part);
        mean[k] = mean_of(states, size, k);
        check_range(e->task, states, size, k, part);
        check_near(e->task, "the mean", k, mean[k], part.center,
                   SIGMAS * sqrt(variance / RESETS) + 1e-15);
    }
    for (size_t a = 0; a < size; a++)
        for (size_t b = 0; b <= a; b++) {
            double va = variance_of(part_of(e, a)), vb = variance_of(part_of(e, b));
            // a variance's own deviation: at most sqrt(2 / n) of it, for the normal law
            double allowed = SIGMAS * sqrt(va * vb * (a == b ? 2 : 1) / RESETS) + 1e-15;
            check_near(e->task, "the covariance", a,
                       covariance_of(states, size, a, b, mean[a], mean[b]), a == b ? va : 0,
                       allowed);
        }
    free(states);
}

// before 3.2.0 MuJoCo normalised the noisy quaternions of a floating base (qpos[3:7]) at once
static bool normalises(const struct expectation *e)
{
    return e->start[3] == 1 && mj_version() < 320;
}

static void start_states_have_the_stated_range_mean_and_covariance(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++)
        if (!normalises(&expectations[i]))
            check_task(&expectations[i]);
}

static void reachers_target_is_uniform_in_its_disc(void **state)
{
    (void)state;
    size_t  size;
    double *s = draw("Reacher-v5", &size);
    double  sum[6] = {0}, farthest = 0;
    assert_int_equal(size, 8);
    for (size_t i = 0; i < RESETS; i++, s += size) {
        double x = s[2], y = s[3], square = (x * x + y * y) / 0.04;
        farthest = fmax(farthest, square);
        sum[0] += x / 0.1;
        sum[1] += y / 0.1;
        sum[2] += x * y / 0.01;
        sum[3] += square;
        sum[4] += s[0] / (0.1 / sqrt(3));
        sum[5] += s[5] / (0.005 / sqrt(3));
        assert_true(fabs(s[0]) <= 0.1 && fabs(s[1]) <= 0.1 && s[6] == 0 && s[7] == 0);
        assert_true(fabs(s[4]) <= 0.005 && fabs(s[5]) <= 0.005);
    }
    free(s - RESETS * size);
    assert_true(farthest < 1 && farthest > 0.995);
    // deviations of single draws are at most 1; that of a uniform square is sqrt(1 / 12)
    for (size_t k = 0; k < 6; k++)
        check_near("Reacher-v5", "the mean", k, sum[k] / RESETS, k == 3 ? 0.5 : 0,
                   SIGMAS / sqrt(RESETS) * (k == 3 ? sqrt(1.0 / 12) : 1));
}

static void pushers_object_keeps_away_from_the_goal(void **state)
{
    (void)state;
    // moments of the uniform law on the rectangle without the disc, by a fine grid
    double n = 0, want_y = 0, want_yy = 0, want_xx = 0;
    for (int i = 0; i < 1000; i++)
        for (int j = 0; j < 1000; j++) {
            double y = -0.3 * (i + 0.5) / 1000, x = -0.2 + 0.4 * (j + 0.5) / 1000;
            double in = hypot(x, y) > 0.17;
            n += in;
            want_y += in * y;
            want_yy += in * y * y;
            want_xx += in * x * x;
        }
    size_t  size;
    double *s = draw("Pusher-v5", &size), x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    assert_int_equal(size, 22);
    for (size_t i = 0; i < RESETS; i++, s += size) {
        assert_true(s[7] > -0.3 && s[7] < 0 && fabs(s[8]) < 0.2 && hypot(s[7], s[8]) > 0.17);
        for (size_t k = 0; k < 7; k++)
            assert_true(s[k] == 0 && fabs(s[11 + k]) < 0.005);
        for (size_t k = 9; k < 11; k++)
            assert_true(s[k] == 0 && s[k + 9] == 0 && s[k + 11] == 0);
        y += s[7];
        x += s[8];
        yy += s[7] * s[7];
        xx += s[8] * s[8];
        xy += s[7] * s[8];
    }
    free(s - RESETS * size);
    double allowed = SIGMAS / sqrt(RESETS);
    check_near("Pusher-v5", "the mean of y", 7, y / RESETS, want_y / n, 0.08 * allowed);
    check_near("Pusher-v5", "the mean of x", 8, x / RESETS, 0, 0.13 * allowed);
    check_near("Pusher-v5", "the square of y", 7, yy / RESETS, want_yy / n, 0.03 * allowed);
    check_near("Pusher-v5", "the square of x", 8, xx / RESETS, want_xx / n, 0.02 * allowed);
    check_near("Pusher-v5", "the product", 8, xy / RESETS, 0, 0.03 * allowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start_states_have_the_stated_range_mean_and_covariance),
        cmocka_unit_test(reachers_target_is_uniform_in_its_disc),
        cmocka_unit_test(pushers_object_keeps_away_from_the_goal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
