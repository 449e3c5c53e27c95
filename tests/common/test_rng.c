// Random streams: known answers of xoshiro256++, distributions, independence of names.
#include "common/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void next_gives_the_authors_numbers(void **state)
{
    (void)state;
    // state {1, 2, 3, 4}, numbers of the reference program xoshiro256plusplus.c
    struct rng     rng = {.s = {1, 2, 3, 4}};
    const uint64_t known[] = {41943041u,
                              58720359u,
                              3588806011781223u,
                              3591011842654386u,
                              9228616714210784205u,
                              9973669472204895162u,
                              14011001112246962877u,
                              12406186145184390807u,
                              15849039046786891736u,
                              10450023813501588000u};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_true(rng_next(&rng) == known[i]);
}

static void streams_of_another_name_differ_and_of_the_same_name_agree(void **state)
{
    (void)state;
    struct rng a, b, c, d, e;
    rng_init(&a, 7, RNG_ENV, 3);
    rng_init(&b, 7, RNG_ENV, 3);
    rng_init(&c, 7, RNG_ENV, 4);
    rng_init(&d, 7, RNG_POLICY, 3);
    rng_init(&e, 8, RNG_ENV, 3);
    uint64_t x = rng_next(&a);
    assert_true(x == rng_next(&b));
    assert_true(x != rng_next(&c));
    assert_true(x != rng_next(&d));
    assert_true(x != rng_next(&e));
}

static void normals_have_mean_0_and_variance_1_and_normal_tails(void **state)
{
    (void)state;
    enum { N = 200000 };
    struct rng rng;
    double     sum = 0, squares = 0;
    int        beyond2 = 0;
    rng_init(&rng, 1, RNG_TEST, 0);
    for (int i = 0; i < N; i++) {
        double x = rng_normal(&rng);
        sum += x;
        squares += x * x;
        beyond2 += fabs(x) > 2.0;
    }
    // five standard errors
    assert_true(fabs(sum / N) < 5.0 / sqrt(N));
    assert_true(fabs(squares / N - 1.0) < 5.0 * sqrt(2.0 / N));
    assert_true(fabs((double)beyond2 / N - 0.0455003) < 5.0 * sqrt(0.0455 * 0.9545 / N));
}

static void pairs_have_mean_0_and_variance_1_and_normal_tails(void **state)
{
    (void)state;
    enum { N = 200000, M = 199 };
    static float x[N];
    struct rng   rng;
    double       sum = 0, squares = 0, fourth = 0, product = 0;
    int          beyond2 = 0, beyond3 = 0, quadrant[4] = {0};
    rng_init(&rng, 1, RNG_TEST, 3);
    rng_normal_pairs(&rng, x, N);
    for (int i = 0; i < N; i++) {
        double z = (double)x[i];
        sum += z;
        squares += z * z;
        fourth += z * z * z * z;
        beyond2 += fabs(z) > 2.0;
        beyond3 += fabs(z) > 3.0;
    }
    assert_true(fabs(sum / N) < 5.0 / sqrt(N));
    assert_true(fabs(squares / N - 1.0) < 5.0 * sqrt(2.0 / N));
    assert_true(fabs(fourth / N - 3.0) < 5.0 * sqrt(96.0 / N));
    assert_true(fabs((double)beyond2 / N - 0.0455003) < 5.0 * sqrt(0.0455 * 0.9545 / N));
    assert_true(fabs((double)beyond3 / N - 0.0026998) < 5.0 * sqrt(0.0027 * 0.9973 / N));
    // the two of a pair lie 64 apart, in full blocks of 128: every quadrant as often, no correlation
    for (int i = 0; i + 128 <= N; i += 128)
        for (int j = i; j < i + 64; j++) {
            quadrant[(x[j] < 0) + 2 * (x[j + 64] < 0)]++;
            product += (double)x[j] * (double)x[j + 64];
        }
    double pairs = N / 128 * 64;
    for (int i = 0; i < 4; i++)
        assert_true(fabs(quadrant[i] / pairs - 0.25) < 5.0 * sqrt(0.1875 / pairs));
    assert_true(fabs(product / pairs) < 5.0 / sqrt(pairs));
    // any length, nothing beyond it
    for (size_t n = 1; n < M; n++) {
        x[n] = 77;
        rng_normal_pairs(&rng, x, n);
        assert_true(x[n] == 77 && x[n - 1] != 77);
    }
}

static void below_stays_below_and_reaches_every_value(void **state)
{
    (void)state;
    struct rng rng;
    int        count[7] = {0};
    rng_init(&rng, 1, RNG_TEST, 1);
    for (int i = 0; i < 7000; i++) {
        uint64_t x = rng_below(&rng, 7);
        assert_true(x < 7);
        count[x]++;
    }
    for (int i = 0; i < 7; i++)
        assert_true(count[i] > 850 && count[i] < 1150);
    assert_true(rng_below(&rng, 1) == 0);
}

static void copied_state_continues_the_stream(void **state)
{
    (void)state;
    struct rng a, b;
    rng_init(&a, 1, RNG_NOISE, 0);
    rng_normal(&a);
    memcpy(&b, &a, sizeof a);
    for (int i = 0; i < 5; i++)
        assert_true(rng_normal(&a) == rng_normal(&b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_gives_the_authors_numbers),
        cmocka_unit_test(streams_of_another_name_differ_and_of_the_same_name_agree),
        cmocka_unit_test(normals_have_mean_0_and_variance_1_and_normal_tails),
        cmocka_unit_test(pairs_have_mean_0_and_variance_1_and_normal_tails),
        cmocka_unit_test(below_stays_below_and_reaches_every_value),
        cmocka_unit_test(copied_state_continues_the_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
