// The two kinds of policy: from the actor's heads to actions and log probabilities, and back.
#include "learner/update_state.h"

#include "common/vec.h"

#include <math.h>

// values worked on at a time, so that scratch stays on the stack
#define CHUNK 64

static inline float clip(float x, float low, float high)
{
    return x < low ? low : x > high ? high : x;
}

// ---------------------------------------------------------------- Gaussian, squashed by tanh

// one row's raw values, actions and log probability
static float sample_row(const struct update *u, float *std_noise, float *raw, const float *head,
                        const float *noise, float *action)
{
    const float half_log_2pi = 0.918938533f;
    const float low = (float)u->spec.log_std_min, high = (float)u->spec.log_std_max;
    double      log_prob = 0;
    for (size_t i = 0; i < u->A; i += CHUNK) {
        size_t n = u->A - i < CHUNK ? u->A - i : CHUNK;
        float  log_std[CHUNK], squash[CHUNK], std[CHUNK];
        for (size_t j = 0; j < n; j++)
            log_std[j] = clip(head[u->A + i + j], low, high);
        vec_exp(std, log_std, n);
        for (size_t j = 0; j < n; j++) {
            std_noise[i + j] = std[j] * noise[i + j];
            raw[i + j] = head[i + j] + std_noise[i + j];
        }
        vec_squash(action + i, squash, raw + i, n);
        for (size_t j = 0; j < n; j++) {
            float z = noise[i + j];
            log_prob += (double)(-0.5f * z * z - log_std[j] - half_log_2pi - squash[j]);
        }
    }
    return (float)log_prob;
}

void policy_sample(const struct update *u, struct policy_rows *p, const float *heads, size_t ld,
                   const float *noise, float *action, size_t ld_action, size_t begin, size_t end)
{
    for (size_t r = begin; r < end; r++) {
        size_t at = r * u->A;
        p->log_prob[r] = sample_row(u, p->std_noise + at, p->raw + at, heads + r * ld, noise + at,
                                    action + r * ld_action);
    }
}

void policy_sample_backward(const struct update *u, const struct policy_rows *p, const float *heads,
                            size_t ld, const float *action, size_t ld_action,
                            const float *const daction[2], size_t ld_da, float *dheads, size_t ld_d,
                            size_t begin, size_t end)
{
    const float low = (float)u->spec.log_std_min, high = (float)u->spec.log_std_max;
    const float weight = u->alpha / (float)u->B;
    for (size_t r = begin; r < end; r++)
        for (size_t j = 0; j < u->A; j++) {
            float a = action[r * ld_action + j];
            float da = daction[0][r * ld_da + j] + daction[1][r * ld_da + j];
            float draw = weight * 2 * a + da * (1 - a * a);
            float log_std = heads[r * ld + u->A + j];
            // clipping stops the whole gradient, that of the entropy term too
            bool free = log_std >= low && log_std <= high;
            dheads[r * ld_d + j] = draw;
            dheads[r * ld_d + u->A + j] = free ? draw * p->std_noise[r * u->A + j] - weight : 0;
        }
}

// ---------------------------------------------------------------- Categorical

void policy_categorical(const struct update *u, struct policy_rows *p, const float *logits,
                        size_t ld, size_t begin, size_t end)
{
    size_t A = u->A;
    for (size_t r = begin; r < end; r++) {
        const float *x = logits + r * ld;
        float       *pi = p->raw + r * A, *log_pi = p->log_pi + r * A;
        float        top = x[0];
        for (size_t j = 1; j < A; j++)
            top = x[j] > top ? x[j] : top;
        for (size_t j = 0; j < A; j++)
            log_pi[j] = x[j] - top;
        vec_exp(pi, log_pi, A);
        double sum = 0;
        for (size_t j = 0; j < A; j++)
            sum += (double)pi[j];
        float log_sum = (float)log(sum);
        for (size_t j = 0; j < A; j++)
            log_pi[j] -= log_sum;
        vec_exp(pi, log_pi, A);
        double mean = 0;
        for (size_t j = 0; j < A; j++)
            mean += (double)(pi[j] * log_pi[j]);
        p->log_prob[r] = (float)mean;
    }
}

double policy_categorical_backward(const struct update *u, const struct policy_rows *p,
                                   const float *q1, const float *q2, float *dlogits, size_t ld_d,
                                   size_t begin, size_t end)
{
    size_t A = u->A;
    double loss = 0;
    for (size_t r = begin; r < end; r++) {
        const float *pi = p->raw + r * A, *log_pi = p->log_pi + r * A;
        float       *d = dlogits + r * ld_d;
        double       mean = 0;
        // d holds h = alpha log pi - Q until its mean is known
        for (size_t j = 0; j < A; j++) {
            d[j] = u->alpha * log_pi[j] - (q1[r * A + j] + q2[r * A + j]) / 2;
            mean += (double)(pi[j] * d[j]);
        }
        for (size_t j = 0; j < A; j++)
            d[j] = pi[j] * (d[j] - (float)mean) / (float)u->B;
        loss += mean;
    }
    return loss;
}
