#include "common/adam.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct optim_spec spec_of(enum optim_kind kind, double decay)
{
    return (struct optim_spec){
        .kind = kind, .lr = 0.1, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8, .weight_decay = decay};
}

static void first_step_has_the_size_of_lr(void **state)
{
    (void)state;
    // whatever the gradient's size; m / v bias corrections cancel at t = 1
    float             p[3] = {1, 1, 1}, g[3] = {1e-4f, -30, 0}, m[3] = {0}, v[3] = {0};
    struct optim_spec spec = spec_of(OPTIM_ADAM, 0);
    struct adam       a;
    adam_init(&a, &spec, 3, m, v);
    adam_begin(&a, spec.lr);
    adam_apply(&a, p, g, 1, 0, 3);
    assert_true(fabsf(p[0] - 0.9f) < 1e-4f);
    assert_true(fabsf(p[1] - 1.1f) < 1e-6f);
    assert_true(p[2] == 1);
}

static void decay_is_in_the_gradient_or_beside_it(void **state)
{
    (void)state;
    float             p[1] = {2}, g[1] = {0}, m[1] = {0}, v[1] = {0};
    struct optim_spec spec = spec_of(OPTIM_ADAMW, 0.5);
    struct adam       a;
    adam_init(&a, &spec, 1, m, v);
    adam_begin(&a, spec.lr);
    adam_apply(&a, p, g, 1, 0, 1);
    assert_true(fabsf(p[0] - 2 * 0.95f) < 1e-6f && m[0] == 0);
    spec.kind = OPTIM_ADAM;
    p[0] = 2;
    adam_init(&a, &spec, 1, m, v);
    adam_begin(&a, spec.lr);
    adam_apply(&a, p, g, 1, 0, 1);
    assert_true(fabsf(p[0] - 1.9f) < 1e-5f && fabsf(m[0] - 0.1f) < 1e-6f);
}

static void parts_make_the_whole(void **state)
{
    (void)state;
    enum { N = 100 };
    float             p[2][N], g[N], m[2][N] = {{0}}, v[2][N] = {{0}};
    struct optim_spec spec = spec_of(OPTIM_ADAM, 0.01);
    struct adam       a[2];
    for (int i = 0; i < N; i++) {
        p[0][i] = p[1][i] = (float)i;
        g[i] = sinf((float)i);
    }
    for (int k = 0; k < 2; k++)
        adam_init(&a[k], &spec, N, m[k], v[k]);
    for (int step = 0; step < 5; step++) {
        adam_begin(&a[0], 0.01);
        adam_apply(&a[0], p[0], g, 0.5f, 0, N);
        adam_begin(&a[1], 0.01);
        adam_apply(&a[1], p[1], g, 0.5f, 32, N);
        adam_apply(&a[1], p[1], g, 0.5f, 0, 32);
    }
    assert_memory_equal(p[0], p[1], sizeof p[0]);
    assert_int_equal(a[0].t, 5);
}

static void rate_follows_its_schedule(void **state)
{
    (void)state;
    struct optim_spec spec = spec_of(OPTIM_ADAM, 0);
    assert_true(adam_rate(&spec, 0.7) == 0.1);
    spec.schedule = SCHEDULE_LINEAR;
    spec.final_factor = 0.1;
    assert_true(adam_rate(&spec, 0) == 0.1);
    assert_true(fabs(adam_rate(&spec, 0.5) - 0.055) < 1e-12);
    assert_true(fabs(adam_rate(&spec, 1.5) - 0.01) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_step_has_the_size_of_lr),
        cmocka_unit_test(decay_is_in_the_gradient_or_beside_it),
        cmocka_unit_test(parts_make_the_whole),
        cmocka_unit_test(rate_follows_its_schedule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
