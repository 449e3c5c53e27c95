// Policies: folding BatchRenorm changes no output, files give back the same policy, damage is noticed.
#include "common/policy.h"
#include "common/policy_file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { O = 5, A = 2, B = 3, WIDTH = 7, LAYERS = 8 };

static struct rng rng;

static float *random_vector(size_t n, double low, double high)
{
    float *x = malloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)rng_range(&rng, low, high);
    return x;
}

// the layers one after the other, as the network does it in eval mode
static void unfolded(double *y, const struct net_spec *net, const struct policy_source *s,
                     const float *obs)
{
    double x[64];
    size_t width = O;
    for (size_t i = 0; i < O; i++)
        x[i] = obs[i];
    for (size_t i = 0; i <= net->n_layers; i++) {
        const struct layer_spec  head = {.kind = LAYER_LINEAR, .out = 2 * A};
        const struct layer_spec *l = i < net->n_layers ? &net->layers[i] : &head;
        double                   out[64] = {0}, mean = 0, var = 0;
        size_t                   n = l->kind == LAYER_LINEAR ? l->out : width;
        for (size_t k = 0; k < width; k++)
            mean += x[k] / (double)width;
        for (size_t k = 0; k < width; k++)
            var += (x[k] - mean) * (x[k] - mean) / (double)width;
        for (size_t k = 0; k < n; k++) {
            if (l->kind == LAYER_LINEAR) {
                out[k] = s[i].bias[k];
                for (size_t j = 0; j < width; j++)
                    out[k] += (double)s[i].weight[k * width + j] * x[j];
            } else if (l->kind == LAYER_BATCH_RENORM)
                out[k] = (x[k] - s[i].mean[k]) / sqrt(s[i].var[k] + l->eps) * s[i].weight[k] +
                         s[i].bias[k];
            else if (l->kind == LAYER_LAYER_NORM)
                out[k] = (x[k] - mean) / sqrt(var + l->eps) * s[i].weight[k] + s[i].bias[k];
            else
                out[k] = l->kind == LAYER_RELU ? fmax(x[k], 0) : tanh(x[k]);
        }
        width = n;
        memcpy(x, out, sizeof x);
    }
    memcpy(y, x, 2 * A * sizeof *y);
}

static void sources_fill(struct policy_source *s, const struct net_spec *net)
{
    size_t width = O;
    for (size_t i = 0; i <= net->n_layers; i++) {
        bool   head = i == net->n_layers;
        size_t out = head                                  ? 2 * A
                     : net->layers[i].kind == LAYER_LINEAR ? net->layers[i].out
                                                           : width;
        bool   linear = head || net->layers[i].kind == LAYER_LINEAR;
        s[i].weight = random_vector(linear ? out * width : out, -1, 1);
        s[i].bias = random_vector(out, -1, 1);
        s[i].mean = random_vector(out, -1, 1);
        s[i].var = random_vector(out, 0.01, 2);
        width = out;
    }
}

static void sources_free(struct policy_source *s, const struct net_spec *net)
{
    for (size_t i = 0; i <= net->n_layers; i++) {
        free((void *)s[i].weight);
        free((void *)s[i].bias);
        free((void *)s[i].mean);
        free((void *)s[i].var);
    }
}

static void net_make(struct net_spec *net, const enum layer_kind *kinds, size_t n)
{
    *net = (struct net_spec){.n_layers = n};
    for (size_t i = 0; i < n; i++)
        net->layers[i] = (struct layer_spec){.kind = kinds[i], .out = WIDTH, .eps = 1e-3};
}

static void folding_changes_no_output_of_any_layout(void **state)
{
    (void)state;
    const enum layer_kind LIN = LAYER_LINEAR, BRN = LAYER_BATCH_RENORM, LN = LAYER_LAYER_NORM,
                          RE = LAYER_RELU;
    const struct {
        enum layer_kind kinds[LAYERS];
        size_t          n, folded;
    } cases[] = {
        {{BRN, LIN, RE, BRN, LIN, RE, BRN}, 7, 5},  // the paper's
        {{LIN, BRN, RE, LIN, BRN, RE}, 6, 5},       // SLM-Lab's critics
        {{LIN, LN, RE, LIN, LN, LAYER_TANH}, 6, 7},
        {{BRN, RE, BRN, LAYER_TANH, LIN, BRN, BRN, LIN}, 8, 7},
        {{LIN}, 0, 1},
    };
    rng_init(&rng, 3, RNG_TEST, 0);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct net_spec      net;
        struct policy_source source[LAYERS + 1];
        struct policy        p = {0};
        float               *obs = random_vector(B * O, -2, 2), y[B * 2 * A];
        net_make(&net, cases[c].kinds, cases[c].n);
        sources_fill(source, &net);
        assert_int_equal(policy_init(&p, &net, O, A, false, -5, 2, B, NULL), 0);
        assert_int_equal(p.n_layers, cases[c].folded);
        policy_fold(&p, &net, source);
        policy_forward(&p, y, obs, B);
        for (size_t b = 0; b < B; b++) {
            double want[2 * A];
            unfolded(want, &net, source, obs + b * O);
            for (size_t i = 0; i < 2 * A; i++)
                assert_true(fabs(y[b * 2 * A + i] - want[i]) < 1e-4 * (1 + fabs(want[i])));
        }
        free(obs);
        sources_free(source, &net);
        policy_free(&p);
    }
}

// a small policy with a layer of every kind
static void policy_make(struct policy *p, bool discrete)
{
    const enum layer_kind kinds[] = {LAYER_RELU,   LAYER_BATCH_RENORM, LAYER_TANH,
                                     LAYER_LINEAR, LAYER_LAYER_NORM,   LAYER_RELU};
    struct net_spec       net;
    net_make(&net, kinds, 6);
    assert_int_equal(policy_init(p, &net, O, A, discrete, -5, 2, B, NULL), 0);
    for (size_t i = 0; i < p->n_floats; i++)
        p->floats[i] = (float)rng_range(&rng, -1, 1);
}

static const struct policy_about about = {.version = "0.1",
                                          .run_id = "test",
                                          .env = "Pendulum-v1",
                                          .weights_version = 12,
                                          .steps = 3000,
                                          .eval_return = -150.25,
                                          .low = {-2, -0.1},
                                          .high = {2, 0.3}};

static void file_gives_back_the_same_policy(void **state)
{
    (void)state;
    for (int discrete = 0; discrete < 2; discrete++) {
        char                path[] = "/tmp/test_policy_XXXXXX";
        struct policy       p = {0}, q = {0};
        struct policy_about got;
        float               obs[O] = {1, -1, 0.5f, 2, 0}, y[2 * A], z[2 * A];
        close(mkstemp(path));
        policy_make(&p, discrete);
        assert_int_equal(policy_file_save(path, &p, &about, NULL), 0);
        assert_int_equal(policy_file_load(path, &q, &got, 1, NULL), 0);
        assert_int_equal(q.discrete, discrete);
        assert_true(q.log_std_min == -5 && q.log_std_max == 2);
        assert_string_equal(got.env, "Pendulum-v1");
        assert_int_equal(got.weights_version, 12);
        assert_true(got.eval_return == -150.25);
        if (!discrete)
            assert_true(got.low[1] == -0.1 && got.high[0] == 2);
        policy_forward(&p, y, obs, 1);
        policy_forward(&q, z, obs, 1);
        assert_memory_equal(y, z, (discrete ? A : 2 * A) * sizeof *y);
        policy_free(&p);
        policy_free(&q);
        unlink(path);
    }
}

static void damaged_file_gives_an_error_or_a_whole_policy(void **state)
{
    (void)state;
    char                path[] = "/tmp/test_policy_XXXXXX";
    struct policy       p = {0}, q = {0};
    struct policy_about got;
    static char         bytes[1 << 16];
    close(mkstemp(path));
    policy_make(&p, false);
    assert_int_equal(policy_file_save(path, &p, &about, NULL), 0);
    FILE  *f = fopen(path, "rb");
    size_t n = fread(bytes, 1, sizeof bytes, f), loaded = 0;
    fclose(f);
    for (size_t at = 0; at < n; at++) {
        struct error err = {0};
        bytes[at] ^= 0x15;
        f = fopen(path, "wb");
        fwrite(bytes, 1, n, f);
        fclose(f);
        bytes[at] ^= 0x15;
        if (policy_file_load(path, &q, &got, 1, &err) == 0)
            loaded++;
        else
            assert_true(err.text[0] != '\0' && q.block == NULL);
        policy_free(&q);
        // and cut short there
        assert_int_equal(truncate(path, (off_t)at), 0);
        assert_true(policy_file_load(path, &q, &got, 1, &err) < 0);
    }
    // a changed weight or name is still a policy; most of the header is not free to change
    assert_true(loaded < n);
    policy_free(&p);
    unlink(path);
}

static void act_is_the_mode_without_and_a_sample_with_random_numbers(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct net_spec net = {.n_layers = 0};
    struct policy   p = {0};
    float           obs[1] = {1}, y[2], action[1];
    double          sum = 0, squares = 0;
    rng_init(&rng, 4, RNG_TEST, 0);
    // mean 0.3, log_std 5 clipped to -1
    assert_int_equal(policy_init(&p, &net, 1, 1, false, -5, -1, 1, NULL), 0);
    p.layer[0].bias[0] = 0.3f;
    p.layer[0].bias[1] = 5;
    policy_act(&p, action, y, obs, 1, NULL);
    assert_float_equal(action[0], tanh(0.3), 1e-6);
    for (int i = 0; i < N; i++) {
        policy_act(&p, action, y, obs, 1, &rng);
        double raw = atanh(action[0]);
        sum += raw;
        squares += (raw - 0.3) * (raw - 0.3);
    }
    assert_true(fabs(sum / N - (0.3)) < 5 * exp(-1) / sqrt(N));
    assert_true(fabs(squares / N - (exp(-2))) < 5 * exp(-2) * sqrt(2.0 / N));
    policy_free(&p);
}

static void categorical_draws_follow_the_softmax(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct net_spec net = {.n_layers = 0};
    struct policy   p = {0};
    float           obs[1] = {1}, y[3], action[1];
    double          count[3] = {0};
    rng_init(&rng, 5, RNG_TEST, 0);
    assert_int_equal(policy_init(&p, &net, 1, 3, true, 0, 0, 1, NULL), 0);
    for (size_t i = 0; i < 3; i++)
        p.layer[0].bias[i] = (float)log((double)(i + 1) / 6);
    policy_act(&p, action, y, obs, 1, NULL);
    assert_true(action[0] == 2);
    for (int i = 0; i < N; i++) {
        policy_act(&p, action, y, obs, 1, &rng);
        count[(size_t)action[0]]++;
    }
    for (size_t i = 0; i < 3; i++) {
        double want = (double)(i + 1) / 6;
        assert_true(fabs(count[i] / N - (want)) < 5 * sqrt(want * (1 - want) / N));
    }
    policy_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folding_changes_no_output_of_any_layout),
        cmocka_unit_test(file_gives_back_the_same_policy),
        cmocka_unit_test(damaged_file_gives_an_error_or_a_whole_policy),
        cmocka_unit_test(act_is_the_mode_without_and_a_sample_with_random_numbers),
        cmocka_unit_test(categorical_draws_follow_the_softmax),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
