// Initial weights of a network, and the projection of its rows to unit length.
#include "common/network.h"

#include "common/blas.h"
#include "common/block.h"
#include "common/vec.h"

#include <math.h>
#include <string.h>

// columns made orthogonal at a time
#define PANEL 32

// ---------------------------------------------------------------- random numbers

static size_t tensor_rows(const struct network_tensor *t)
{
    return t->rows == 0 ? 1 : t->rows;
}

static void fill_uniform(const struct network_tensor *t, double bound, struct rng *rng)
{
    for (size_t r = 0; r < tensor_rows(t); r++)
        for (size_t i = 0; i < t->cols; i++)
            t->value[r * t->ld + i] = (float)rng_range(rng, -bound, bound);
}

static void fill_normal(const struct network_tensor *t, double std, struct rng *rng)
{
    for (size_t r = 0; r < tensor_rows(t); r++)
        for (size_t i = 0; i < t->cols; i++)
            t->value[r * t->ld + i] = (float)(std * rng_normal(rng));
}

// normal within two standard deviations, then scaled back to the asked one
static void fill_truncated(const struct network_tensor *t, double std, struct rng *rng)
{
    for (size_t r = 0; r < tensor_rows(t); r++)
        for (size_t i = 0; i < t->cols; i++) {
            double z;
            do {
                z = rng_normal(rng);
            } while (fabs(z) > 2);
            t->value[r * t->ld + i] = (float)(std / 0.87962566103423978 * z);
        }
}

// ---------------------------------------------------------------- orthogonal rows

static double dot(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

// takes from rows [r0, r1) of q (rows, n) what lies along rows [0, r0); product (PANEL, r0) is scratch
static void panel_project(float *q, size_t r0, size_t r1, size_t n, float *product, float *along)
{
    if (r0 == 0)
        return;
    blas_nt(product, r0, q + r0 * n, n, q, n, r1 - r0, r0, n);
    blas_nn(along, n, product, r0, q, n, r1 - r0, n, r0);
    for (size_t i = 0; i < (r1 - r0) * n; i++)
        q[r0 * n + i] -= along[i];
}

// rows of q (rows <= n, n), normal at first, become orthonormal: block Gram-Schmidt, done twice
static void make_orthonormal(float *q, size_t rows, size_t n, float *scratch)
{
    float *product = scratch, *along = scratch + PANEL * rows;
    for (size_t r0 = 0; r0 < rows; r0 += PANEL) {
        size_t r1 = r0 + PANEL < rows ? r0 + PANEL : rows;
        for (int pass = 0; pass < 2; pass++) {
            panel_project(q, r0, r1, n, product, along);
            for (size_t r = r0; r < r1; r++) {
                float *row = q + r * n;
                for (size_t s = r0; s < r; s++) {
                    float c = (float)dot(row, q + s * n, n);
                    for (size_t i = 0; i < n; i++)
                        row[i] -= c * q[s * n + i];
                }
                float scale = (float)(1 / sqrt(dot(row, row, n)));
                for (size_t i = 0; i < n; i++)
                    row[i] *= scale;
            }
        }
    }
}

// the weight has orthogonal rows, or columns if there are more rows, of length gain
static void fill_orthogonal(const struct network_tensor *t, double gain, struct rng *rng)
{
    size_t out = t->rows, in = t->cols;
    size_t few = out < in ? out : in, many = out < in ? in : out;
    size_t floats = few * many + PANEL * (few + many);
    float *q = block_make(floats * sizeof *q);
    // without memory for it plain normal weights of the same size have to do
    if (q == NULL) {
        fill_normal(t, gain / sqrt((double)many), rng);
        return;
    }
    rng_normal_fill(rng, q, few * many);
    make_orthonormal(q, few, many, q + few * many);
    for (size_t r = 0; r < out; r++)
        for (size_t c = 0; c < in; c++)
            t->value[r * t->ld + c] = (float)gain * (out <= in ? q[r * many + c] : q[c * many + r]);
    block_free(q, floats * sizeof *q);
}

// ---------------------------------------------------------------- the kinds

static void fill_weight(const struct network_tensor *t, enum init_kind kind, struct rng *rng)
{
    double in = (double)t->cols, out = (double)t->rows;
    switch (kind) {
    case INIT_TORCH:
        fill_uniform(t, 1 / sqrt(in), rng);
        break;
    case INIT_ORTHOGONAL:
        fill_orthogonal(t, sqrt(2), rng);
        break;
    case INIT_XAVIER_UNIFORM:
        fill_uniform(t, sqrt(6 / (in + out)), rng);
        break;
    case INIT_XAVIER_NORMAL:
        fill_normal(t, sqrt(2 / (in + out)), rng);
        break;
    case INIT_KAIMING_UNIFORM:
        fill_uniform(t, sqrt(6 / in), rng);
        break;
    case INIT_KAIMING_NORMAL:
        fill_normal(t, sqrt(2 / in), rng);
        break;
    case INIT_LECUN_NORMAL:
        fill_truncated(t, sqrt(1 / in), rng);
        break;
    }
}

void network_randomize(struct network *net, struct rng *rng)
{
    double fan_in = 1;
    memset(net->steps, 0, net->n_steps * sizeof *net->steps);
    for (size_t i = 0; i < net->n_tensors; i++) {
        const struct network_tensor *t = &net->tensors[i];
        bool                         one = t->kind == TENSOR_SCALE || t->kind == TENSOR_RUNNING_VAR;
        if (t->kind == TENSOR_WEIGHT) {
            fan_in = (double)t->cols;
            fill_weight(t, net->spec.init, rng);
        } else if (t->kind == TENSOR_BIAS && net->spec.init == INIT_TORCH) {
            fill_uniform(t, 1 / sqrt(fan_in), rng);
        } else {
            for (size_t j = 0; j < t->cols; j++)
                t->value[j] = one ? 1 : 0;
        }
    }
    if (net->spec.weight_norm)
        network_project(net);
}

// ---------------------------------------------------------------- projection, following

void network_project(struct network *net)
{
    for (size_t i = 0; i + 1 < net->n_ops; i++) {
        const struct layer_linear *l = &net->ops[i].linear;
        if (net->ops[i].kind != OP_LINEAR)
            continue;
        for (size_t r = 0; r < l->out; r++) {
            float *row = l->weight + r * l->ld;
            double bias = (double)l->bias[r];
            double square = vec_sum_squares(row, l->in) + bias * bias;
            float  scale = square > 0 ? (float)(1 / sqrt(square)) : 1;
            for (size_t k = 0; k < l->in; k++)
                row[k] *= scale;
            l->bias[r] *= scale;
        }
    }
}

VEC void network_follow(struct network *net, const struct network *from, float rate, size_t begin,
                        size_t end)
{
    float *restrict p = net->params;
    const float *restrict q = from->params;
    for (size_t i = begin; i < end; i++)
        p[i] += rate * (q[i] - p[i]);
}
