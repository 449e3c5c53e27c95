// Plug-in tasks: the example of configs/examples/plugin is built with $CC (or cc) from the root of the
// tree and run; so are objects that crossfleet must refuse.
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

static char directory[] = "/tmp/crossfleet-test-XXXXXX";

static void compile(const char *object, const char *source)
{
    char        command[1024];
    const char *cc = getenv("CC");
    snprintf(command, sizeof command, "%s -std=c11 -shared -fPIC -I. -o %s/%s %s -lm",
             cc != NULL && cc[0] != '\0' ? cc : "cc", directory, object, source);
    assert_int_equal(system(command), 0);
}

// compiles C text
static void compile_text(const char *object, const char *text)
{
    char  path[256];
    FILE *file;
    snprintf(path, sizeof path, "%s/source.c", directory);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    compile(object, path);
    unlink(path);
}

static int make_directory(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    compile("glider.so", "configs/examples/plugin/glider.c");
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    char command[256];
    snprintf(command, sizeof command, "rm -r %s", directory);
    return system(command);
}

static struct spec spec_of(const char *object)
{
    struct spec spec = {.file = "test.yaml"};
    snprintf(spec.env.name, sizeof spec.env.name, "plugin");
    snprintf(spec.env.task.plugin, sizeof spec.env.task.plugin, "%s/%s", directory, object);
    return spec;
}

static void refuse(const char *object, int code, const char *words)
{
    struct spec  spec = spec_of(object);
    struct error err = {0};
    assert_null(env_make(&spec, &err));
    assert_int_equal(err.code, code);
    if (strstr(err.text, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
}

static void the_example_runs_with_its_sizes_and_its_argument(void **state)
{
    (void)state;
    struct spec  spec = spec_of("glider.so");
    struct error err = {0};
    struct rng   rng;
    float        obs[3], level[1] = {0};
    spec.env.kwargs[0] = (struct kwarg_spec){.name = "goal", .value = {8}, .n = 1};
    spec.env.n_kwargs = 1;
    struct env *env = env_make(&spec, &err);
    if (env == NULL)
        fail_msg("%s", err.text);
    assert_string_equal(env_info(env)->name, "plugin");
    assert_int_equal(env_info(env)->obs, 3);
    assert_int_equal(env_info(env)->max_steps, 200);
    rng_init(&rng, 1, RNG_TEST, 0);
    env_reset(env, &rng, obs);
    assert_true(obs[0] >= 9 && obs[0] < 11 && fabsf(obs[0] + obs[2] - 8) < 1e-5f);
    struct env_step s = {0};
    for (int i = 0; i < 200; i++) {
        assert_false(s.truncated || s.terminated);
        s = env_step(env, level, obs);
    }
    assert_true(s.truncated && !s.terminated);
    env_free(env);
}

static void copies_are_apart_and_start_states_follow_the_stream(void **state)
{
    (void)state;
    struct spec  spec = spec_of("glider.so");
    struct error err = {0};
    struct rng   rng;
    float        a[3], b[3], down[1] = {-1};
    struct env  *env = env_make(&spec, &err), *other;
    assert_non_null(env);
    other = env_copy(env, &err);
    assert_non_null(other);
    rng_init(&rng, 1, RNG_TEST, 0);
    env_reset(env, &rng, a);
    env_reset(other, &rng, b);
    assert_true(a[0] != b[0]);
    rng_init(&rng, 1, RNG_TEST, 0);
    env_step(env, down, a);
    env_reset(env, &rng, a);
    rng_init(&rng, 1, RNG_TEST, 0);
    env_free(env);
    env_reset(other, &rng, b);
    assert_memory_equal(a, b, sizeof a);
    env_free(other);
}

static void the_plugins_own_words_reach_the_user(void **state)
{
    (void)state;
    struct spec  spec = spec_of("glider.so");
    struct error err = {0};
    spec.env.kwargs[0] = (struct kwarg_spec){.name = "gaol", .value = {8}, .n = 1};
    spec.env.n_kwargs = 1;
    assert_null(env_make(&spec, &err));
    assert_non_null(strstr(err.text, "Glider-v0: there is no argument gaol, allowed: goal"));
}

static void objects_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    refuse("missing.so", ERR_SYSTEM, "missing.so");
    compile_text("empty.so", "int nothing;");
    refuse("empty.so", ERR_SPEC, "exports no crossfleet_env");
    compile_text("old.so", "#include \"actor/crossfleet_env.h\"\n"
                           "const struct crossfleet_env *crossfleet_env(void) {\n"
                           "    static const struct crossfleet_env t = {.version = 99};\n"
                           "    return &t; }\n");
    refuse("old.so", ERR_VERSION, "version 99");
    compile_text("sizes.so",
                 "#include \"actor/crossfleet_env.h\"\n"
                 "static void *make(const struct crossfleet_env_arg *a, size_t n,\n"
                 "    struct crossfleet_env_sizes *s, char *e, size_t z) { return s; }\n"
                 "static void end(void *env) {}\n"
                 "const struct crossfleet_env *crossfleet_env(void) {\n"
                 "    static const struct crossfleet_env t = {CROSSFLEET_ENV_VERSION, \"No-v0\",\n"
                 "        make, end};\n"
                 "    return &t; }\n");
    refuse("sizes.so", ERR_SPEC, "No-v0: needs obs >= 1");
}

static void a_number_that_is_not_finite_is_a_broken_step(void **state)
{
    (void)state;
    struct spec  spec = spec_of("glider.so");
    struct error err = {0};
    struct rng   rng;
    float        obs[3], action[1] = {NAN};
    struct env  *env = env_make(&spec, &err);
    assert_non_null(env);
    rng_init(&rng, 1, RNG_TEST, 0);
    env_reset(env, &rng, obs);
    assert_true(env_step(env, action, obs).broken);
    env_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_runs_with_its_sizes_and_its_argument),
        cmocka_unit_test(copies_are_apart_and_start_states_follow_the_stream),
        cmocka_unit_test(the_plugins_own_words_reach_the_user),
        cmocka_unit_test(objects_that_do_not_fit_are_refused),
        cmocka_unit_test(a_number_that_is_not_finite_is_a_broken_step),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
