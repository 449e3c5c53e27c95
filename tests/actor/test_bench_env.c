#include "actor/bench_env.h"
#include "actor/envs.h"
#include "common/blas.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void the_bare_run_ends_where_the_env_run_does(void **state)
{
    (void)state;
    // Hopper falls within a slice, so that resets are replayed too
    struct bench_env b;
    struct error     err = {0};
    if (bench_env_measure(&b, "Hopper-v5", 3, 0.05, true, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(b.env > 0 && b.bare > 0 && b.actor > 0);
}

static void classic_control_has_no_bare_rate(void **state)
{
    (void)state;
    char  text[512] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    assert_int_equal(bench_env_print(out, " Pendulum-v1 ", 0.02, NULL), 0);
    fclose(out);
    assert_non_null(strstr(text, "{\"bench\":\"env\",\"task\":\"Pendulum-v1\",\"envs\":16,"));
    assert_non_null(strstr(text, "\"bare_mujoco_steps_per_s\":null,\"actor_steps_per_s\":"));
}

static void a_task_that_does_not_exist_is_an_error(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(bench_env_print(stdout, "Nothing-v0", 0.02, &err), ERR_SPEC);
}

static void the_list_has_a_line_for_each_task(void **state)
{
    (void)state;
    char         text[8192] = "";
    struct error err = {0};
    FILE        *out = fmemopen(text, sizeof text, "w");
    assert_int_equal(envs_print(out, NULL, false, &err), 0);
    fclose(out);
    assert_non_null(strstr(text, "Humanoid-v5                 348  17 in [-0.4, 0.4]   1000"));
    assert_non_null(
        strstr(text, "CartPole-v1                   4  2 choices            500        475"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bare_run_ends_where_the_env_run_does),
        cmocka_unit_test(classic_control_has_no_bare_rate),
        cmocka_unit_test(a_task_that_does_not_exist_is_an_error),
        cmocka_unit_test(the_list_has_a_line_for_each_task),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
