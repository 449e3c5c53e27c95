#include "common/policy.h"

#include "common/blas.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// ------ layout

static bool is_linear(const struct net_spec *net, size_t i)
{
    // the head after the last layer is linear too
    return i >= net->n_layers || net->layers[i].kind == LAYER_LINEAR;
}

// a BatchRenorm between two others that are not Linear
static bool stays_affine(const struct net_spec *net, size_t i)
{
    return !(i > 0 && is_linear(net, i - 1)) && !is_linear(net, i + 1);
}

static void layer_add(struct policy *p, enum policy_kind kind, size_t in, size_t out, double eps)
{
    p->layer[p->n_layers++] = (struct policy_layer){.kind = kind, .in = in, .out = out, .eps = eps};
}

static void layers_plan(struct policy *p, const struct net_spec *net)
{
    size_t width = p->O;
    for (size_t i = 0; i < net->n_layers; i++) {
        const struct layer_spec *l = &net->layers[i];
        switch (l->kind) {
        case LAYER_LINEAR:
            layer_add(p, POLICY_LINEAR, width, l->out, 0);
            width = l->out;
            break;
        case LAYER_BATCH_RENORM:
            if (stays_affine(net, i))
                layer_add(p, POLICY_AFFINE, width, width, 0);
            break;
        case LAYER_LAYER_NORM:
            layer_add(p, POLICY_LAYER_NORM, width, width, l->eps);
            break;
        case LAYER_RELU:
            layer_add(p, POLICY_RELU, width, width, 0);
            break;
        case LAYER_TANH:
            layer_add(p, POLICY_TANH, width, width, 0);
            break;
        }
    }
    layer_add(p, POLICY_LINEAR, width, p->discrete ? p->A : 2 * p->A, 0);
}

static size_t weight_count(const struct policy_layer *l)
{
    if (l->kind == POLICY_LINEAR)
        return l->in * l->out;
    return l->kind == POLICY_LAYER_NORM || l->kind == POLICY_AFFINE ? l->out : 0;
}

int policy_layout(struct policy *p, size_t rows, struct error *err)
{
    size_t widest = p->O;
    p->rows = rows;
    p->n_floats = 0;
    for (size_t i = 0; i < p->n_layers; i++) {
        const struct policy_layer *l = &p->layer[i];
        widest = l->out > widest ? l->out : widest;
        p->n_floats += weight_count(l) + (weight_count(l) > 0 ? l->out : 0);
    }
    p->block = calloc(p->n_floats + 2 * rows * widest, sizeof(float));
    if (p->block == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a policy of %zu weights", p->n_floats);
    p->floats = p->block;
    p->scratch[0] = p->floats + p->n_floats;
    p->scratch[1] = p->scratch[0] + rows * widest;
    float *at = p->floats;
    for (size_t i = 0; i < p->n_layers; i++) {
        struct policy_layer *l = &p->layer[i];
        if (weight_count(l) == 0)
            continue;
        l->weight = at;
        l->bias = at + weight_count(l);
        at = l->bias + l->out;
    }
    return 0;
}

int policy_init(struct policy *p, const struct net_spec *net, size_t O, size_t A, bool discrete,
                double log_std_min, double log_std_max, size_t rows, struct error *err)
{
    assert(O >= 1 && A >= 1 && rows >= 1);
    *p = (struct policy){.O = O, .A = A, .discrete = discrete};
    p->log_std_min = log_std_min;
    p->log_std_max = log_std_max;
    layers_plan(p, net);
    return policy_layout(p, rows, err);
}

void policy_free(struct policy *p)
{
    free(p->block);
    *p = (struct policy){0};
}

// ------ folding

// a BatchRenorm in eval mode as y = scale x + shift
static void renorm_affine(double *scale, double *shift, const struct layer_spec *l,
                          const struct policy_source *s, size_t i)
{
    *scale = s->weight[i] / sqrt((double)s->var[i] + l->eps);
    *shift = s->bias[i] - *scale * s->mean[i];
}

// the Linear l followed by this BatchRenorm
static void fold_after(struct policy_layer *l, const struct layer_spec *spec,
                       const struct policy_source *s)
{
    for (size_t o = 0; o < l->out; o++) {
        double scale, shift;
        renorm_affine(&scale, &shift, spec, s, o);
        for (size_t i = 0; i < l->in; i++)
            l->weight[o * l->in + i] = (float)(scale * l->weight[o * l->in + i]);
        l->bias[o] = (float)(scale * l->bias[o] + shift);
    }
}

// the Linear l after this BatchRenorm
static void fold_before(struct policy_layer *l, const struct layer_spec *spec,
                        const struct policy_source *s)
{
    for (size_t o = 0; o < l->out; o++) {
        double bias = l->bias[o];
        for (size_t i = 0; i < l->in; i++) {
            double scale, shift, w = l->weight[o * l->in + i];
            renorm_affine(&scale, &shift, spec, s, i);
            bias += w * shift;
            l->weight[o * l->in + i] = (float)(scale * w);
        }
        l->bias[o] = (float)bias;
    }
}

static void affine_fill(struct policy_layer *l, const struct layer_spec *spec,
                        const struct policy_source *s)
{
    for (size_t i = 0; i < l->out; i++) {
        double scale, shift;
        renorm_affine(&scale, &shift, spec, s, i);
        l->weight[i] = (float)scale;
        l->bias[i] = (float)shift;
    }
}

static void layer_copy(struct policy_layer *l, const struct policy_source *s)
{
    if (l->kind == POLICY_LINEAR && s->ld > 0)
        for (size_t o = 0; o < l->out; o++)
            memcpy(l->weight + o * l->in, s->weight + o * s->ld, l->in * sizeof(float));
    else
        memcpy(l->weight, s->weight, weight_count(l) * sizeof(float));
    memcpy(l->bias, s->bias, l->out * sizeof(float));
}

void policy_fold(struct policy *p, const struct net_spec *net, const struct policy_source *source)
{
    struct policy_layer *l = p->layer;
    size_t               before = SIZE_MAX;  // a BatchRenorm that waits for the next Linear
    for (size_t i = 0; i <= net->n_layers; i++) {
        const struct layer_spec *spec = i < net->n_layers ? &net->layers[i] : NULL;
        if (spec != NULL && spec->kind == LAYER_BATCH_RENORM) {
            if (i > 0 && is_linear(net, i - 1))
                fold_after(l - 1, spec, &source[i]);
            else if (stays_affine(net, i))
                affine_fill(l++, spec, &source[i]);
            else
                before = i;
            continue;
        }
        if (l->weight != NULL)
            layer_copy(l, &source[i]);
        if (before != SIZE_MAX)
            fold_before(l, &net->layers[before], &source[before]);
        before = SIZE_MAX;
        l++;
    }
    assert(l == p->layer + p->n_layers);
}

// ------ acting

static void linear_forward(float *y, const struct policy_layer *l, const float *x, size_t B)
{
    blas_nt(y, l->out, x, l->in, l->weight, l->in, B, l->out, l->in);
    for (size_t b = 0; b < B; b++, y += l->out)
        for (size_t i = 0; i < l->out; i++)
            y[i] += l->bias[i];
}

static void layer_norm_forward(float *y, const struct policy_layer *l, const float *x, size_t B)
{
    for (size_t b = 0; b < B; b++, x += l->in, y += l->out) {
        double mean = 0, var = 0;
        for (size_t i = 0; i < l->in; i++)
            mean += x[i];
        mean /= (double)l->in;
        for (size_t i = 0; i < l->in; i++)
            var += (x[i] - mean) * (x[i] - mean);
        double rstd = 1.0 / sqrt(var / (double)l->in + l->eps);
        for (size_t i = 0; i < l->in; i++)
            y[i] = (float)((x[i] - mean) * rstd) * l->weight[i] + l->bias[i];
    }
}

static void elementwise_forward(float *y, const struct policy_layer *l, const float *x, size_t B)
{
    for (size_t b = 0; b < B; b++, x += l->in, y += l->out)
        for (size_t i = 0; i < l->in; i++) {
            if (l->kind == POLICY_RELU)
                y[i] = x[i] > 0 ? x[i] : 0;
            else if (l->kind == POLICY_TANH)
                y[i] = tanhf(x[i]);
            else
                y[i] = x[i] * l->weight[i] + l->bias[i];
        }
}

void policy_forward(struct policy *p, float *y, const float *obs, size_t B)
{
    assert(B <= p->rows);
    const float *x = obs;
    for (size_t i = 0; i < p->n_layers; i++) {
        const struct policy_layer *l = &p->layer[i];
        float                     *out = i + 1 == p->n_layers ? y : p->scratch[i % 2];
        if (l->kind == POLICY_LINEAR)
            linear_forward(out, l, x, B);
        else if (l->kind == POLICY_LAYER_NORM)
            layer_norm_forward(out, l, x, B);
        else
            elementwise_forward(out, l, x, B);
        x = out;
    }
}

static float squash(const struct policy *p, const float *y, size_t i, struct rng *rng)
{
    double raw = y[i];
    if (rng != NULL) {
        double log_std = fmin(fmax(y[p->A + i], p->log_std_min), p->log_std_max);
        raw += exp(log_std) * rng_normal(rng);
    }
    return (float)tanh(raw);
}

// the largest logit, or by the Gumbel-max trick a draw from softmax(logits)
static size_t choose(const struct policy *p, const float *logits, struct rng *rng)
{
    size_t best = 0;
    double best_value = -INFINITY;
    for (size_t i = 0; i < p->A; i++) {
        double gumbel = rng != NULL ? -log(-log(rng_uniform(rng) + 0x1p-54)) : 0.0;
        if (logits[i] + gumbel > best_value) {
            best_value = logits[i] + gumbel;
            best = i;
        }
    }
    return best;
}

void policy_act(struct policy *p, float *action, float *y, const float *obs, size_t B,
                struct rng *rng)
{
    policy_forward(p, y, obs, B);
    if (p->discrete) {
        for (size_t b = 0; b < B; b++)
            action[b] = (float)choose(p, y + b * p->A, rng);
        return;
    }
    for (size_t b = 0; b < B; b++)
        for (size_t i = 0; i < p->A; i++)
            action[b * p->A + i] = squash(p, y + b * 2 * p->A, i, rng);
}
