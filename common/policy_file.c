#include "common/policy_file.h"

#include "common/json_scan.h"
#include "common/safetensors.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LAYER_KINDS = 5, MAX_WIDTH = 1 << 20 };

static const char *const kind_names[LAYER_KINDS] = {
    [POLICY_LINEAR] = "linear", [POLICY_LAYER_NORM] = "layer_norm",
    [POLICY_AFFINE] = "affine", [POLICY_RELU] = "relu",
    [POLICY_TANH] = "tanh",
};

// ------ writing

// text that grows; a string that did not fit is noticed at the end
struct text {
    char   bytes[16384];
    size_t n;
};

static void text_add(struct text *t, const char *format, double a, double b)
{
    int n = snprintf(t->bytes + t->n, sizeof t->bytes - t->n, format, a, b);
    t->n += (size_t)n;
}

static void layers_write(struct text *t, const struct policy *p)
{
    t->n = 0;
    text_add(t, "[", 0, 0);
    for (size_t i = 0; i < p->n_layers; i++) {
        const struct policy_layer *l = &p->layer[i];
        t->n += (size_t)snprintf(t->bytes + t->n, sizeof t->bytes - t->n, "%s{\"kind\":\"%s\"",
                                 i > 0 ? "," : "", kind_names[l->kind]);
        if (l->kind == POLICY_LINEAR)
            text_add(t, ",\"in\":%.0f,\"out\":%.0f", (double)l->in, (double)l->out);
        else if (l->kind == POLICY_LAYER_NORM)
            text_add(t, ",\"out\":%.0f,\"eps\":%.17g", (double)l->out, l->eps);
        else if (l->kind == POLICY_AFFINE)
            text_add(t, ",\"out\":%.0f", (double)l->out, 0);
        text_add(t, "}", 0, 0);
    }
    text_add(t, "]", 0, 0);
}

static void list_write(char *y, size_t size, const double *x, size_t n)
{
    size_t at = (size_t)snprintf(y, size, "[");
    for (size_t i = 0; i < n && at < size; i++)
        at += (size_t)snprintf(y + at, size - at, "%s%.17g", i > 0 ? "," : "", x[i]);
    if (at < size)
        snprintf(y + at, size - at, "]");
}

enum { NUMBERS = 7, NUMBER_TEXT = 32, LIST_TEXT = POLICY_MAX_ACTION * 26 + 3 };

// everything that a file says in strings
struct strings {
    char                      number[NUMBERS][NUMBER_TEXT];
    char                      low[LIST_TEXT], high[LIST_TEXT];
    struct text               layers;
    struct safetensors_string entry[16];
    size_t                    n;
};

static void string_add(struct strings *s, const char *key, const char *value)
{
    s->entry[s->n++] = (struct safetensors_string){key, value};
}

static void strings_fill(struct strings *s, const struct policy *p, const struct policy_about *a)
{
    const char *const keys[NUMBERS] = {"weights_version", "steps",       "obs_size",
                                       "action_size",     "log_std_min", "log_std_max",
                                       "eval_return"};
    snprintf(s->number[0], NUMBER_TEXT, "%" PRIu64, a->weights_version);
    snprintf(s->number[1], NUMBER_TEXT, "%" PRIu64, a->steps);
    snprintf(s->number[2], NUMBER_TEXT, "%zu", p->O);
    snprintf(s->number[3], NUMBER_TEXT, "%zu", p->A);
    snprintf(s->number[4], NUMBER_TEXT, "%.17g", p->log_std_min);
    snprintf(s->number[5], NUMBER_TEXT, "%.17g", p->log_std_max);
    snprintf(s->number[6], NUMBER_TEXT, "%.17g", a->eval_return);
    for (size_t i = 0; i < NUMBERS; i++)
        string_add(s, keys[i], s->number[i]);
    string_add(s, "crossfleet_version", a->version);
    string_add(s, "run_id", a->run_id);
    string_add(s, "env", a->env);
    string_add(s, "distribution", p->discrete ? "categorical" : "squashed_gaussian");
    if (!p->discrete) {
        list_write(s->low, sizeof s->low, a->low, p->A);
        list_write(s->high, sizeof s->high, a->high, p->A);
        string_add(s, "action_low", s->low);
        string_add(s, "action_high", s->high);
    }
    layers_write(&s->layers, p);
    string_add(s, "layers", s->layers.bytes);
}

int policy_file_save(const char *path, const struct policy *p, const struct policy_about *about,
                     struct error *err)
{
    struct strings            strings = {.n = 0};
    struct safetensors_tensor tensor[2 * (NET_MAX_LAYERS + 1)];
    char                      name[2 * (NET_MAX_LAYERS + 1)][40];
    size_t                    n = 0;
    for (size_t i = 0; i < p->n_layers; i++) {
        const struct policy_layer *l = &p->layer[i];
        if (l->weight == NULL)
            continue;
        bool matrix = l->kind == POLICY_LINEAR;
        snprintf(name[n], sizeof name[n], "layers.%zu.weight", i);
        tensor[n] = (struct safetensors_tensor){.name = name[n],
                                                .dtype = SAFETENSORS_F32,
                                                .rank = matrix ? 2 : 1,
                                                .shape = {l->out, l->in},
                                                .data = l->weight};
        n++;
        snprintf(name[n], sizeof name[n], "layers.%zu.bias", i);
        tensor[n] = (struct safetensors_tensor){.name = name[n],
                                                .dtype = SAFETENSORS_F32,
                                                .rank = 1,
                                                .shape = {l->out},
                                                .data = l->bias};
        n++;
    }
    strings_fill(&strings, p, about);
    return safetensors_save(path, tensor, n, strings.entry, strings.n, err);
}

// ------ reading

static int bad(const struct safetensors *st, const char *what, struct error *err)
{
    return error_set(err, ERR_FORMAT, "%s: not a policy of crossfleet: %s", st->label, what);
}

static int number_read(const struct safetensors *st, const char *key, double *y, struct error *err)
{
    const char *text = safetensors_metadata(st, key);
    char       *end;
    if (text == NULL || text[0] == '\0' || (*y = strtod(text, &end), *end != '\0'))
        return bad(st, key, err);
    return 0;
}

static int text_read(const struct safetensors *st, const char *key, char *y, size_t size,
                     struct error *err)
{
    const char *text = safetensors_metadata(st, key);
    if (text == NULL || strlen(text) >= size)
        return bad(st, key, err);
    memcpy(y, text, strlen(text) + 1);
    return 0;
}

// "[1,-2.5]" with exactly n finite numbers
static int list_read(const struct safetensors *st, const char *key, double *y, size_t n,
                     struct error *err)
{
    const char *at = safetensors_metadata(st, key);
    if (at == NULL || *at++ != '[')
        return bad(st, key, err);
    for (size_t i = 0; i < n; i++) {
        char *end;
        y[i] = strtod(at, &end);
        if (end == at || !isfinite(y[i]) || *end != (i + 1 < n ? ',' : ']'))
            return bad(st, key, err);
        at = end + 1;
    }
    return *at == '\0' ? 0 : bad(st, key, err);
}

static bool kind_find(struct policy_layer *l, const char *name)
{
    for (int k = 0; k < LAYER_KINDS; k++)
        if (strcmp(name, kind_names[k]) == 0) {
            l->kind = (enum policy_kind)k;
            return true;
        }
    return false;
}

// one "key": value of a layer's object; word holds any string of the text
static bool layer_member(struct json_scan *s, struct policy_layer *l, char *word)
{
    uint64_t number;
    if (!json_scan_string(s, word) || !json_scan_expect(s, ':'))
        return false;
    if (strcmp(word, "kind") == 0)
        return json_scan_string(s, word) && kind_find(l, word);
    if (strcmp(word, "eps") == 0) {
        char *end;
        l->eps = strtod(s->text + s->at, &end);
        s->at = (size_t)(end - s->text);
        return l->eps > 0 && l->eps < 1;
    }
    size_t *width = strcmp(word, "in") == 0 ? &l->in : strcmp(word, "out") == 0 ? &l->out : NULL;
    if (width == NULL || !json_scan_uint(s, &number) || number < 1 || number > MAX_WIDTH)
        return false;
    *width = (size_t)number;
    return true;
}

static bool layers_read(struct policy *p, const char *text)
{
    struct json_scan s;
    char            *word = malloc(strlen(text) + 1);
    size_t           width = p->O;
    bool             good = word != NULL;
    json_scan_init(&s, text, strlen(text));
    good = good && json_scan_expect(&s, '[');
    do {
        struct policy_layer l = {.kind = POLICY_RELU};
        good = good && p->n_layers <= NET_MAX_LAYERS && json_scan_expect(&s, '{');
        do
            good = good && layer_member(&s, &l, word);
        while (good && json_scan_take(&s, ','));
        good = good && json_scan_expect(&s, '}');
        bool linear = l.kind == POLICY_LINEAR;
        // widths follow from one layer to the next
        good = good && (linear ? l.in == width && l.out > 0 : l.out == 0 || l.out == width);
        if (!good)
            break;
        l.in = width;
        l.out = width = linear ? l.out : width;
        p->layer[p->n_layers++] = l;
    } while (json_scan_take(&s, ','));
    good = good && json_scan_expect(&s, ']') && json_scan_end(&s) &&
           p->layer[p->n_layers - 1].kind == POLICY_LINEAR &&
           width == (p->discrete ? p->A : 2 * p->A);
    free(word);
    return good;
}

static int about_read(const struct safetensors *st, struct policy *p, struct policy_about *a,
                      struct error *err)
{
    double version = 0, steps = 0, O = 0, A = 0;
    char   distribution[32];
    if (text_read(st, "crossfleet_version", a->version, sizeof a->version, err) < 0 ||
        text_read(st, "run_id", a->run_id, sizeof a->run_id, err) < 0 ||
        text_read(st, "env", a->env, sizeof a->env, err) < 0 ||
        text_read(st, "distribution", distribution, sizeof distribution, err) < 0 ||
        number_read(st, "weights_version", &version, err) < 0 ||
        number_read(st, "steps", &steps, err) < 0 ||
        number_read(st, "eval_return", &a->eval_return, err) < 0 ||
        number_read(st, "obs_size", &O, err) < 0 || number_read(st, "action_size", &A, err) < 0 ||
        number_read(st, "log_std_min", &p->log_std_min, err) < 0 ||
        number_read(st, "log_std_max", &p->log_std_max, err) < 0)
        return err->code;
    p->discrete = strcmp(distribution, "categorical") == 0;
    if (!p->discrete && strcmp(distribution, "squashed_gaussian") != 0)
        return bad(st, "distribution", err);
    if (!(O >= 1 && O <= MAX_WIDTH) || !(A >= 1 && A <= POLICY_MAX_ACTION))
        return bad(st, "obs_size or action_size", err);
    a->weights_version = version >= 0 && version < 0x1p63 ? (uint64_t)version : 0;
    a->steps = steps >= 0 && steps < 0x1p63 ? (uint64_t)steps : 0;
    p->O = (size_t)O;
    p->A = (size_t)A;
    if (!p->discrete && (list_read(st, "action_low", a->low, p->A, err) < 0 ||
                         list_read(st, "action_high", a->high, p->A, err) < 0))
        return err->code;
    return 0;
}

static int weights_read(const struct safetensors *st, struct policy *p, struct error *err)
{
    char name[40];
    for (size_t i = 0; i < p->n_layers; i++) {
        struct policy_layer *l = &p->layer[i];
        if (l->weight == NULL)
            continue;
        snprintf(name, sizeof name, "layers.%zu.weight", i);
        size_t n = l->kind == POLICY_LINEAR ? l->in * l->out : l->out;
        if (safetensors_get(st, name, SAFETENSORS_F32, l->weight, n, err) < 0)
            return err->code;
        snprintf(name, sizeof name, "layers.%zu.bias", i);
        if (safetensors_get(st, name, SAFETENSORS_F32, l->bias, l->out, err) < 0)
            return err->code;
    }
    for (size_t i = 0; i < p->n_floats; i++)
        if (!isfinite(p->floats[i]))
            return bad(st, "a weight is not finite", err);
    return 0;
}

// the layers need no more weights than the file holds: a layout of that size may be allocated
static bool size_fits(const struct safetensors *st, const struct policy *p)
{
    size_t have = 0, want = 0;
    for (size_t i = 0; i < st->n; i++)
        have += st->tensor[i].n;
    for (size_t i = 0; i < p->n_layers; i++)
        want += p->layer[i].kind == POLICY_LINEAR ? p->layer[i].in * p->layer[i].out : 0;
    return want <= have;
}

static int policy_read(const struct safetensors *st, struct policy *p, struct policy_about *about,
                       size_t rows, struct error *err)
{
    const char *layers = safetensors_metadata(st, "layers");
    int         rc = about_read(st, p, about, err);
    if (rc == 0 && (layers == NULL || !layers_read(p, layers) || !size_fits(st, p)))
        rc = bad(st, "layers", err);
    if (rc == 0)
        rc = policy_layout(p, rows, err);
    if (rc == 0)
        rc = weights_read(st, p, err);
    return rc;
}

// bytes NULL: those of the file
static int policy_open(const void *bytes, size_t size, const char *name, struct policy *p,
                       struct policy_about *about, size_t rows, struct error *err)
{
    struct error       local;
    struct safetensors st = {0};
    if (err == NULL)
        err = &local;
    *p = (struct policy){0};
    *about = (struct policy_about){0};
    if (bytes == NULL && access(name, F_OK) != 0)
        return error_set(err, ERR_SYSTEM,
                         "%s: no policy there; name a run's directory or a .safetensors file",
                         name);
    int rc = bytes == NULL ? safetensors_load(&st, name, err)
                           : safetensors_parse(&st, bytes, size, name, err);
    if (rc == 0)
        rc = policy_read(&st, p, about, rows, err);
    if (rc < 0)
        policy_free(p);
    safetensors_free(&st);
    return rc;
}

int policy_file_load(const char *path, struct policy *p, struct policy_about *about, size_t rows,
                     struct error *err)
{
    return policy_open(NULL, 0, path, p, about, rows, err);
}

int policy_file_parse(const void *bytes, size_t size, const char *name, struct policy *p,
                      struct policy_about *about, size_t rows, struct error *err)
{
    return policy_open(bytes, size, name, p, about, rows, err);
}
