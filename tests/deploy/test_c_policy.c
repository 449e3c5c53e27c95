// libcrossfleet_policy, as a robot would link it, acts as the program does.
#include "deploy/c/crossfleet_policy.h"

#include "common/policy_file.h"
#include "common/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { O = 7, A = 3, H = 32, B = 20 };

static char path[64];

static void add_layer(struct policy *p, enum policy_kind kind, size_t out)
{
    struct policy_layer *l = &p->layer[p->n_layers];
    l->kind = kind;
    l->in = p->n_layers > 0 ? l[-1].out : p->O;
    l->out = out > 0 ? out : l->in;
    l->eps = 1e-5;
    p->n_layers++;
}

static void make_policy(struct policy *p, struct policy_about *about, bool discrete)
{
    struct rng rng;
    *p =
        (struct policy){.O = O, .A = A, .discrete = discrete, .log_std_min = -20, .log_std_max = 2};
    *about = (struct policy_about){.version = "1", .run_id = "x", .env = "Task-v0"};
    add_layer(p, POLICY_LINEAR, H);
    add_layer(p, POLICY_LAYER_NORM, 0);
    add_layer(p, POLICY_RELU, 0);
    add_layer(p, POLICY_AFFINE, 0);
    add_layer(p, POLICY_LINEAR, H);
    add_layer(p, POLICY_TANH, 0);
    add_layer(p, POLICY_LINEAR, discrete ? A : 2 * A);
    assert_int_equal(policy_layout(p, B, NULL), 0);
    rng_init(&rng, 8, RNG_TEST, discrete);
    for (size_t i = 0; i < p->n_floats; i++)
        p->floats[i] = (float)rng_range(&rng, -0.5, 0.5);
    for (size_t k = 0; k < A; k++) {
        about->low[k] = -1.5 - (double)k;
        about->high[k] = 0.5 + 2 * (double)k;
    }
    snprintf(path, sizeof path, "/tmp/crossfleet-c-policy-XXXXXX");
    close(mkstemp(path));
    assert_int_equal(policy_file_save(path, p, about, NULL), 0);
}

static void compare(bool discrete)
{
    struct policy       p;
    struct policy_about about;
    struct rng          rng;
    float               obs[B * O], y[B * 2 * A], wanted[B * A], got[A];
    double              largest = 0;
    char                message[512] = "";
    size_t              columns = discrete ? 1 : A;
    make_policy(&p, &about, discrete);
    rng_init(&rng, 9, RNG_TEST, 0);
    rng_normal_fill(&rng, obs, B * O);
    policy_act(&p, wanted, y, obs, B, NULL);

    struct crossfleet_policy *c = crossfleet_policy_load(path, message, sizeof message);
    if (c == NULL)
        fail_msg("%s", message);
    assert_string_equal(crossfleet_policy_task(c), "Task-v0");
    assert_int_equal(crossfleet_policy_observations(c), O);
    assert_int_equal(crossfleet_policy_actions(c), A);
    assert_int_equal(crossfleet_policy_is_discrete(c), discrete);
    for (size_t i = 0; i < B; i++) {
        crossfleet_policy_act(c, got, obs + i * O);
        for (size_t k = 0; k < columns; k++) {
            double x = (double)wanted[i * columns + k];
            double scaled =
                discrete ? x : about.low[k] + (x + 1) / 2 * (about.high[k] - about.low[k]);
            largest = fmax(largest, fabs((double)got[k] - scaled));
        }
    }
    print_message("largest difference %.2g\n", largest);
    assert_true(largest < 1e-5);
    crossfleet_policy_free(c);
    policy_free(&p);
    unlink(path);
}

static void continuous_actions_agree(void **state)
{
    (void)state;
    compare(false);
}

static void discrete_actions_agree(void **state)
{
    (void)state;
    compare(true);
}

static void a_file_that_is_no_policy_is_refused_with_a_reason(void **state)
{
    (void)state;
    char message[512] = "";
    assert_null(crossfleet_policy_load("/nowhere.safetensors", message, sizeof message));
    assert_non_null(strstr(message, "/nowhere.safetensors"));
    assert_null(crossfleet_policy_load("Makefile", NULL, 0));
    crossfleet_policy_free(NULL);
}

// the example of configs/examples, compiled as its README says, on one observation
static void the_example_compiles_and_acts(void **state)
{
    (void)state;
    struct policy       p;
    struct policy_about about;
    char                command[1024], line[128] = "";
    const char         *bin = getenv("CROSSFLEET_BIN");
    if (bin == NULL || strstr(bin, "san") != NULL) {
        print_message("needs CROSSFLEET_BIN, and no sanitizer in the library\n");
        skip();
    }
    make_policy(&p, &about, true);
    snprintf(command, sizeof command,
             "cc -I deploy/c -o %s.robot configs/examples/policy_in_c/robot.c "
             "%s/libcrossfleet_policy.a -lm && echo 0 0 0 0 0 0 1 | %s.robot %s 2>/dev/null; "
             "rm -f %s.robot",
             path, bin, path, path, path);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    assert_non_null(fgets(line, sizeof line, out));
    pclose(out);
    float obs[O] = {0, 0, 0, 0, 0, 0, 1}, y[2 * A], action[A];
    policy_act(&p, action, y, obs, 1, NULL);
    assert_int_equal(atoi(line), (int)action[0]);
    policy_free(&p);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(continuous_actions_agree),
        cmocka_unit_test(discrete_actions_agree),
        cmocka_unit_test(a_file_that_is_no_policy_is_refused_with_a_reason),
        cmocka_unit_test(the_example_compiles_and_acts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
