#include "common/vec.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define N 20001

static float x[N], y[N], s[N];

static void fill(double low, double high)
{
    for (size_t i = 0; i < N; i++)
        x[i] = (float)(low + (high - low) * (double)i / (N - 1));
}

static void exp_is_libm_s(void **state)
{
    (void)state;
    fill(-87, 88);
    vec_exp(y, x, N);
    for (size_t i = 0; i < N; i++)
        assert_true(fabs((double)y[i] / exp((double)x[i]) - 1) < 2.5e-7);
}

static void tanh_is_libm_s(void **state)
{
    (void)state;
    fill(-30, 30);
    vec_tanh(y, x, N);
    for (size_t i = 0; i < N; i++)
        assert_true(fabs((double)y[i] - tanh((double)x[i])) < 2.5e-7);
}

static void squash_keeps_its_digits_where_tanh_is_one(void **state)
{
    (void)state;
    fill(-40, 40);
    vec_squash(y, s, x, N);
    for (size_t i = 0; i < N; i++) {
        double a = fabs((double)x[i]);
        double want = 2 * (log(2) - a - log1p(exp(-2 * a)));
        assert_true(fabs((double)y[i] - tanh((double)x[i])) < 2.5e-7);
        assert_true(fabs((double)s[i] - want) < 3e-7 * fmax(1, fabs(want)));
    }
}

static void extremes_and_nan_come_through(void **state)
{
    (void)state;
    const float in[] = {NAN, INFINITY, -INFINITY, 1000, -1000, 0};
    float       out[6], squash[6];
    vec_exp(out, in, 6);
    assert_true(isnan(out[0]) && out[1] > 1e38f && out[2] == 0 && out[4] == 0 && out[5] == 1);
    vec_tanh(out, in, 6);
    assert_true(isnan(out[0]) && out[1] == 1 && out[2] == -1 && out[5] == 0);
    vec_squash(out, squash, in, 6);
    assert_true(isnan(out[0]) && isnan(squash[0]) && out[3] == 1 && squash[3] < -1990);
}

static void sum_of_squares_sees_what_is_not_finite(void **state)
{
    (void)state;
    for (size_t n = 0; n < 50; n++) {
        double want = 0;
        for (size_t i = 0; i < n; i++) {
            x[i] = (float)i - 20;
            want += (double)x[i] * (double)x[i];
        }
        assert_true(vec_sum_squares(x, n) == want);
        for (size_t i = 0; i < n; i++) {
            float old = x[i];
            x[i] = NAN;
            assert_true(isnan(vec_sum_squares(x, n)));
            x[i] = old;
        }
    }
}

static void flushed_denormals_are_zero_until_restored(void **state)
{
    (void)state;
    volatile float small = 1e-38f, scale = 1e-3f;
    unsigned       old = vec_denormals_flush();
    volatile float flushed = small * scale;
    vec_denormals_restore(old);
    volatile float kept = small * scale;
#if defined(__x86_64__)
    assert_true(flushed == 0);
#else
    (void)flushed;
#endif
    assert_true(kept > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_is_libm_s),
        cmocka_unit_test(tanh_is_libm_s),
        cmocka_unit_test(squash_keeps_its_digits_where_tanh_is_one),
        cmocka_unit_test(extremes_and_nan_come_through),
        cmocka_unit_test(sum_of_squares_sees_what_is_not_finite),
        cmocka_unit_test(flushed_denormals_are_zero_until_restored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
