#include "actor/env.h"
#include "actor/env/term.h"

#include "common/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

// a cart on a rail with a pole that hangs from it, and a ball that floats
static const char model[] =
    "<mujoco><option timestep='0.01'/><worldbody>"
    "<site name='home' pos='0 0 0'/><body name='cart' pos='0 0 1'>"
    "<joint name='rail' type='slide' axis='1 0 0' limited='true' range='-2 2'/>"
    "<geom size='0.1' mass='1'/><site name='top' pos='0 0 0.5'/>"
    "<body name='pole'><joint name='hinge' type='hinge' axis='0 1 0'/>"
    "<geom type='capsule' size='0.05' fromto='0 0 0 0 0 -0.5' mass='0.1'/></body></body>"
    "<body name='ball' pos='0 3 5'><freejoint name='free'/><geom size='0.1'/></body></worldbody>"
    "<actuator><motor joint='rail' ctrllimited='true' ctrlrange='-5 5'/></actuator>"
    "<sensor><jointpos name='angle' joint='hinge'/></sensor></mujoco>";

static char        path[] = "/tmp/crossfleet-test-XXXXXX";
static float       obs[256];
static const float nothing[ENV_MAX_ACTION];

static int write_model(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 || write(fd, model, strlen(model)) < 0 ? -1 : close(fd);
}

static int remove_model(void **state)
{
    (void)state;
    return unlink(path);
}

static struct spec *new_spec(void)
{
    struct spec *spec = calloc(1, sizeof *spec);
    assert_non_null(spec);
    snprintf(spec->file, sizeof spec->file, "robot.yaml");
    snprintf(spec->env.name, sizeof spec->env.name, "custom");
    snprintf(spec->env.task.model, sizeof spec->env.task.model, "%s", path);
    spec->env.task.frame_skip = 2;
    return spec;
}

static struct task_term make_term(const char *name, enum task_object_kind kind, const char *of)
{
    struct task_term term = {.of.kind = kind, .weight = 1, .line = 7};
    snprintf(term.term, sizeof term.term, "%s", name);
    snprintf(term.of.name, sizeof term.of.name, "%s", of);
    return term;
}

static struct task_term *observe(struct spec *spec, const char *name, enum task_object_kind kind,
                                 const char *of)
{
    struct task_term *term = &spec->env.task.observation[spec->env.task.n_observation++];
    *term = make_term(name, kind, of);
    return term;
}

static struct task_term *reward(struct spec *spec, const char *name, enum task_object_kind kind,
                                const char *of, double weight)
{
    struct task_term *term = &spec->env.task.reward[spec->env.task.n_reward++];
    *term = make_term(name, kind, of);
    term->weight = weight;
    return term;
}

static void end_outside(struct spec *spec, const char *name, enum task_object_kind kind,
                        const char *of, double low, double high)
{
    struct task_term *term = &spec->env.task.termination[spec->env.task.n_termination++];
    *term = make_term(name, kind, of);
    term->range[0] = low;
    term->range[1] = high;
}

static struct env *make(const struct spec *spec)
{
    struct error err = {0};
    struct env  *env = env_make(spec, &err);
    if (env == NULL)
        fail_msg("%s", err.text);
    return env;
}

static void observation_terms_read_what_they_say(void **state)
{
    (void)state;
    struct spec *spec = new_spec();
    observe(spec, "qpos", TASK_JOINT, "hinge");
    observe(spec, "qvel", TASK_NOTHING, "");
    observe(spec, "position", TASK_BODY, "cart");
    observe(spec, "up", TASK_BODY, "pole");
    struct task_term *offset = observe(spec, "offset", TASK_SITE, "home");
    offset->to = (struct task_object){TASK_SITE, "top"};
    observe(spec, "sensor", TASK_SENSOR, "angle");
    observe(spec, "qpos", TASK_JOINT, "free");
    observe(spec, "velocity", TASK_BODY, "cart");
    observe(spec, "angular_velocity", TASK_BODY, "pole");
    observe(spec, "contact", TASK_BODY, "cart");
    reward(spec, "alive", TASK_NOTHING, "", 1);
    struct env *env = make(spec);
    assert_int_equal(env_info(env)->obs, 1 + 8 + 3 + 3 + 3 + 1 + 7 + 3 + 3 + 6);
    assert_true(env_info(env)->high[0] == 5 && env_info(env)->max_steps == 1000);

    // qpos: rail, hinge, ball; qvel: rail, hinge, ball
    double start[9 + 8] = {0.5, 0.3, 0, 3, 5, 1, 0, 0, 0, 0.25, 2};
    env_set_state(env, start, 0, obs);
    const double *x = env_observation(env);
    assert_true(x[0] == 0.3 && x[1] == 0.25 && x[2] == 2);
    assert_true(x[9] == 0.5 && x[10] == 0 && x[11] == 1);
    assert_true(fabs(x[12] - sin(0.3)) < 1e-12 && fabs(x[14] - cos(0.3)) < 1e-12);
    assert_true(x[15] == 0.5 && x[17] == 1.5);
    assert_true(x[18] == 0.3 && x[22] == 1);
    assert_true(fabs(x[26] - 0.25) < 1e-12 && fabs(x[30] - 2) < 1e-12);
    env_free(env);
    free(spec);
}

static void rewards_are_summed_with_their_weights(void **state)
{
    (void)state;
    struct spec *spec = new_spec();
    observe(spec, "qpos", TASK_NOTHING, "");
    reward(spec, "alive", TASK_NOTHING, "", 10);
    reward(spec, "control_cost", TASK_NOTHING, "", 0.5);
    reward(spec, "x", TASK_BODY, "cart", 100);
    reward(spec, "joint_limits", TASK_NOTHING, "", 1000);
    struct task_term *term = reward(spec, "distance", TASK_SITE, "top", -1e4);
    term->to = (struct task_object){TASK_SITE, "home"};
    struct env *env = make(spec);
    double      start[17] = {1.95, 0, 0, 3, 5, 1};
    float       action[1] = {2};
    env_set_state(env, start, 0, obs);
    struct env_step s = env_step(env, action, obs);
    double          want = 10 - 0.5 * 4 + 100 * 1.95 - 1000 - 1e4 * hypot(1.95, 1.5);
    assert_true(fabs(s.reward - want) < 50);  // the cart moved a little
    env_free(env);
    free(spec);
}

static void forward_velocity_is_the_change_of_x_a_second(void **state)
{
    (void)state;
    struct spec *spec = new_spec();
    observe(spec, "qpos", TASK_NOTHING, "");
    reward(spec, "forward_velocity", TASK_BODY, "cart", 1);
    struct env *env = make(spec);
    double      start[17] = {0, 0, 0, 3, 5, 1, 0, 0, 0, 0.5};
    env_set_state(env, start, 0, obs);
    env_step(env, nothing, obs);
    struct env_step s = env_step(env, nothing, obs);
    assert_true(fabs(s.reward - 0.5) < 0.05);
    env_free(env);
    free(spec);
}

static void leaving_a_range_terminates_and_ends_the_alive_bonus(void **state)
{
    (void)state;
    struct spec *spec = new_spec();
    observe(spec, "qpos", TASK_NOTHING, "");
    reward(spec, "alive", TASK_NOTHING, "", 10);
    end_outside(spec, "height", TASK_BODY, "ball", 4.99, INFINITY);
    struct env     *env = make(spec);
    double          start[17] = {0, 0, 0, 3, 5, 1};
    int             steps = 0;
    struct env_step s;
    env_set_state(env, start, 0, obs);
    do {
        s = env_step(env, nothing, obs);
        assert_true(s.reward == (s.terminated ? 0 : 10));
    } while (!s.terminated && ++steps < 100);
    assert_true(steps > 0 && steps < 10);
    env_free(env);
    free(spec);
}

static void start_states_have_the_noise_and_unit_quaternions(void **state)
{
    (void)state;
    struct spec *spec = new_spec();
    struct rng   rng;
    double       q[17];
    observe(spec, "qpos", TASK_NOTHING, "");
    reward(spec, "alive", TASK_NOTHING, "", 1);
    spec->env.task.noise_qpos = 0.2;
    struct env *env = make(spec);
    rng_init(&rng, 1, RNG_TEST, 0);
    double widest = 0;
    for (int i = 0; i < 200; i++) {
        env_reset(env, &rng, obs);
        env_get_state(env, q);
        assert_true(fabs(q[0]) <= 0.2 && q[9] == 0);
        assert_true(fabs(q[5] * q[5] + q[6] * q[6] + q[7] * q[7] + q[8] * q[8] - 1) < 1e-12);
        widest = fmax(widest, fabs(q[0]));
    }
    assert_true(widest > 0.19);
    env_free(env);
    free(spec);
}

static void all_that_is_wrong_is_named_with_its_line(void **state)
{
    (void)state;
    struct spec *spec = new_spec();
    struct error err = {0};
    observe(spec, "position", TASK_BODY, "torso");
    observe(spec, "sped", TASK_NOTHING, "");
    reward(spec, "joint", TASK_JOINT, "free", 1)->line = 9;
    reward(spec, "upright", TASK_NOTHING, "", 1)->line = 10;
    assert_null(env_make(spec, &err));
    assert_int_equal(err.code, ERR_SPEC);
    assert_non_null(
        strstr(err.text, "robot.yaml:7: env.observation.0: the model has no body torso"));
    assert_non_null(strstr(err.text, "env.observation.1: there is no term \"sped\" here"));
    assert_non_null(strstr(err.text, "robot.yaml:9: env.reward.0: joint free is neither"));
    assert_non_null(strstr(err.text, "robot.yaml:10: env.reward.1: upright needs one of"));
    free(spec);
}

static void a_model_that_does_not_exist_is_one_error(void **state)
{
    (void)state;
    struct spec *spec = new_spec();
    struct error err = {0};
    observe(spec, "qpos", TASK_NOTHING, "");
    snprintf(spec->env.task.model, sizeof spec->env.task.model, "/nonexistent/robot.xml");
    assert_null(env_make(spec, &err));
    assert_non_null(strstr(err.text, "/nonexistent/robot.xml"));
    free(spec);
}

static void a_copy_has_terms_of_its_own(void **state)
{
    (void)state;
    struct spec *spec = new_spec();
    struct error err = {0};
    observe(spec, "qpos", TASK_NOTHING, "");
    reward(spec, "forward_velocity", TASK_BODY, "cart", 1);
    struct env *env = make(spec), *other = env_copy(env, &err);
    assert_non_null(other);
    env_free(env);
    double start[17] = {1, 0, 0, 3, 5, 1};
    env_set_state(other, start, 0, obs);
    assert_true(fabs(env_step(other, nothing, obs).reward) < 0.1);
    env_free(other);
    free(spec);
}

static void every_term_of_the_table_can_be_bound(void **state)
{
    (void)state;
    for (size_t i = 0; task_term_info(i) != NULL; i++) {
        const struct task_term_info *info = task_term_info(i);
        struct spec                 *spec = new_spec();
        struct task_term            *term;
        observe(spec, "qpos", TASK_NOTHING, "");
        reward(spec, "alive", TASK_NOTHING, "", 1);
        if (info->sections & TASK_OBSERVATION)
            term = observe(spec, info->name, TASK_NOTHING, "");
        else
            term = reward(spec, info->name, TASK_NOTHING, "", 1);
        if (info->of & TASK_BODY)
            term->of = (struct task_object){TASK_BODY, "cart"};
        else if (info->of & TASK_JOINT)
            term->of = (struct task_object){TASK_JOINT, "hinge"};
        else if (info->of & TASK_SENSOR)
            term->of = (struct task_object){TASK_SENSOR, "angle"};
        if (info->to & TASK_SITE)
            term->to = (struct task_object){TASK_SITE, "home"};
        struct env *env = make(spec);
        double      start[17] = {0, 0, 0, 3, 5, 1};
        env_set_state(env, start, 0, obs);
        assert_false(env_step(env, nothing, obs).broken);
        env_free(env);
        free(spec);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(observation_terms_read_what_they_say),
        cmocka_unit_test(rewards_are_summed_with_their_weights),
        cmocka_unit_test(forward_velocity_is_the_change_of_x_a_second),
        cmocka_unit_test(leaving_a_range_terminates_and_ends_the_alive_bonus),
        cmocka_unit_test(start_states_have_the_noise_and_unit_quaternions),
        cmocka_unit_test(all_that_is_wrong_is_named_with_its_line),
        cmocka_unit_test(a_model_that_does_not_exist_is_one_error),
        cmocka_unit_test(a_copy_has_terms_of_its_own),
        cmocka_unit_test(every_term_of_the_table_can_be_bound),
    };
    return cmocka_run_group_tests(tests, write_model, remove_model);
}
