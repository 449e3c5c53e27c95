#include "common/layer_batch_renorm.h"

#include "common/block.h"
#include "common/vec.h"

#include <math.h>
#include <string.h>

// Columns worked on at a time: x and dy of a tile stay in the second-level cache between two sweeps.
#define TILE 256
// Rows summed in float before they join the double sums.
#define ROWS 32

// What every sweep needs of a tile's columns.
struct tile {
    const float *lift, *pivot, *shift, *gain, *offset;  // (n)
    size_t       n;
    float        low_in, low_out;  // 0 where a ReLU is, -infinity where none is
};

static struct tile tile_at(const struct layer_batch_renorm *l, size_t c, size_t c1)
{
    return (struct tile){
        .lift = l->lift + c,
        .pivot = l->pivot + c,
        .shift = l->shift + c,
        .gain = l->gain + c,
        .offset = l->offset + c,
        .n = c1 - c < TILE ? c1 - c : TILE,
        .low_in = l->relu_before ? 0 : -INFINITY,
        .low_out = l->relu_after ? 0 : -INFINITY,
    };
}

// max that keeps a NaN of x
static inline float above(float x, float low)
{
    return x < low ? low : x;
}

// ---------------------------------------------------------------- sweeps
//
// Each goes over four rows at once, so that a column's coefficients are loaded once for the four.

static inline float lifted(float x, float lift, float low)
{
    return above(x + lift, low);
}

// sums of x' - pivot and of its square, column by column
VEC static void sweep_statistics(double *restrict sum, double *restrict square, struct tile t,
                                 const float *restrict x, size_t ld, size_t N)
{
    const float *restrict lift = t.lift, *restrict pivot = t.pivot;
    const float  low = t.low_in;
    const size_t n = t.n;
    memset(sum, 0, n * sizeof *sum);
    memset(square, 0, n * sizeof *square);
    for (size_t r0 = 0; r0 < N; r0 += ROWS) {
        float  s[TILE], q[TILE];
        size_t r = r0, r1 = r0 + ROWS < N ? r0 + ROWS : N;
        memset(s, 0, n * sizeof *s);
        memset(q, 0, n * sizeof *q);
        for (; r + 4 <= r1; r += 4) {
            const float *restrict x0 = x + r * ld, *restrict x1 = x0 + ld;
            const float *restrict x2 = x1 + ld, *restrict x3 = x2 + ld;
            for (size_t j = 0; j < n; j++) {
                float a = lifted(x0[j], lift[j], low) - pivot[j];
                float b = lifted(x1[j], lift[j], low) - pivot[j];
                float c = lifted(x2[j], lift[j], low) - pivot[j];
                float d = lifted(x3[j], lift[j], low) - pivot[j];
                s[j] += (a + b) + (c + d);
                q[j] += (a * a + b * b) + (c * c + d * d);
            }
        }
        for (; r < r1; r++)
            for (size_t j = 0; j < n; j++) {
                float a = lifted(x[r * ld + j], lift[j], low) - pivot[j];
                s[j] += a;
                q[j] += a * a;
            }
        for (size_t j = 0; j < n; j++) {
            sum[j] += (double)s[j];
            square[j] += (double)q[j];
        }
    }
}

VEC static void sweep_apply(struct tile t, float *y, const float *x, size_t ld, size_t N)
{
    const float *lift = t.lift, *pivot = t.pivot, *shift = t.shift;
    const float *gain = t.gain, *offset = t.offset;
    const float  low_in = t.low_in, low_out = t.low_out;
    size_t       r = 0;
    for (; r + 4 <= N; r += 4) {
        const float *x0 = x + r * ld, *x1 = x0 + ld, *x2 = x1 + ld, *x3 = x2 + ld;
        float       *y0 = y + r * ld, *y1 = y0 + ld, *y2 = y1 + ld, *y3 = y2 + ld;
        VEC_INDEPENDENT
        for (size_t j = 0; j < t.n; j++) {
            float l = lift[j], p = pivot[j], s = shift[j], g = gain[j], o = offset[j];
            y0[j] = above(((lifted(x0[j], l, low_in) - p) - s) * g + o, low_out);
            y1[j] = above(((lifted(x1[j], l, low_in) - p) - s) * g + o, low_out);
            y2[j] = above(((lifted(x2[j], l, low_in) - p) - s) * g + o, low_out);
            y3[j] = above(((lifted(x3[j], l, low_in) - p) - s) * g + o, low_out);
        }
    }
    for (; r < N; r++) {
        VEC_INDEPENDENT
        for (size_t j = 0; j < t.n; j++) {
            float u = (lifted(x[r * ld + j], lift[j], low_in) - pivot[j]) - shift[j];
            y[r * ld + j] = above(u * gain[j] + offset[j], low_out);
        }
    }
}

// dy behind the ReLU that follows: 0 where that is shut
static inline float behind(float dy, float u, float gain, float offset, float low)
{
    return u * gain + offset > low ? dy : 0;
}

// sums of dy and of dy u, dy behind the ReLU that follows
VEC static void sweep_gradient_sums(double *restrict sum, double *restrict product, struct tile t,
                                    const float *restrict dy, size_t lddy, const float *restrict x,
                                    size_t ld, size_t N)
{
    const float *restrict lift = t.lift, *restrict pivot = t.pivot, *restrict shift = t.shift;
    const float *restrict gain = t.gain, *restrict offset = t.offset;
    const float  low_in = t.low_in, low_out = t.low_out;
    const size_t n = t.n;
    memset(sum, 0, n * sizeof *sum);
    memset(product, 0, n * sizeof *product);
    for (size_t r0 = 0; r0 < N; r0 += ROWS) {
        float  s[TILE], q[TILE];
        size_t r = r0, r1 = r0 + ROWS < N ? r0 + ROWS : N;
        memset(s, 0, n * sizeof *s);
        memset(q, 0, n * sizeof *q);
        for (; r + 4 <= r1; r += 4) {
            const float *restrict g0 = dy + r * lddy, *restrict v0 = x + r * ld;
            const float *restrict g1 = g0 + lddy, *restrict v1 = v0 + ld;
            const float *restrict g2 = g1 + lddy, *restrict v2 = v1 + ld;
            const float *restrict g3 = g2 + lddy, *restrict v3 = v2 + ld;
            for (size_t j = 0; j < n; j++) {
                float l = lift[j], p = pivot[j], h = shift[j], k = gain[j], o = offset[j];
                float u0 = (lifted(v0[j], l, low_in) - p) - h;
                float u1 = (lifted(v1[j], l, low_in) - p) - h;
                float u2 = (lifted(v2[j], l, low_in) - p) - h;
                float u3 = (lifted(v3[j], l, low_in) - p) - h;
                float d0 = behind(g0[j], u0, k, o, low_out);
                float d1 = behind(g1[j], u1, k, o, low_out);
                float d2 = behind(g2[j], u2, k, o, low_out);
                float d3 = behind(g3[j], u3, k, o, low_out);
                s[j] += (d0 + d1) + (d2 + d3);
                q[j] += (d0 * u0 + d1 * u1) + (d2 * u2 + d3 * u3);
            }
        }
        for (; r < r1; r++)
            for (size_t j = 0; j < n; j++) {
                float u = (lifted(x[r * ld + j], lift[j], low_in) - pivot[j]) - shift[j];
                float d = behind(dy[r * lddy + j], u, gain[j], offset[j], low_out);
                s[j] += d;
                q[j] += d * u;
            }
        for (size_t j = 0; j < n; j++) {
            sum[j] += (double)s[j];
            product[j] += (double)q[j];
        }
    }
}

// dx of one number: gain dy - base - slope u, behind both ReLUs
static inline float gradient(float dy, float x, float l, float p, float h, float k, float o,
                             float base, float slope, float low_in, float low_out)
{
    float t = x + l;
    float u = (above(t, low_in) - p) - h;
    float dx = (k * behind(dy, u, k, o, low_out) - base) - slope * u;
    return t > low_in ? dx : 0;
}

// dy becomes dx; dlift gets the column sums of dx
VEC static void sweep_backward(struct tile t, float *dy, size_t lddy, const float *x, size_t ld,
                               size_t N, const float *base, const float *slope, float *dlift)
{
    const float *lift = t.lift, *pivot = t.pivot, *shift = t.shift;
    const float *gain = t.gain, *offset = t.offset;
    const float  lo = t.low_in, hi = t.low_out;
    size_t       r = 0;
    for (; r + 4 <= N; r += 4) {
        float       *g0 = dy + r * lddy, *g1 = g0 + lddy, *g2 = g1 + lddy, *g3 = g2 + lddy;
        const float *v0 = x + r * ld, *v1 = v0 + ld, *v2 = v1 + ld, *v3 = v2 + ld;
        VEC_INDEPENDENT
        for (size_t j = 0; j < t.n; j++) {
            float l = lift[j], p = pivot[j], h = shift[j], k = gain[j], o = offset[j];
            float b = base[j], s = slope[j];
            float d0 = gradient(g0[j], v0[j], l, p, h, k, o, b, s, lo, hi);
            float d1 = gradient(g1[j], v1[j], l, p, h, k, o, b, s, lo, hi);
            float d2 = gradient(g2[j], v2[j], l, p, h, k, o, b, s, lo, hi);
            float d3 = gradient(g3[j], v3[j], l, p, h, k, o, b, s, lo, hi);
            g0[j] = d0;
            g1[j] = d1;
            g2[j] = d2;
            g3[j] = d3;
            dlift[j] += (d0 + d1) + (d2 + d3);
        }
    }
    for (; r < N; r++) {
        VEC_INDEPENDENT
        for (size_t j = 0; j < t.n; j++) {
            float *g = dy + r * lddy + j;
            *g = gradient(*g, x[r * ld + j], lift[j], pivot[j], shift[j], gain[j], offset[j],
                          base[j], slope[j], lo, hi);
            dlift[j] += *g;
        }
    }
}

// the same for rows whose dy is 0, without reading it
VEC static void sweep_backward_zero(struct tile t, float *restrict dx, size_t lddx,
                                    const float *restrict x, size_t ld, size_t N,
                                    const float *restrict base, const float *restrict slope,
                                    float *restrict dlift)
{
    const float *restrict lift = t.lift, *restrict pivot = t.pivot, *restrict shift = t.shift;
    for (size_t r = 0; r < N; r++)
        for (size_t j = 0; j < t.n; j++) {
            float d = gradient(0, x[r * ld + j], lift[j], pivot[j], shift[j], 0, 0, base[j],
                               slope[j], t.low_in, 0);
            dx[r * lddx + j] = d;
            dlift[j] += d;
        }
}

// ---------------------------------------------------------------- set-up

size_t layer_batch_renorm_scratch(size_t H)
{
    return 13 * block_round(H);
}

void layer_batch_renorm_init(struct layer_batch_renorm *l, float *scratch)
{
    float **const arrays[] = {&l->pivot, &l->shift,  &l->gain,      &l->offset,
                              &l->scale, &l->centre, &l->inv_var,   &l->kappa,
                              &l->r,     &l->d,      &l->next_mean, &l->next_var};
    size_t        n = sizeof arrays / sizeof *arrays;
    for (size_t i = 0; i < n; i++)
        *arrays[i] = scratch + i * block_round(l->H);
    l->lift = l->relu_before ? l->in_bias : scratch + n * block_round(l->H);
}

// ---------------------------------------------------------------- train

// column c of a batch with this mean of x' - pivot and this biased variance
static void set_column(struct layer_batch_renorm *l, size_t c, double mean_shift, double var)
{
    const struct layer_spec *s = &l->spec;
    double                   warmup = (double)s->warmup_steps, steps = (double)*l->steps;
    double                   t = steps >= warmup ? 1 : s->ramp == RENORM_STEP ? 0 : steps / warmup;
    double                   R = 1 + t * (s->r_max - 1), D = t * s->d_max;
    double bias = l->in_bias != NULL && !l->relu_before ? (double)l->in_bias[c] : 0;
    double mean = (double)l->pivot[c] + mean_shift + bias;
    double running_mean = (double)l->running_mean[c], running_var = (double)l->running_var[c];
    double std = sqrt(var + s->eps), rstd = sqrt(running_var + s->eps);
    double r = fmin(fmax(std / rstd, 1 / R), R);
    double d = fmin(fmax((mean - running_mean) / rstd, -D), D);
    bool   adjusted = s->form == RENORM_ADJUSTED;
    double S = adjusted ? sqrt(var + r * r * s->eps) : std;
    double scale = r / S, centre = adjusted ? d * sqrt(var) / S : d;
    double weight = (double)l->weight[c];
    l->shift[c] = (float)mean_shift;
    l->scale[c] = (float)scale;
    l->centre[c] = (float)centre;
    l->gain[c] = (float)(scale * weight);
    l->offset[c] = (float)(centre * weight + (double)l->bias[c]);
    l->inv_var[c] = (float)(1 / (S * S));
    // the derivative of sqrt(var) is taken as 0 where var is 0
    l->kappa[c] = adjusted && var > 0 ? (float)(d * r * s->eps / (S * S * sqrt(var))) : 0;
    l->r[c] = (float)r;
    l->d[c] = (float)d;
    l->next_mean[c] = (float)(running_mean + s->momentum * (mean - running_mean));
    l->next_var[c] = (float)(running_var + s->momentum * (var - running_var));
}

void layer_batch_renorm_forward(struct layer_batch_renorm *l, float *y, const float *x, size_t ld,
                                size_t N, size_t c0, size_t c1)
{
    double sum[TILE], square[TILE];
    for (size_t c = c0; c < c1; c += TILE) {
        struct tile t = tile_at(l, c, c1);
        // sums about a value of the batch itself do not cancel, and are exactly 0 for a constant
        for (size_t j = 0; j < t.n; j++)
            l->pivot[c + j] = above(x[c + j] + t.lift[j], t.low_in);
        sweep_statistics(sum, square, t, x + c, ld, N);
        for (size_t j = 0; j < t.n; j++) {
            double mean = sum[j] / (double)N;
            double var = square[j] / (double)N - mean * mean;
            set_column(l, c + j, mean, var < 0 ? 0 : var);
        }
        sweep_apply(t, y + c, x + c, ld, N);
    }
}

// gradients of the columns' parameters; base and slope of dx = gain dy - base - slope u
static void column_gradients(struct layer_batch_renorm *l, size_t c, size_t N, double sum,
                             double product, float *base, float *slope)
{
    double scale = (double)l->scale[c], weight = (double)l->weight[c];
    double inv_var = (double)l->inv_var[c], n = (double)N;
    l->dbias[c] = (float)sum;
    l->dweight[c] = (float)(scale * product + (double)l->centre[c] * sum);
    // eval mode has no gradient through mean and variance: inv_var is 0 there
    double mean_g = inv_var > 0 ? weight * sum / n : 0;
    double mean_gu = weight * product / n;
    *base = (float)(scale * mean_g);
    *slope = (float)(scale * (mean_gu * inv_var - (double)l->kappa[c] * mean_g));
}

void layer_batch_renorm_backward(struct layer_batch_renorm *l, float *dy, size_t lddy,
                                 const float *x, size_t ld, size_t N, size_t live, size_t c0,
                                 size_t c1)
{
    double sum[TILE], product[TILE];
    for (size_t c = c0; c < c1; c += TILE) {
        struct tile t = tile_at(l, c, c1);
        float       base[TILE], slope[TILE], dlift[TILE] = {0};
        sweep_gradient_sums(sum, product, t, dy + c, lddy, x + c, ld, live);
        for (size_t j = 0; j < t.n; j++)
            column_gradients(l, c + j, N, sum[j], product[j], &base[j], &slope[j]);
        sweep_backward(t, dy + c, lddy, x + c, ld, live, base, slope, dlift);
        sweep_backward_zero(t, dy + live * lddy + c, lddy, x + live * ld + c, ld, N - live, base,
                            slope, dlift);
        if (l->in_dbias == NULL)
            continue;
        // float noise in a gradient that is 0 would become a step of lr in Adam
        bool vanishes = !l->relu_before && l->inv_var[c] > 0;
        for (size_t j = 0; j < t.n; j++)
            l->in_dbias[c + j] = vanishes ? 0 : dlift[j];
    }
}

void layer_batch_renorm_commit(struct layer_batch_renorm *l)
{
    memcpy(l->running_mean, l->next_mean, l->H * sizeof(float));
    memcpy(l->running_var, l->next_var, l->H * sizeof(float));
    ++*l->steps;
}

// ---------------------------------------------------------------- eval

void layer_batch_renorm_eval_prepare(struct layer_batch_renorm *l)
{
    for (size_t c = 0; c < l->H; c++) {
        bool   bias = l->in_bias != NULL && !l->relu_before;
        double scale = 1 / sqrt((double)l->running_var[c] + l->spec.eps);
        l->pivot[c] = l->running_mean[c];
        l->shift[c] = bias ? -l->in_bias[c] : 0;
        l->scale[c] = (float)scale;
        l->centre[c] = 0;
        l->gain[c] = (float)(scale * (double)l->weight[c]);
        l->offset[c] = l->bias[c];
        l->inv_var[c] = 0;
        l->kappa[c] = 0;
    }
}

void layer_batch_renorm_eval(const struct layer_batch_renorm *l, float *y, const float *x,
                             size_t ld, size_t r0, size_t r1, size_t c0, size_t c1)
{
    for (size_t c = c0; c < c1; c += TILE)
        sweep_apply(tile_at(l, c, c1), y + r0 * ld + c, x + r0 * ld + c, ld, r1 - r0);
}

void layer_batch_renorm_eval_backward(const struct layer_batch_renorm *l, float *dy, size_t lddy,
                                      const float *x, size_t ld, size_t r0, size_t r1, size_t c0,
                                      size_t c1)
{
    const float zeros[TILE] = {0};
    float       unused[TILE] = {0};
    for (size_t c = c0; c < c1; c += TILE)
        sweep_backward(tile_at(l, c, c1), dy + r0 * lddy + c, lddy, x + r0 * ld + c, ld, r1 - r0,
                       zeros, zeros, unused);
}
