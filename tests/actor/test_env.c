#include "actor/env.h"

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

static struct spec spec_of(const char *task)
{
    struct spec spec = {.file = "test.yaml"};
    snprintf(spec.env.name, sizeof spec.env.name, "%s", task);
    return spec;
}

static void add_kwarg(struct spec *spec, const char *name, size_t n, double a, double b)
{
    struct kwarg_spec *k = &spec->env.kwargs[spec->env.n_kwargs++];
    *k = (struct kwarg_spec){.value = {a, b}, .n = n, .line = (int)spec->env.n_kwargs};
    snprintf(k->name, sizeof k->name, "%s", name);
}

static struct env *make(const struct spec *spec)
{
    struct error err = {0};
    struct env  *env = env_make(spec, &err);
    if (env == NULL)
        fail_msg("%s", err.text);
    return env;
}

// an action of zeros, or of choice 0
static const float nothing[ENV_MAX_ACTION];
static float       obs[1024];

static void every_task_has_the_sizes_of_gymnasium(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t      obs, action;
        double      high;
        uint64_t    limit;
    } want[] = {
        {"Acrobot-v1", 6, 3, 0, 500},
        {"Ant-v5", 105, 8, 1, 1000},
        {"CartPole-v1", 4, 2, 0, 500},
        {"HalfCheetah-v5", 17, 6, 1, 1000},
        {"Hopper-v5", 11, 3, 1, 1000},
        {"Humanoid-v5", 348, 17, (double)0.4f, 1000},
        {"HumanoidStandup-v5", 348, 17, (double)0.4f, 1000},
        {"InvertedDoublePendulum-v5", 9, 1, 1, 1000},
        {"InvertedPendulum-v5", 4, 1, 3, 1000},
        {"MountainCar-v0", 2, 3, 0, 200},
        {"MountainCarContinuous-v0", 2, 1, 1, 999},
        {"Pendulum-v1", 3, 1, 2, 200},
        {"Pusher-v5", 23, 7, 2, 100},
        {"Reacher-v5", 10, 2, 1, 50},
        {"Swimmer-v5", 8, 2, 1, 1000},
        {"Walker2d-v5", 17, 6, 1, 1000},
    };
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        struct spec            spec = spec_of(want[i].name);
        struct env            *env = make(&spec);
        const struct env_info *info = env_info(env);
        assert_string_equal(info->name, want[i].name);
        assert_int_equal(info->obs, want[i].obs);
        assert_int_equal(info->action, want[i].action);
        assert_int_equal(info->discrete, want[i].high == 0);
        assert_true(info->high[0] == want[i].high && info->low[0] == -want[i].high);
        assert_int_equal(info->max_steps, want[i].limit);
        env_free(env);
    }
}

static void every_task_runs_to_its_end_with_finite_numbers(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1, RNG_TEST, 0);
    for (size_t i = 0; env_name(i) != NULL; i++) {
        if (strstr(env_name(i), "-v") == NULL)
            continue;  // a user's own task
        struct spec     spec = spec_of(env_name(i));
        struct env     *env = make(&spec);
        struct env_step s = {0};
        uint64_t        steps = 0;
        env_reset(env, &rng, obs);
        while (!s.terminated && !s.truncated) {
            s = env_step(env, nothing, obs);
            assert_false(s.broken);
            assert_true(isfinite(s.reward));
            for (size_t k = 0; k < env_info(env)->obs; k++)
                assert_true(isfinite(obs[k]));
            steps++;
        }
        assert_true(s.terminated || steps == env_info(env)->max_steps);
        env_free(env);
    }
}

static void an_unknown_task_is_an_error_that_lists_the_known(void **state)
{
    (void)state;
    struct spec  spec = spec_of("Cheetah-v5");
    struct error err = {0};
    assert_null(env_make(&spec, &err));
    assert_int_equal(err.code, ERR_SPEC);
    assert_non_null(strstr(err.text, "Cheetah-v5"));
    assert_non_null(strstr(err.text, "HalfCheetah-v5"));
}

static void all_bad_kwargs_are_named_with_their_lines(void **state)
{
    (void)state;
    struct spec  spec = spec_of("Hopper-v5");
    struct error err = {0};
    add_kwarg(&spec, "healthy_reward", 1, 2, 0);
    add_kwarg(&spec, "helthy_reward", 1, 2, 0);
    add_kwarg(&spec, "healthy_z_range", 2, 2, 1);
    add_kwarg(&spec, "frame_skip", 1, 0.5, 0);
    assert_null(env_make(&spec, &err));
    assert_int_equal(err.code, ERR_SPEC);
    assert_non_null(strstr(err.text, "test.yaml:2: env.kwargs.helthy_reward: Hopper-v5 has no"));
    assert_non_null(strstr(err.text, "test.yaml:3: env.kwargs.healthy_z_range: must be a list"));
    assert_non_null(strstr(err.text, "test.yaml:4: env.kwargs.frame_skip: must be an integer"));
    assert_null(strstr(err.text, "test.yaml:1:"));
}

static void kwargs_change_observation_reward_and_end(void **state)
{
    (void)state;
    struct spec spec = spec_of("Ant-v5");
    struct rng  rng;
    rng_init(&rng, 1, RNG_TEST, 0);
    add_kwarg(&spec, "exclude_current_positions_from_observation", 1, 0, 0);
    add_kwarg(&spec, "include_cfrc_ext_in_observation", 1, 0, 0);
    add_kwarg(&spec, "healthy_reward", 1, 100, 0);
    add_kwarg(&spec, "healthy_z_range", 2, 5, 6);
    add_kwarg(&spec, "terminate_when_unhealthy", 1, 0, 0);
    struct env *env = make(&spec);
    assert_int_equal(env_info(env)->obs, 29);
    env_reset(env, &rng, obs);
    struct env_step s = env_step(env, nothing, obs);
    assert_false(s.terminated);
    assert_true(s.reward < 50);
    env_free(env);
}

static void frame_skip_changes_the_time_of_a_step(void **state)
{
    (void)state;
    struct spec spec = spec_of("InvertedPendulum-v5");
    struct env *two = make(&spec);
    add_kwarg(&spec, "frame_skip", 1, 1, 0);
    struct env *one = make(&spec);
    double      start[4] = {0, 0.05, 0, 0}, a[4], b[4];
    env_set_state(two, start, 0, obs);
    env_set_state(one, start, 0, obs);
    env_step(two, nothing, obs);
    env_step(one, nothing, obs);
    env_get_state(one, b);
    env_step(one, nothing, obs);
    env_get_state(two, a);
    assert_true(fabs(a[1] - b[1]) > 1e-5);
    env_get_state(one, b);
    assert_memory_equal(a, b, sizeof a);
    env_free(one);
    env_free(two);
}

static void max_t_of_the_spec_truncates_and_keeps_terminated_apart(void **state)
{
    (void)state;
    struct spec spec = spec_of("CartPole-v1");
    spec.env.max_t = 2;
    struct env     *env = make(&spec);
    double          start[4] = {2.38, 1, 0, 0};
    struct env_step s;
    env_set_state(env, start, 0, obs);
    s = env_step(env, nothing, obs);
    assert_false(s.terminated || s.truncated);
    s = env_step(env, nothing, obs);
    assert_true(s.terminated && s.truncated);
    env_free(env);
}

static void a_bad_state_is_broken_and_the_next_episode_is_well(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1, RNG_TEST, 0);
    struct spec spec = spec_of("HalfCheetah-v5");
    struct env *env = make(&spec);
    double      start[18] = {0};
    for (int round = 0; round < 3; round++) {
        // MuJoCo calls a state bad when a number of it is not finite or beyond 1e10
        start[0] = round == 0 ? 1e11 : 0;
        start[9] = round == 1 ? -1e11 : 0;
        start[17] = round == 2 ? NAN : 0;
        env_set_state(env, start, 0, obs);
        assert_true(env_step(env, nothing, obs).broken);
        env_reset(env, &rng, obs);
        assert_false(env_step(env, nothing, obs).broken);
    }
    env_free(env);
    assert_int_not_equal(access("MUJOCO_LOG.TXT", F_OK), 0);
}

static void an_action_that_is_not_finite_breaks_the_step_only(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1, RNG_TEST, 0);
    static const char *const tasks[] = {"Ant-v5", "InvertedPendulum-v5", "Pendulum-v1"};
    for (size_t i = 0; i < sizeof tasks / sizeof tasks[0]; i++) {
        struct spec spec = spec_of(tasks[i]);
        struct env *env = make(&spec);
        float       action[ENV_MAX_ACTION] = {NAN};
        env_reset(env, &rng, obs);
        assert_true(env_step(env, action, obs).broken);
        env_reset(env, &rng, obs);
        assert_false(env_step(env, nothing, obs).broken);
        env_free(env);
    }
}

static void a_copy_steps_as_the_first_and_outlives_it(void **state)
{
    (void)state;
    struct error err = {0};
    struct rng   rng;
    struct spec  spec = spec_of("Hopper-v5");
    add_kwarg(&spec, "reset_noise_scale", 1, 0.1, 0);
    struct env *first = make(&spec);
    struct env *copy = env_copy(first, &err);
    assert_non_null(copy);
    float other[1024];
    rng_init(&rng, 3, RNG_TEST, 0);
    env_reset(first, &rng, obs);
    env_step(first, nothing, obs);
    env_free(first);
    rng_init(&rng, 3, RNG_TEST, 0);
    env_reset(copy, &rng, other);
    env_step(copy, nothing, other);
    assert_memory_equal(obs, other, 11 * sizeof *obs);
    env_free(copy);
}

static void actions_are_scaled_onto_the_bounds(void **state)
{
    (void)state;
    struct env_info info = {.action = 3, .low = {-2, 0, -1}, .high = {2, 10, 3}};
    float           x[3] = {-1, 0, 1};
    env_scale_action(&info, x, x);
    assert_true(x[0] == -2 && x[1] == 5 && x[2] == 3);
}

static void a_model_that_does_not_load_is_one_error(void **state)
{
    (void)state;
    char  directory[] = "/tmp/crossfleet-test-XXXXXX", path[128];
    FILE *file;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/ant.xml", directory);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs("<mujoco><worldbody><body><joint type='hinge'/></body></worldbody></mujoco>", file);
    fclose(file);
    char *before = getenv("CROSSFLEET_ASSETS"), *kept = before != NULL ? strdup(before) : NULL;
    setenv("CROSSFLEET_ASSETS", directory, 1);

    struct error err = {0};
    struct spec  spec = spec_of("Ant-v5");
    assert_null(env_make(&spec, &err));
    assert_int_equal(err.code, ERR_SPEC);
    assert_non_null(strstr(err.text, path));
    err = (struct error){0};
    spec = spec_of("Hopper-v5");
    assert_null(env_make(&spec, &err));
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_non_null(strstr(err.text, "hopper.xml"));

    if (kept != NULL)
        setenv("CROSSFLEET_ASSETS", kept, 1);
    else
        unsetenv("CROSSFLEET_ASSETS");
    free(kept);
    unlink(path);
    rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_has_the_sizes_of_gymnasium),
        cmocka_unit_test(every_task_runs_to_its_end_with_finite_numbers),
        cmocka_unit_test(an_unknown_task_is_an_error_that_lists_the_known),
        cmocka_unit_test(all_bad_kwargs_are_named_with_their_lines),
        cmocka_unit_test(kwargs_change_observation_reward_and_end),
        cmocka_unit_test(frame_skip_changes_the_time_of_a_step),
        cmocka_unit_test(max_t_of_the_spec_truncates_and_keeps_terminated_apart),
        cmocka_unit_test(a_bad_state_is_broken_and_the_next_episode_is_well),
        cmocka_unit_test(an_action_that_is_not_finite_breaks_the_step_only),
        cmocka_unit_test(a_copy_steps_as_the_first_and_outlives_it),
        cmocka_unit_test(actions_are_scaled_onto_the_bounds),
        cmocka_unit_test(a_model_that_does_not_load_is_one_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
