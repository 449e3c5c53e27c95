// ONNX models act as the policies they were made from, by onnxruntime's word where python3 has it; else
// their messages are walked.
#include "common/onnx.h"
#include "common/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { O = 5, A = 2, H = 16, B = 12 };

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
    *about = (struct policy_about){
        .version = "1", .run_id = "x", .env = "T-v0", .low = {-2, 1}, .high = {2, 4}};
    add_layer(p, POLICY_AFFINE, 0);
    add_layer(p, POLICY_LINEAR, H);
    add_layer(p, POLICY_LAYER_NORM, 0);
    add_layer(p, POLICY_RELU, 0);
    add_layer(p, POLICY_LINEAR, H);
    add_layer(p, POLICY_TANH, 0);
    add_layer(p, POLICY_LINEAR, discrete ? A : 2 * A);
    assert_int_equal(policy_layout(p, B, NULL), 0);
    rng_init(&rng, 5, RNG_TEST, 7);
    for (size_t i = 0; i < p->n_floats; i++)
        p->floats[i] = (float)rng_range(&rng, -0.7, 0.7);
    snprintf(path, sizeof path, "/tmp/crossfleet-onnx-XXXXXX");
    close(mkstemp(path));
    assert_int_equal(onnx_save(path, p, about, NULL), 0);
}

static uint64_t varint(const uint8_t *bytes, size_t *at)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte = bytes[(*at)++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
}

// how many fields of that number a message has; asserts that its fields end where it ends
static size_t count_fields(const uint8_t *bytes, size_t size, unsigned field, size_t *content)
{
    size_t at = 0, n = 0;
    while (at < size) {
        uint64_t key = varint(bytes, &at);
        size_t   length = 0;
        switch (key & 7) {
        case 0:
            varint(bytes, &at);
            break;
        case 1:
            length = 8;
            break;
        case 2:
            length = (size_t)varint(bytes, &at);
            break;
        default:
            assert_int_equal(key & 7, 5);
            length = 4;
        }
        if (key >> 3 == field) {
            n++;
            *content = at;
        }
        at += length;
    }
    assert_int_equal(at, size);
    return n;
}

static void a_model_holds_a_node_a_layer_and_its_tensors(void **state)
{
    (void)state;
    struct policy       p;
    struct policy_about about;
    static uint8_t      bytes[65536];
    size_t              graph, content;
    make_policy(&p, &about, false);
    FILE  *file = fopen(path, "r");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    unlink(path);
    assert_int_equal(count_fields(bytes, size, 7, &graph), 1);
    assert_int_equal(count_fields(bytes, size, 8, &content), 1);
    assert_int_equal(count_fields(bytes, size, 14, &content), 3);
    // the five bytes before the graph say its length
    size_t at = graph - 5, length = (size_t)varint(bytes, &at);
    assert_int_equal(count_fields(bytes + graph, length, 1, &content), p.n_layers + 1 + 3);
    assert_int_equal(count_fields(bytes + graph, length, 5, &content), 2 * 5 + 2);
    assert_int_equal(count_fields(bytes + graph, length, 11, &content), 1);
    policy_free(&p);
}

// what onnxruntime makes of obs, through a file, as text
static void run_model(double *action, const float *obs, size_t columns)
{
    char command[768], input[] = "/tmp/crossfleet-obs-XXXXXX";
    int  fd = mkstemp(input);
    assert_int_equal(write(fd, obs, B * O * sizeof *obs), B * O * sizeof *obs);
    close(fd);
    snprintf(command, sizeof command,
             "python3 -c \"import numpy as np, onnxruntime as ort; "
             "s = ort.InferenceSession('%s', providers=['CPUExecutionProvider']); "
             "x = np.fromfile('%s', np.float32).reshape(-1, %d); "
             "[print('%%.9g' %% v) for v in np.ravel(s.run(['action'], {'observation': x})[0])]\"",
             path, input, O);
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
    struct policy_about about;
    struct rng          rng;
    float               obs[B * O], y[B * 2 * A], wanted[B * A];
    double              got[B * A], largest = 0;
    size_t              columns = discrete ? 1 : A;
    if (system("python3 -c 'import numpy, onnxruntime' 2>/dev/null") != 0) {
        print_message("no python3 with onnxruntime here\n");
        skip();
    }
    make_policy(&p, &about, discrete);
    rng_init(&rng, 6, RNG_TEST, 0);
    rng_normal_fill(&rng, obs, B * O);
    policy_act(&p, wanted, y, obs, B, NULL);
    run_model(got, obs, columns);
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

static void onnxruntime_acts_as_a_continuous_policy(void **state)
{
    (void)state;
    compare(false);
}

static void onnxruntime_acts_as_a_discrete_policy(void **state)
{
    (void)state;
    compare(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_holds_a_node_a_layer_and_its_tensors),
        cmocka_unit_test(onnxruntime_acts_as_a_continuous_policy),
        cmocka_unit_test(onnxruntime_acts_as_a_discrete_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
