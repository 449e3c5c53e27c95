#include "actor/simulator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void fail_inside(void *context)
{
    (void)context;
    mju_error("stack overflow");
}

static void nest(void *context)
{
    struct error *err = context;
    assert_int_equal(simulator_guard(fail_inside, NULL, err), ERR_SYSTEM);
    mju_error("outer");
}

static void load(struct simulator *s, const char *xml)
{
    char         path[] = "/tmp/crossfleet-test-XXXXXX";
    struct error err = {0};
    int          fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, xml, strlen(xml)), (ssize_t)strlen(xml));
    close(fd);
    if (simulator_load(s, path, 2, &err) < 0)
        fail_msg("%s", err.text);
    unlink(path);
}

static const char pendulum[] =
    "<mujoco><option timestep='0.01'/><worldbody><body name='link' pos='0 0 1'>"
    "<joint name='pivot' type='hinge' axis='0 1 0'/><geom type='capsule' size='0.05' "
    "fromto='0 0 0 0 0 -0.5'/></body></worldbody><actuator><motor joint='pivot' "
    "ctrllimited='true' ctrlrange='-1 1'/></actuator></mujoco>";

static void the_sizes_and_the_step_are_the_models(void **state)
{
    (void)state;
    struct simulator s;
    load(&s, pendulum);
    assert_int_equal(s.nq, 1);
    assert_int_equal(s.nu, 1);
    assert_int_equal(s.nbody, 2);
    assert_true(s.dt == 0.02);
    assert_true(simulator_forward(&s));
    assert_true(simulator_body(&s, "link")[2] == 1);
    float torque = 1;
    assert_true(simulator_step(&s, &torque));
    assert_true(s.d->qpos[0] > 0);
    simulator_free(&s);
}

static void a_fatal_error_of_mujoco_comes_back(void **state)
{
    (void)state;
    struct simulator s;
    struct error     err = {0};
    load(&s, pendulum);
    assert_int_equal(simulator_guard(fail_inside, NULL, &err), ERR_SYSTEM);
    assert_non_null(strstr(err.text, "stack overflow"));
    simulator_free(&s);
    assert_int_not_equal(access("MUJOCO_LOG.TXT", F_OK), 0);
}

static void guards_nest(void **state)
{
    (void)state;
    struct simulator s;
    struct error     inner = {0}, outer = {0};
    load(&s, pendulum);
    assert_int_equal(simulator_guard(nest, &inner, &outer), ERR_SYSTEM);
    assert_non_null(strstr(inner.text, "stack overflow"));
    assert_non_null(strstr(outer.text, "outer"));
    simulator_free(&s);
}

static void a_warning_of_mujoco_writes_no_file(void **state)
{
    (void)state;
    struct simulator s;
    load(&s, pendulum);
    mju_warning("a warning");
    assert_int_not_equal(access("MUJOCO_LOG.TXT", F_OK), 0);
    simulator_free(&s);
}

static void a_bad_model_is_an_error_in_mujocos_words(void **state)
{
    (void)state;
    struct simulator s;
    struct error     err = {0};
    assert_int_equal(simulator_load(&s, "/nonexistent.xml", 1, &err), ERR_SPEC);
    assert_non_null(strstr(err.text, "/nonexistent.xml"));
    simulator_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sizes_and_the_step_are_the_models),
        cmocka_unit_test(a_fatal_error_of_mujoco_comes_back),
        cmocka_unit_test(guards_nest),
        cmocka_unit_test(a_warning_of_mujoco_writes_no_file),
        cmocka_unit_test(a_bad_model_is_an_error_in_mujocos_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
