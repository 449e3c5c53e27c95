// Golden files of the learner's numbers. CROSSFLEET_GOLDEN names another folder than tests/golden; its
// crossq/*.safetensors may have any sizes, seeds and lengths. One line a file: its largest error.
#include "learner/priority.h"
#include "tests/learner/golden.h"
#include "tests/learner/golden_update.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

// ---------------------------------------------------------------- single layers and the optimizer

#define LAYER_T 2e-5

static void compare_layer(struct golden *g, const char *form, const char *tail, size_t k,
                          const float *got, size_t n)
{
    char name[64];
    snprintf(name, sizeof name, "%s.%s", form, tail);
    golden_compare(g, name, k, got, n, LAYER_T);
}

// all train steps, then one eval pass, of one form
static void run_renorm(struct golden *g, const char *form, enum renorm_form kind,
                       enum renorm_ramp ramp)
{
    size_t T = golden_size(g, "steps"), B = golden_size(g, "batch"), F = golden_size(g, "features");
    float *scratch = calloc(layer_batch_renorm_scratch(F), sizeof *scratch);
    float *x = malloc(B * F * sizeof *x), *y = malloc(B * F * sizeof *y);
    float *dy = malloc(B * F * sizeof *dy), *own = calloc(6 * F, sizeof *own);
    uint64_t steps = 0;
    char     name[96];

    struct layer_batch_renorm l = {
        .H = F,
        .spec = {.kind = LAYER_BATCH_RENORM,
                 .momentum = golden_setting(g, "renorm_momentum"),
                 .eps = golden_setting(g, "renorm_eps"),
                 .warmup_steps = golden_size(g, "renorm_warmup_steps"),
                 .r_max = golden_setting(g, "renorm_r_max"),
                 .d_max = golden_setting(g, "renorm_d_max"),
                 .ramp = ramp,
                 .form = kind},
        .weight = own,
        .bias = own + F,
        .dweight = own + 2 * F,
        .dbias = own + 3 * F,
        .running_mean = own + 4 * F,
        .running_var = own + 5 * F,
        .steps = &steps,
    };
    golden_read(g, "init.weight", 0, l.weight, F);
    golden_read(g, "init.bias", 0, l.bias, F);
    golden_read(g, "init.running_mean", 0, l.running_mean, F);
    golden_read(g, "init.running_var", 0, l.running_var, F);
    layer_batch_renorm_init(&l, scratch);
    for (size_t k = 0; k < T; k++) {
        golden_read(g, "x", k, x, B * F);
        golden_read(g, "dy", k, dy, B * F);
        layer_batch_renorm_forward(&l, y, x, F, B, 0, F);
        layer_batch_renorm_backward(&l, dy, F, x, F, B, B, 0, F);
        layer_batch_renorm_commit(&l);
        compare_layer(g, form, "y", k, y, B * F);
        compare_layer(g, form, "dx", k, dy, B * F);
        compare_layer(g, form, "dweight", k, l.dweight, F);
        compare_layer(g, form, "dbias", k, l.dbias, F);
        compare_layer(g, form, "r", k, l.r, F);
        compare_layer(g, form, "d", k, l.d, F);
        compare_layer(g, form, "running_mean", k, l.running_mean, F);
        compare_layer(g, form, "running_var", k, l.running_var, F);
        snprintf(name, sizeof name, "%s.steps", form);
        golden_compare_exact(g, name, k, (double)steps);
    }
    golden_read(g, "eval_x", 0, x, B * F);
    golden_read(g, "eval_dy", 0, dy, B * F);
    layer_batch_renorm_eval_prepare(&l);
    layer_batch_renorm_eval(&l, y, x, F, 0, B, 0, F);
    layer_batch_renorm_backward(&l, dy, F, x, F, B, B, 0, F);
    compare_layer(g, form, "eval_y", 0, y, B * F);
    compare_layer(g, form, "eval_dx", 0, dy, B * F);
    compare_layer(g, form, "eval_dweight", 0, l.dweight, F);
    compare_layer(g, form, "eval_dbias", 0, l.dbias, F);
    free(scratch);
    free(x);
    free(y);
    free(dy);
    free(own);
}

static void run_adam(struct golden *g, const char *name)
{
    const double T = 5e-6;
    size_t       steps = golden_size(g, "steps"), n = golden_size(g, "size");
    float       *p = calloc(4 * n, sizeof *p), *grad = p + n, *m = p + 2 * n, *v = p + 3 * n;
    char         key[128];
    double       s[6] = {0};
    snprintf(key, sizeof key, "%s.settings", name);
    const struct safetensors_tensor *settings = golden_find(g, key);
    for (size_t i = 0; settings != NULL && i < 6; i++)
        s[i] = safetensors_number(settings, i);
    struct optim_spec spec = {.kind = s[5] != 0 ? OPTIM_ADAMW : OPTIM_ADAM,
                              .lr = s[0],
                              .beta1 = s[1],
                              .beta2 = s[2],
                              .eps = s[3],
                              .weight_decay = s[4]};
    struct adam       a;
    adam_init(&a, &spec, n, m, v);
    golden_read(g, "parameter", 0, p, n);
    for (size_t k = 0; k < steps; k++) {
        golden_read(g, "gradient", k, grad, n);
        adam_begin(&a, spec.lr);
        adam_apply(&a, p, grad, 1, 0, n);
        snprintf(key, sizeof key, "%s.parameter", name);
        golden_compare(g, key, k, p, n, T);
        snprintf(key, sizeof key, "%s.m", name);
        golden_compare(g, key, k, m, n, T);
        snprintf(key, sizeof key, "%s.v", name);
        golden_compare(g, key, k, v, n, T);
    }
    free(p);
}

static void run_adams(struct golden *g)
{
    for (size_t i = 0; i < g->st.n; i++) {
        const char *name = g->st.tensor[i].name, *tail = strstr(name, ".settings");
        char        own[64];
        if (tail == NULL)
            continue;
        snprintf(own, sizeof own, "%.*s", (int)(tail - name), name);
        run_adam(g, own);
    }
    golden_check_seen(g);
}

// ---------------------------------------------------------------- prioritized replay

// step 1 of a round: new rows of the ring
static void insert_rows(struct golden *g, struct priority *p, size_t k, size_t *head, size_t *size)
{
    const struct safetensors_tensor *insert = golden_find(g, "insert");
    for (size_t i = 0; insert != NULL && i < (size_t)safetensors_number(insert, k); i++) {
        priority_insert(p, *head);
        *head = (*head + 1) % p->capacity;
        *size += *size < p->capacity;
    }
    double total = priority_total(p);
    golden_compare_relative(g, "before", k, priority_leaves(p), p->capacity);
    golden_compare_relative(g, "total", k, &total, 1);
    golden_compare_exact(g, "size", k, (double)*size);
}

// steps 2 to 4
static void draw_and_update(struct golden *g, struct priority *p, size_t k, size_t size)
{
    enum { MOST = 4096 };
    static float    u32[MOST], weight[MOST], error[MOST];
    static double   u[MOST], probability[MOST], raw[MOST], normal[MOST];
    static uint64_t index[MOST];
    size_t          n = golden_size(g, "batch");
    float           beta = 0;
    if (n > MOST) {
        golden_note(g, "batch", INFINITY);
        return;
    }
    golden_read(g, "uniform", k, u32, n);
    golden_read(g, "beta", k, &beta, 1);
    golden_read(g, "td_error", k, error, n);
    for (size_t j = 0; j < n; j++)
        u[j] = (double)u32[j];
    priority_draw(p, index, u, n);
    priority_weights(p, weight, index, n, size, (double)beta);
    for (size_t j = 0; j < n; j++) {
        golden_compare_exact(g, "index", k * n + j, (double)index[j]);
        size_t plain = priority_find(p, u[j] * priority_total(p));
        golden_compare_exact(g, "index_plain", k * n + j, (double)plain);
        probability[j] = priority_leaves(p)[index[j]] / priority_total(p);
        raw[j] = pow((double)size * probability[j], -(double)beta);
        normal[j] = (double)weight[j];
    }
    golden_compare_relative(g, "probability", k, probability, n);
    golden_compare_relative(g, "weight_raw", k, raw, n);
    golden_compare_relative(g, "weight", k, normal, n);
    priority_update(p, index, error, n);
    golden_compare_relative(g, "after", k, priority_leaves(p), p->capacity);
    golden_compare_relative(g, "max_priority", k, &p->largest, 1);
}

// points on or near the edges between leaves
static void run_ties(struct golden *g)
{
    struct error                     err;
    struct priority                  p;
    const struct safetensors_tensor *leaves = golden_find(g, "tie.leaves");
    const struct safetensors_tensor *points = golden_find(g, "tie.points");
    if (leaves == NULL || points == NULL || priority_init(&p, leaves->n, 1, 0, &err) != 0)
        return;
    for (size_t i = 0; i < leaves->n; i++)
        priority_leaves(&p)[i] = safetensors_number(leaves, i);
    priority_rebuild(&p);
    for (size_t i = 0; i < points->n; i++)
        golden_compare_exact(g, "tie.index", i,
                             (double)priority_find(&p, safetensors_number(points, i)));
    priority_free(&p);
}

static void run_priorities(struct golden *g)
{
    struct error    err;
    struct priority p;
    size_t          head = 0, size = 0;
    if (priority_init(&p, golden_size(g, "capacity"), golden_setting(g, "alpha"),
                      golden_setting(g, "priority_eps"), &err) != 0)
        fail_msg("%s", err.text);
    for (size_t k = 0; k < golden_size(g, "rounds"); k++) {
        insert_rows(g, &p, k, &head, &size);
        draw_and_update(g, &p, k, size);
    }
    priority_free(&p);
    run_ties(g);
    golden_check_seen(g);
}

// ---------------------------------------------------------------- files

// runs one file; returns false for a case that does not exist here
static bool run_case(struct golden *g)
{
    if (golden_is(g, "case", "brn_layer")) {
        run_renorm(g, "official", RENORM_ADJUSTED, RENORM_STEP);
        run_renorm(g, "slm", RENORM_TEXTBOOK, RENORM_LINEAR);
        golden_check_seen(g);
    } else if (golden_is(g, "case", "adam")) {
        run_adams(g);
    } else if (golden_is(g, "case", "per")) {
        run_priorities(g);
    } else if (golden_is(g, "algorithm", "crossq") || golden_is(g, "algorithm", "sac")) {
        // one thread, two, and more than there are critics
        for (size_t threads = 1; threads <= 4; threads *= 2)
            golden_run_updates(g, threads);
    } else {
        return false;
    }
    return true;
}

// returns whether the file is within tolerance
static bool run_file(const char *folder, const char *file)
{
    static struct golden g;
    struct error         err = {0};
    char                 path[1024];
    g = (struct golden){0};
    snprintf(path, sizeof path, "%s/crossq/%s", folder, file);
    if (safetensors_load(&g.st, path, &err) != 0) {
        printf("golden crossq/%s: %s\n", file, err.text);
        return false;
    }
    bool known = run_case(&g);
    if (!known)
        printf("golden crossq/%s: skipped, no such case here\n", file);
    else
        printf("golden crossq/%s: largest error %.4f of its tolerance (%s)%s\n", file, g.worst,
               g.worst_name, g.failures > 0 ? " FAILED" : "");
    safetensors_free(&g.st);
    return g.failures == 0;
}

static int is_safetensors(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot != NULL && strcmp(dot, ".safetensors") == 0;
}

static void every_file_is_within_tolerance(void **state)
{
    (void)state;
    const char *golden = getenv("CROSSFLEET_GOLDEN");
    const char *folder = golden == NULL ? "tests/golden" : golden;
    char        path[1024];
    snprintf(path, sizeof path, "%s/crossq", folder);
    struct dirent **entries = NULL;
    int             n = scandir(path, &entries, is_safetensors, alphasort);
    size_t          bad = 0;
    // a folder with environment files alone is no mistake
    if (n <= 0 && golden == NULL)
        fail_msg("no files in %s", path);
    for (int i = 0; i < n; i++) {
        bad += !run_file(folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_file_is_within_tolerance)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
