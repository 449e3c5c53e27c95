// Every backward against finite differences of its forward, for each list of layers that specs use.
#include "common/blas.h"
#include "common/network.h"
#include "common/network_pass.h"
#include "common/pool.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS 13
#define IN 5

static const struct network_head HEADS[] = {{"mean", 3}, {"log_std", 3}};
static const struct network_head VALUE[] = {{"value", 1}};

// before the letters of spec_of: a gradient finds room where a result lay only if widths are a multiple of
// 4, and products with one output are code of their own
static const char *const VARIANTS[] = {"", "O", "Q", "OQ"};

struct fixture {
    struct network  net;
    struct network *list[1];
    struct pool    *pool;
    float          *x;       // (ROWS, ld)
    float          *weight;  // (ROWS, out)  the loss is sum weight output
    size_t          checked, edges;
};

static struct layer_spec layer(enum layer_kind kind, size_t out)
{
    return (struct layer_spec){.kind = kind,
                               .out = out,
                               .momentum = 0.1,
                               .eps = 1e-2,
                               .warmup_steps = 0,
                               .r_max = 3,
                               .d_max = 5,
                               .ramp = RENORM_STEP,
                               .form = RENORM_ADJUSTED};
}

// layers from letters: L linear, B batch renorm, T its textbook form, N layer norm, R ReLU, H tanh; W makes
// the linear layers behind it wider than the tiles of columns that a pass goes by, O odd; Q: one output
static struct net_spec spec_of(const char *letters)
{
    struct net_spec spec = {.init = INIT_TORCH, .optim = {.lr = 1e-3}};
    size_t          width = 20;
    for (const char *c = letters; *c != 0; c++) {
        if (*c == 'W')
            width = 152 + width % 2;
        if (*c == 'O')
            width++;
        if (strchr("WOQ", *c) != NULL)
            continue;
        enum layer_kind   kind = *c == 'L'   ? LAYER_LINEAR
                                 : *c == 'N' ? LAYER_LAYER_NORM
                                 : *c == 'R' ? LAYER_RELU
                                 : *c == 'H' ? LAYER_TANH
                                             : LAYER_BATCH_RENORM;
        struct layer_spec l = layer(kind, kind == LAYER_LINEAR ? width : 0);
        width += kind == LAYER_LINEAR ? 4 : 0;
        l.form = *c == 'T' ? RENORM_TEXTBOOK : RENORM_ADJUSTED;
        spec.layers[spec.n_layers++] = l;
    }
    return spec;
}

static void set_up(struct fixture *f, const char *letters, size_t threads)
{
    struct error    err = {0};
    struct rng      rng;
    struct net_spec spec = spec_of(letters);
    bool            value = strchr(letters, 'Q') != NULL;
    blas_init();
    assert_int_equal(
        network_init(&f->net, &spec, IN, value ? VALUE : HEADS, value ? 1 : 2, ROWS, true, &err),
        0);
    f->net.tile = 128;
    f->list[0] = &f->net;
    f->pool = pool_make(threads, &err);
    assert_non_null(f->pool);
    rng_init(&rng, 3, RNG_TEST, 0);
    network_randomize(&f->net, &rng);
    f->x = calloc(ROWS * network_ld(IN), sizeof *f->x);
    f->weight = calloc(ROWS * f->net.out, sizeof *f->weight);
    for (size_t r = 0; r < ROWS; r++)
        rng_normal_fill(&rng, f->x + r * network_ld(IN), IN);
    rng_normal_fill(&rng, f->weight, ROWS * f->net.out);
    // norms away from 1, 0 and from the batch
    for (size_t i = 0; i < f->net.n_tensors; i++) {
        struct network_tensor *t = &f->net.tensors[i];
        for (size_t j = 0; j < t->cols; j++) {
            if (t->kind == TENSOR_SCALE || t->kind == TENSOR_RUNNING_VAR)
                t->value[j] = (float)rng_range(&rng, 0.5, 1.5);
            if (t->kind == TENSOR_SHIFT || t->kind == TENSOR_RUNNING_MEAN)
                t->value[j] = (float)rng_range(&rng, -0.5, 0.5);
        }
    }
}

static void tear_down(struct fixture *f)
{
    network_free(&f->net);
    pool_free(f->pool);
    free(f->x);
    free(f->weight);
}

static struct network_pass pass_of(struct fixture *f, size_t parts, size_t live)
{
    return (struct network_pass){
        .nets = f->list, .n = 1, .parts = parts, .pool = f->pool, .rows = ROWS, .live = live};
}

static double output_loss(const struct fixture *f, size_t live)
{
    size_t       ld;
    const float *y = network_output(&f->net, &ld);
    double       loss = 0;
    for (size_t r = 0; r < live; r++)
        for (size_t j = 0; j < f->net.out; j++)
            loss += (double)f->weight[r * f->net.out + j] * (double)y[r * ld + j];
    return loss;
}

static void set_output_gradient(struct fixture *f, size_t live)
{
    float *dy = network_output_gradient(&f->net);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t j = 0; j < f->net.out; j++)
            dy[r * f->net.ld_d + j] = r < live ? f->weight[r * f->net.out + j] : 0;
}

static double train_loss(struct fixture *f, size_t live)
{
    struct network_pass p = pass_of(f, 1, live);
    network_forward(&p, f->x);
    return output_loss(f, live);
}

static double eval_loss(struct fixture *f, size_t live)
{
    network_eval_prepare(&f->net);
    network_eval_rows(&f->net, f->x, 0, ROWS);
    return output_loss(f, live);
}

typedef double loss_fn(struct fixture *f, size_t live);

// slope of the loss along *value between two offsets
static double slope(struct fixture *f, loss_fn *loss, size_t live, float *value, float from,
                    float to)
{
    float old = *value;
    *value = old + to;
    double above = loss(f, live);
    *value = old + from;
    double below = loss(f, live);
    *value = old;
    return (above - below) / ((double)to - (double)from);
}

// derivative for *value by differences, in float: good to about 1 in 100, in a smaller step too where a
// ReLU's edge lies in the first. Where one lies in both, it is one of the slopes on both sides, or between
// them; that is counted and must be rare.
static void check_one(struct fixture *f, loss_fn *loss, size_t live, float *value, double got,
                      const char *name)
{
    double want = slope(f, loss, live, value, -4e-3f, 4e-3f);
    double tolerance = 2e-2 + 2e-2 * fabs(want);
    f->checked++;
    if (fabs(got - want) <= tolerance)
        return;
    double left = slope(f, loss, live, value, -1e-3f, 0);
    double right = slope(f, loss, live, value, 0, 1e-3f);
    if (fabs(got - (left + right) / 2) <= tolerance)
        return;
    if (got < fmin(left, right) - tolerance || got > fmax(left, right) + tolerance)
        fail_msg("%s: gradient %g, finite difference %g (%g and %g)", name, got, want, left, right);
    f->edges++;
}

// every variant of a list of layers, one after the other
static const char *variant_of(char text[static 16], const char *letters, size_t v)
{
    snprintf(text, 16, "%s%s", VARIANTS[v], letters);
    return text;
}

static void check_layers(const char *letters, size_t live)
{
    struct fixture f = {0};
    set_up(&f, letters, 1);
    // r and d are constants of the gradient but would move with a finite step: warm-up has none
    for (size_t i = 0; i < f.net.n_ops; i++)
        f.net.ops[i].renorm.spec.warmup_steps = 1000;
    struct network_pass p = pass_of(&f, 1, live);
    network_forward(&p, f.x);
    set_output_gradient(&f, live);
    network_backward(&p, true);
    float *grads = malloc(f.net.n_params * sizeof *grads), *dx = malloc(ROWS * IN * sizeof *dx);
    memcpy(grads, f.net.grads, f.net.n_params * sizeof *grads);
    for (size_t r = 0; r < ROWS; r++)
        memcpy(dx + r * IN, f.net.dx + r * f.net.ld_d, IN * sizeof *dx);
    for (size_t i = 0; i < f.net.n_tensors; i++) {
        struct network_tensor *t = &f.net.tensors[i];
        size_t                 n = (t->rows == 0 ? 1 : t->rows) * t->cols, at;
        for (size_t j = 0; t->grad != NULL && j < n; j += n / 7 + 1) {
            at = j / t->cols * t->ld + j % t->cols;
            check_one(&f, train_loss, live, &t->value[at],
                      (double)grads[(size_t)(t->grad - f.net.grads) + at], t->name);
        }
    }
    for (size_t i = 0; i < ROWS * IN; i += 3)
        check_one(&f, train_loss, live, &f.x[i / IN * network_ld(IN) + i % IN], (double)dx[i],
                  "input");
    assert_true(f.edges * 10 <= f.checked);
    free(grads);
    free(dx);
    tear_down(&f);
}

static void train_gradients_match_differences(void **state)
{
    (void)state;
    const char *lists[] = {"",        "L",       "LR",      "LRLR",   "LHLH",    "LBRLBR",
                           "LTRLTR",  "BLRBLRB", "TLRTLRT", "LNRLNR", "LNHLNH",  "NLR",
                           "LBHLBH",  "RLR",     "LRLNLBR", "HLRH",   "WLBHLBH", "WBLHBLHB",
                           "WLNHLNH", "LRLRWLR", "LBLBWLB"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        char text[16];
        for (size_t v = 0; v < sizeof VARIANTS / sizeof *VARIANTS; v++) {
            check_layers(variant_of(text, lists[i], v), ROWS);
            check_layers(text, 7);
        }
    }
}

// columns of the input from `first` on
static void check_eval_gradients(const char *letters, size_t first)
{
    struct fixture f = {0};
    float          dx[ROWS * IN];
    set_up(&f, letters, 1);
    eval_loss(&f, ROWS);
    set_output_gradient(&f, ROWS);
    // two pieces of rows, as two threads would do
    network_eval_backward_rows(&f.net, f.x, 0, 6, first);
    network_eval_backward_rows(&f.net, f.x, 6, ROWS, first);
    for (size_t r = 0; r < ROWS; r++)
        memcpy(dx + r * IN, f.net.dx + r * f.net.ld_d, IN * sizeof *dx);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t k = first; k < IN; k++)
            check_one(&f, eval_loss, ROWS, &f.x[r * network_ld(IN) + k], (double)dx[r * IN + k],
                      letters);
    tear_down(&f);
}

static void eval_input_gradients_match_differences(void **state)
{
    (void)state;
    const char *lists[] = {"LRLR",     "LBRLBR",  "BLRBLRB", "LNRLNR",  "LHLBH",  "WLBRLBR",
                           "WBLRBLRB", "WLNRLNR", "WLHLBH",  "LRLRWLR", "LBLBWLB"};
    char        text[16];
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (size_t v = 0; v < sizeof VARIANTS / sizeof *VARIANTS; v++)
            for (size_t first = 0; first < IN; first += 3)
                check_eval_gradients(variant_of(text, lists[i], v), first);
}

// r and d held fixed by hand: the adjusted and the textbook form with both in play
static void corrected_norm_gradients_match_differences(void **state)
{
    (void)state;
    enum { N = 8, H = 3 };
    for (int form = 0; form < 2; form++) {
        float      own[6 * H], scratch[16 * 16] = {0}, x[N * H], y[N * H], dy[N * H], weight[N * H];
        uint64_t   steps = 5;
        struct rng rng;
        rng_init(&rng, 5, RNG_TEST, 1);
        rng_normal_fill(&rng, x, N * H);
        rng_normal_fill(&rng, weight, N * H);
        struct layer_batch_renorm l = {.H = H,
                                       .spec = layer(LAYER_BATCH_RENORM, 0),
                                       .weight = own,
                                       .bias = own + H,
                                       .dweight = own + 2 * H,
                                       .dbias = own + 3 * H,
                                       .running_mean = own + 4 * H,
                                       .running_var = own + 5 * H,
                                       .steps = &steps};
        l.spec.form = form == 0 ? RENORM_ADJUSTED : RENORM_TEXTBOOK;
        assert_true(layer_batch_renorm_scratch(H) <= 16 * 16);
        for (size_t j = 0; j < H; j++) {
            // far away, so that r and d sit on their bounds and do not move with x
            l.weight[j] = 0.7f + (float)j;
            l.bias[j] = 0.1f;
            l.running_mean[j] = j % 2 == 0 ? 40 : -40;
            l.running_var[j] = j == 0 ? 1e-4f : 60;
        }
        layer_batch_renorm_init(&l, scratch);
        memcpy(dy, weight, sizeof dy);
        layer_batch_renorm_forward(&l, y, x, H, N, 0, H);
        layer_batch_renorm_backward(&l, dy, H, x, H, N, N, 0, H);
        for (size_t i = 0; i < N * H; i++) {
            double loss[2], step = 1e-3;
            float  old = x[i];
            for (int side = 0; side < 2; side++) {
                x[i] = old + (float)(side == 0 ? step : -step);
                layer_batch_renorm_forward(&l, y, x, H, N, 0, H);
                loss[side] = 0;
                for (size_t k = 0; k < N * H; k++)
                    loss[side] += (double)weight[k] * (double)y[k];
            }
            x[i] = old;
            double want = (loss[0] - loss[1]) / (2 * step);
            assert_true(fabs((double)dy[i] - want) < 1e-2 + 1e-2 * fabs(want));
        }
    }
}

// what two networks of different cuts or thread counts compute
static void compare_cuts(const char *letters, size_t threads, size_t parts, double tolerance)
{
    struct fixture      a, b;
    struct network_pass p, q;
    set_up(&a, letters, 1);
    set_up(&b, letters, threads);
    p = pass_of(&a, tolerance > 0 ? 1 : parts, ROWS);
    q = pass_of(&b, parts, ROWS);
    network_forward(&p, a.x);
    network_forward(&q, b.x);
    set_output_gradient(&a, ROWS);
    set_output_gradient(&b, ROWS);
    network_backward(&p, true);
    network_backward(&q, true);
    assert_true(fabs(output_loss(&a, ROWS) - output_loss(&b, ROWS)) <= tolerance);
    for (size_t i = 0; i < a.net.n_params; i++)
        assert_true(fabs((double)(a.net.grads[i] - b.net.grads[i])) <= tolerance);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t k = 0; k < IN; k++)
            assert_true(fabs((double)(a.net.dx[r * a.net.ld_d + k] -
                                      b.net.dx[r * b.net.ld_d + k])) <= tolerance);
    tear_down(&a);
    tear_down(&b);
}

static void pieces_do_not_change_a_pass(void **state)
{
    (void)state;
    const char *lists[] = {"LRLR", "LBRLBR",  "BLRBLRB",  "LNRLNR", "NLBHL",
                           "LHNB", "WLBRLBR", "WBLRBLRB", "WLNRLNR"};
    char        text[16];
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (size_t v = 0; v < sizeof VARIANTS / sizeof *VARIANTS; v++)
            for (size_t parts = 2; parts <= 5; parts++)
                compare_cuts(variant_of(text, lists[i], v), 1, parts, 2e-4);
}

// gradients lie where results lay: what is not finite must not stay in their padding
static void passes_are_clean_after_a_gradient_that_is_not_finite(void **state)
{
    (void)state;
    const char *lists[] = {"LRLR", "LBRLBR", "BLRBLRB", "LNRLNR", "LHBLHB"};
    char        text[16];
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (size_t v = 0; v < sizeof VARIANTS / sizeof *VARIANTS; v++) {
            struct fixture f = {0};
            set_up(&f, variant_of(text, lists[i], v), 1);
            struct network_pass p = pass_of(&f, 1, ROWS);
            network_forward(&p, f.x);
            set_output_gradient(&f, ROWS);
            network_output_gradient(&f.net)[0] = NAN;
            network_backward(&p, true);
            assert_non_null(network_find_nonfinite(&f.net, true));
            network_forward(&p, f.x);
            assert_true(isfinite(output_loss(&f, ROWS)));
            set_output_gradient(&f, ROWS);
            network_backward(&p, true);
            assert_null(network_find_nonfinite(&f.net, true));
            tear_down(&f);
        }
}

static void threads_give_the_same_bits(void **state)
{
    (void)state;
    const char *lists[] = {"LRLR", "LBRLBR", "BLRBLRB", "LNRLNR"};
    char        text[16];
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (size_t v = 0; v < sizeof VARIANTS / sizeof *VARIANTS; v++)
            for (size_t threads = 2; threads <= 4; threads++)
                compare_cuts(variant_of(text, lists[i], v), threads, 3, 0);
}

static void bias_before_a_norm_has_no_gradient(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, "LBRLTR", 1);
    struct network_pass p = pass_of(&f, 1, ROWS);
    network_forward(&p, f.x);
    set_output_gradient(&f, ROWS);
    network_backward(&p, false);
    for (size_t i = 0; i < f.net.n_tensors; i++) {
        struct network_tensor *t = &f.net.tensors[i];
        if (strcmp(t->name, "0.bias") == 0 || strcmp(t->name, "3.bias") == 0)
            for (size_t j = 0; j < t->cols; j++)
                assert_true(t->grad[j] == 0);
    }
    tear_down(&f);
}

static void statistics_move_only_by_commit(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, "BLRB", 1);
    float  before[256];
    size_t n = f.net.n_stats < 256 ? f.net.n_stats : 256;
    memcpy(before, f.net.stats, n * sizeof *before);
    train_loss(&f, ROWS);
    eval_loss(&f, ROWS);
    assert_memory_equal(before, f.net.stats, n * sizeof *before);
    assert_int_equal(f.net.steps[0], 0);
    train_loss(&f, ROWS);
    network_commit(&f.net);
    assert_memory_not_equal(before, f.net.stats, n * sizeof *before);
    assert_int_equal(f.net.steps[0], 1);
    assert_int_equal(f.net.steps[1], 1);
    tear_down(&f);
}

static void nonfinite_values_are_named(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, "LNRLNR", 1);
    assert_null(network_find_nonfinite(&f.net, false));
    f.net.tensors[5].value[1] = NAN;
    assert_string_equal(network_find_nonfinite(&f.net, false), f.net.tensors[5].name);
    // and nothing on the way to the output hides it
    assert_true(isnan(train_loss(&f, ROWS)));
    tear_down(&f);
}

static void orthogonal_rows_are_orthogonal(void **state)
{
    (void)state;
    struct fixture  f;
    struct net_spec spec = spec_of("LRLR");
    struct error    err;
    struct rng      rng;
    spec.init = INIT_ORTHOGONAL;
    spec.layers[0].out = 70;
    spec.layers[2].out = 40;
    assert_int_equal(network_init(&f.net, &spec, IN, HEADS, 2, ROWS, true, &err), 0);
    rng_init(&rng, 1, RNG_TEST, 0);
    network_randomize(&f.net, &rng);
    const struct layer_linear *l = &f.net.ops[1].linear;
    assert_int_equal(l->out, 40);
    for (size_t a = 0; a < l->out; a++)
        for (size_t b = 0; b <= a; b++) {
            double dot = 0;
            for (size_t k = 0; k < l->in; k++)
                dot += (double)l->weight[a * l->ld + k] * (double)l->weight[b * l->ld + k];
            assert_true(fabs(dot - (a == b ? 2 : 0)) < 1e-5);
        }
    assert_true(l->bias[3] == 0);
    network_free(&f.net);
}

static void projected_rows_have_length_one(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, "LBRLBR", 1);
    double before = train_loss(&f, ROWS);
    network_project(&f.net);
    for (size_t i = 0; i + 1 < f.net.n_ops; i++) {
        const struct layer_linear *l = &f.net.ops[i].linear;
        if (f.net.ops[i].kind != OP_LINEAR)
            continue;
        for (size_t r = 0; r < l->out; r++) {
            double square = pow((double)l->bias[r], 2);
            for (size_t k = 0; k < l->in; k++)
                square += pow((double)l->weight[r * l->ld + k], 2);
            assert_true(fabs(square - 1) < 1e-5);
        }
    }
    // a norm undoes the scale, but for eps and the statistics
    assert_true(fabs(train_loss(&f, ROWS) - before) < 0.5 * fabs(before) + 5);
    tear_down(&f);
}

static void bad_layers_are_refused(void **state)
{
    (void)state;
    struct network  net;
    struct error    err;
    struct net_spec spec = spec_of("LR");
    spec.layers[0].out = 0;
    assert_int_equal(network_init(&net, &spec, IN, HEADS, 2, ROWS, true, &err), ERR_SPEC);
    network_free(&net);
    spec = spec_of("LR");
    assert_int_equal(network_init(&net, &spec, 0, HEADS, 2, ROWS, true, &err), ERR_SPEC);
    network_free(&net);
}

// whatever the processor's cache is
static void tiles_of_columns_are_whole_panels(void **state)
{
    (void)state;
    const size_t rows[] = {1, 16, 256, 512, 100000};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct network  net;
        struct error    err = {0};
        struct net_spec spec = spec_of("L");
        assert_int_equal(network_init(&net, &spec, IN, HEADS, 2, rows[i], false, &err), 0);
        assert_true(net.tile >= 128 && net.tile <= 512 && net.tile % 32 == 0);
        network_free(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_of_columns_are_whole_panels),
        cmocka_unit_test(train_gradients_match_differences),
        cmocka_unit_test(eval_input_gradients_match_differences),
        cmocka_unit_test(corrected_norm_gradients_match_differences),
        cmocka_unit_test(pieces_do_not_change_a_pass),
        cmocka_unit_test(passes_are_clean_after_a_gradient_that_is_not_finite),
        cmocka_unit_test(threads_give_the_same_bits),
        cmocka_unit_test(bias_before_a_norm_has_no_gradient),
        cmocka_unit_test(statistics_move_only_by_commit),
        cmocka_unit_test(nonfinite_values_are_named),
        cmocka_unit_test(orthogonal_rows_are_orthogonal),
        cmocka_unit_test(projected_rows_have_length_one),
        cmocka_unit_test(bad_layers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
