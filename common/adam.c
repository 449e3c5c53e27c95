#include "common/adam.h"

#include "common/vec.h"

#include <math.h>

void adam_init(struct adam *a, const struct optim_spec *spec, size_t n, float *m, float *v)
{
    *a = (struct adam){.spec = *spec, .n = n, .m = m, .v = v};
}

double adam_rate(const struct optim_spec *spec, double progress)
{
    if (spec->schedule == SCHEDULE_CONSTANT)
        return spec->lr;
    double done = fmin(fmax(progress, 0), 1);
    return spec->lr * (1 + (spec->final_factor - 1) * done);
}

void adam_begin(struct adam *a, double lr)
{
    a->t++;
    // 1 - b2^t loses its digits in float while t is small
    a->lr = (float)lr;
    a->correct1 = (float)(1 - pow(a->spec.beta1, (double)a->t));
    a->sqrt_correct2 = (float)sqrt(1 - pow(a->spec.beta2, (double)a->t));
}

VEC void adam_apply(const struct adam *a, float *restrict p, const float *restrict g, float g_scale,
                    size_t begin, size_t end)
{
    const float b1 = (float)a->spec.beta1, c1 = (float)(1 - a->spec.beta1);
    const float b2 = (float)a->spec.beta2, c2 = (float)(1 - a->spec.beta2);
    const float eps = (float)a->spec.eps, step = a->lr / a->correct1;
    const float inv_sqrt = 1 / a->sqrt_correct2;
    const bool  decoupled = a->spec.kind == OPTIM_ADAMW;
    const float decay = decoupled ? 0 : (float)a->spec.weight_decay;
    const float keep = decoupled ? (float)(1 - (double)a->lr * a->spec.weight_decay) : 1;
    float *restrict m = a->m, *restrict v = a->v;
    for (size_t i = begin; i < end; i++) {
        float old = p[i] * keep;
        float gi = g[i] * g_scale + decay * old;
        float mi = b1 * m[i] + c1 * gi;
        float vi = b2 * v[i] + c2 * (gi * gi);
        m[i] = mi;
        v[i] = vi;
        p[i] = old - step * mi / (sqrtf(vi) * inv_sqrt + eps);
    }
}
