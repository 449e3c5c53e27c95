// deploy/python/crossfleet_policy.py acts as the program does. Skipped without python3 and numpy.
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

static void add_layer(struct policy *p, enum policy_kind kind, size_t out)
{
    struct policy_layer *l = &p->layer[p->n_layers];
    l->kind = kind;
    l->in = p->n_layers > 0 ? l[-1].out : p->O;
    l->out = out > 0 ? out : l->in;
    l->eps = 1e-5;
    p->n_layers++;
}

// every kind of layer, random weights
static void make_policy(struct policy *p, bool discrete)
{
    struct error err = {.code = 0};
    struct rng   rng;
    *p =
        (struct policy){.O = O, .A = A, .discrete = discrete, .log_std_min = -20, .log_std_max = 2};
    add_layer(p, POLICY_AFFINE, 0);
    add_layer(p, POLICY_LINEAR, H);
    add_layer(p, POLICY_LAYER_NORM, 0);
    add_layer(p, POLICY_RELU, 0);
    add_layer(p, POLICY_LINEAR, H);
    add_layer(p, POLICY_TANH, 0);
    add_layer(p, POLICY_LINEAR, discrete ? A : 2 * A);
    if (policy_layout(p, B, &err) != 0)
        fail_msg("%s", err.text);
    rng_init(&rng, 5, RNG_TEST, discrete);
    for (size_t i = 0; i < p->n_floats; i++)
        p->floats[i] = (float)rng_range(&rng, -0.5, 0.5);
}

// the actions that the player prints for observations on its standard input
static void play(double *action, const char *policy, const float *obs, size_t columns)
{
    char command[512], input[] = "/tmp/crossfleet-obs-XXXXXX";
    int  fd = mkstemp(input);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, obs, B * O * sizeof *obs), B * O * sizeof *obs);
    close(fd);
    snprintf(command, sizeof command,
             "PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=deploy/python:$PYTHONPATH python3 -c \"import "
             "numpy as np; "
             "from crossfleet_policy import Policy; p = Policy.load('%s'); "
             "x = np.fromfile('%s', np.float32).reshape(-1, p.obs_size); "
             "assert np.allclose(p.act(x[0]), p.act(x)[0], atol=1e-6); "
             "[print('%%.9g' %% y) for y in np.ravel(p.act(x))]\"",
             policy, input);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    for (size_t i = 0; i < B * columns; i++)
        assert_int_equal(fscanf(out, "%lf", &action[i]), 1);
    assert_int_equal(pclose(out), 0);
    unlink(input);
}

static void compare(bool discrete)
{
    struct policy       p;
    struct policy_about about = {.version = "1", .run_id = "x", .env = "Task-v0", .eval_return = 1};
    struct rng          rng;
    float               obs[B * O], y[B * 2 * A], wanted[B * A];
    double              got[B * A], largest = 0;
    char                path[] = "/tmp/crossfleet-policy-XXXXXX";
    size_t              columns = discrete ? 1 : A;
    if (system("python3 -c 'import numpy' 2>/dev/null") != 0) {
        print_message("no python3 with numpy here\n");
        skip();
    }
    make_policy(&p, discrete);
    for (size_t k = 0; k < A; k++) {
        about.low[k] = -1.5 - (double)k;
        about.high[k] = 0.5 + 2 * (double)k;
    }
    close(mkstemp(path));
    assert_int_equal(policy_file_save(path, &p, &about, NULL), 0);
    rng_init(&rng, 6, RNG_TEST, 0);
    rng_normal_fill(&rng, obs, B * O);
    policy_act(&p, wanted, y, obs, B, NULL);
    play(got, path, obs, columns);
    for (size_t i = 0; i < B * columns; i++) {
        double low = about.low[i % A], high = about.high[i % A];
        double scaled = discrete ? wanted[i] : low + ((double)wanted[i] + 1) / 2 * (high - low);
        largest = fmax(largest, fabs(got[i] - scaled));
    }
    print_message("largest difference %.2g\n", largest);
    assert_true(largest < 1e-5);
    unlink(path);
    policy_free(&p);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(continuous_actions_agree),
        cmocka_unit_test(discrete_actions_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
