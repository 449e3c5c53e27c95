// Seeds as one curve: known answers.
#include "learner/aggregate.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void the_interquartile_mean_drops_a_quarter_at_either_end(void **state)
{
    (void)state;
    // scipy.stats.trim_mean(x, 0.25)
    double eight[] = {100, 1, 2, 3, 4, 5, 6, -50}, five[] = {9, 1, 5, 4, 3}, two[] = {1, 4};
    assert_true(fabs(aggregate_iqm(eight, 8) - 3.5) < 1e-12);
    assert_true(fabs(aggregate_iqm(five, 5) - 4) < 1e-12);
    assert_true(fabs(aggregate_iqm(two, 2) - 2.5) < 1e-12);
    assert_true(isnan(aggregate_iqm(two, 0)));
}

static void the_band_holds_the_mean_and_shrinks_with_more_runs(void **state)
{
    (void)state;
    struct rng rng;
    double     x[64];
    rng_init(&rng, 3, RNG_TEST, 0);
    for (size_t i = 0; i < 64; i++)
        x[i] = 100 + rng_normal(&rng);
    struct aggregate few = aggregate_runs(x, 8, &rng), many = aggregate_runs(x, 64, &rng);
    assert_true(few.low < few.iqm && few.iqm < few.high);
    assert_true(many.low < many.iqm && many.iqm < many.high);
    assert_true(many.high - many.low < 0.7 * (few.high - few.low));
    // 64 standard normals: the interquartile mean's standard error is about 1.09 / 8
    assert_true(fabs(many.high - many.low - 2 * 1.96 * 1.09 / 8) < 0.2);
    assert_true(isnan(aggregate_runs(x, 1, &rng).low));
}

static void a_line_is_followed_between_its_points_and_nowhere_else(void **state)
{
    (void)state;
    const double xs[] = {0, 10, 10, 30}, ys[] = {1, 2, 4, 8};
    assert_true(aggregate_interpolate(xs, ys, 4, 5) == 1.5);
    assert_true(aggregate_interpolate(xs, ys, 4, 20) == 6);
    assert_true(aggregate_interpolate(xs, ys, 4, 30) == 8);
    assert_true(aggregate_interpolate(xs, ys, 1, 0) == 1);
    assert_true(isnan(aggregate_interpolate(xs, ys, 4, 31)));
    assert_true(isnan(aggregate_interpolate(xs, ys, 4, -1)));
    assert_true(isnan(aggregate_interpolate(xs, ys, 0, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_interquartile_mean_drops_a_quarter_at_either_end),
        cmocka_unit_test(the_band_holds_the_mean_and_shrinks_with_more_runs),
        cmocka_unit_test(a_line_is_followed_between_its_points_and_nowhere_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
