#include "common/vec.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

// e^x by 2^n e^r, |r| <= log(2)/2 (Cephes' expf)
static inline float exp_one(float x)
{
    const float log2e = 1.44269504f, high = 0.693359375f, low = -2.12194440e-4f;
    float       c = x > 88.0f ? 88.0f : x;
    c = c < -87.0f ? -87.0f : c;
    // adding and taking away 1.5 * 2^23 rounds to an integer
    float n = (c * log2e + 12582912.0f) - 12582912.0f;
    float r = (c - n * high) - n * low;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    // a NaN has no integer; its own value comes back below
    int32_t bits = ((int32_t)(n == n ? n : 0.0f) + 127) * (1 << 23);
    float   scale;
    memcpy(&scale, &bits, sizeof scale);
    float y = p * scale;
    y = x < -87.0f ? 0.0f : y;
    return x == x ? y : x;
}

// log(1 + e), e in [0, 1], as 2 atanh(e / (2 + e))
static inline float log1p_one(float e)
{
    float t = e / (2.0f + e), t2 = t * t;
    float p = 1.0f / 13;
    p = p * t2 + 1.0f / 11;
    p = p * t2 + 1.0f / 9;
    p = p * t2 + 1.0f / 7;
    p = p * t2 + 1.0f / 5;
    p = p * t2 + 1.0f / 3;
    return 2.0f * t * (p * t2 + 1.0f);
}

VEC double vec_sum_squares(const float *x, size_t n)
{
    // independent sums, so that the loop may run over lanes
    double sum[16] = {0};
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        for (size_t j = 0; j < 16; j++)
            sum[j] += (double)x[i + j] * (double)x[i + j];
    double total = 0;
    for (; i < n; i++)
        total += (double)x[i] * (double)x[i];
    for (size_t j = 0; j < 16; j++)
        total += sum[j];
    return total;
}

VEC void vec_exp(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = exp_one(x[i]);
}

VEC void vec_tanh(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float e = exp_one(-2.0f * fabsf(x[i]));
        y[i] = copysignf((1.0f - e) / (1.0f + e), x[i]);
    }
}

VEC void vec_squash(float *restrict y, float *restrict s, const float *restrict x, size_t n)
{
    const float log2 = 0.693147181f;
    for (size_t i = 0; i < n; i++) {
        float a = fabsf(x[i]);
        float e = exp_one(-2.0f * a);
        y[i] = copysignf((1.0f - e) / (1.0f + e), x[i]);
        // -x - softplus(-2 x) is -|x| - log(1 + e) for either sign
        s[i] = 2.0f * (log2 - a - log1p_one(e));
    }
}

#if defined(__x86_64__)

unsigned vec_denormals_flush(void)
{
    unsigned state = _mm_getcsr();
    _mm_setcsr(state | 0x8040u);  // results and operands
    return state;
}

void vec_denormals_restore(unsigned state)
{
    _mm_setcsr(state);
}

#else

unsigned vec_denormals_flush(void)
{
    return 0;
}

void vec_denormals_restore(unsigned state)
{
    (void)state;
}

#endif
