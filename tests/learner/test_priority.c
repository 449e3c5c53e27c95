#include "common/rng.h"
#include "learner/priority.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void init(struct priority *p, size_t capacity)
{
    struct error err;
    assert_int_equal(priority_init(p, capacity, 0.6, 0.01, &err), 0);
}

static void new_rows_get_the_largest_priority(void **state)
{
    (void)state;
    struct priority p;
    init(&p, 5);
    priority_insert(&p, 0);
    assert_true(priority_leaves(&p)[0] == 1);
    priority_update(&p, (uint64_t[]){0}, (float[]){-7}, 1);
    priority_insert(&p, 4);
    assert_true(fabs(p.largest - 7.01) < 1e-12);
    assert_true(fabs(priority_leaves(&p)[4] - pow(7.01, 0.6)) < 1e-12);
    // a smaller one does not lower it
    priority_update(&p, (uint64_t[]){0}, (float[]){0}, 1);
    assert_true(fabs(p.largest - 7.01) < 1e-12);
    priority_free(&p);
}

static void rows_without_priority_are_never_drawn(void **state)
{
    (void)state;
    struct priority p;
    struct rng      rng;
    init(&p, 1000);
    rng_init(&rng, 1, RNG_TEST, 0);
    for (size_t i = 100; i < 200; i++)
        priority_insert(&p, i);
    // the points just below the end too
    assert_int_equal(priority_find(&p, priority_total(&p)), 199);
    for (int k = 0; k < 1000; k++) {
        double   u[32];
        uint64_t index[32];
        for (int j = 0; j < 32; j++)
            u[j] = k == 0 ? 0x1.fffffffffffffp-1 : rng_uniform(&rng);
        priority_draw(&p, index, u, 32);
        for (int j = 0; j < 32; j++)
            assert_in_range(index[j], 100, 199);
    }
    priority_free(&p);
}

static void draws_are_proportional(void **state)
{
    (void)state;
    struct priority p;
    struct rng      rng;
    size_t          count[4] = {0}, n = 40000;
    init(&p, 4);
    p.alpha = 1;
    p.epsilon = 0;
    rng_init(&rng, 2, RNG_TEST, 0);
    priority_update(&p, (uint64_t[]){0, 1, 2, 3}, (float[]){1, 2, 3, 4}, 4);
    for (size_t k = 0; k < n; k += 8) {
        double   u[8];
        uint64_t index[8];
        for (int j = 0; j < 8; j++)
            u[j] = rng_uniform(&rng);
        priority_draw(&p, index, u, 8);
        for (int j = 0; j < 8; j++)
            count[index[j]]++;
    }
    for (size_t i = 0; i < 4; i++)
        assert_true(fabs((double)count[i] / (double)n - 0.1 * (double)(i + 1)) < 0.01);
    float weight[2];
    priority_weights(&p, weight, (uint64_t[]){0, 3}, 2, 4, 1);
    assert_true(weight[0] == 1 && fabsf(weight[1] - 0.25f) < 1e-6f);
    priority_free(&p);
}

static void errors_that_are_not_finite_change_nothing(void **state)
{
    (void)state;
    struct priority p;
    init(&p, 3);
    priority_insert(&p, 1);
    double before = priority_leaves(&p)[1];
    priority_update(&p, (uint64_t[]){1, 1}, (float[]){NAN, INFINITY}, 2);
    assert_true(priority_leaves(&p)[1] == before && p.largest == 1);
    priority_free(&p);
}

static void sums_stay_exact_and_can_be_rebuilt(void **state)
{
    (void)state;
    struct priority p;
    struct rng      rng;
    init(&p, 77);
    rng_init(&rng, 3, RNG_TEST, 0);
    for (int k = 0; k < 100000; k++) {
        uint64_t index = rng_below(&rng, 77);
        float    error = (float)exp(10 * rng_normal(&rng));
        priority_update(&p, &index, &error, 1);
    }
    double total = priority_total(&p);
    priority_rebuild(&p);
    assert_true(priority_total(&p) == total);
    priority_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_rows_get_the_largest_priority),
        cmocka_unit_test(rows_without_priority_are_never_drawn),
        cmocka_unit_test(draws_are_proportional),
        cmocka_unit_test(errors_that_are_not_finite_change_nothing),
        cmocka_unit_test(sums_stay_exact_and_can_be_rebuilt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
