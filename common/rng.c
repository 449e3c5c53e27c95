#include "common/rng.h"

#include "common/vec.h"

#include <assert.h>
#include <math.h>
#include <string.h>

// Pairs that rng_normal_pairs makes at a time.
#define PAIRS 64

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

// splitmix64, which the authors of xoshiro name for seeding it
static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void rng_init(struct rng *rng, uint64_t seed, enum rng_purpose purpose, uint64_t index)
{
    // each part of the name goes through a full mix before the next joins
    uint64_t state = seed;
    state = splitmix(&state) ^ (uint64_t)purpose;
    state = splitmix(&state) ^ index;
    *rng = (struct rng){0};
    for (int i = 0; i < 4; i++)
        rng->s[i] = splitmix(&state);
}

uint64_t rng_next(struct rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t  result = rotl(s[0] + s[3], 23) + s[0];
    uint64_t  t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t rng_below(struct rng *rng, uint64_t n)
{
    assert(n >= 1);
    // values below 2^64 mod n would make small results more likely
    uint64_t threshold = (0 - n) % n;
    uint64_t x;
    do {
        x = rng_next(rng);
    } while (x < threshold);
    return x % n;
}

double rng_uniform(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

double rng_range(struct rng *rng, double low, double high)
{
    return low + (high - low) * rng_uniform(rng);
}

double rng_normal(struct rng *rng)
{
    if (rng->has_spare) {
        rng->has_spare = 0;
        return rng->spare;
    }
    double u, v, s;
    do {
        u = 2.0 * rng_uniform(rng) - 1.0;
        v = 2.0 * rng_uniform(rng) - 1.0;
        s = u * u + v * v;
    } while (s >= 1.0 || s == 0.0);
    double scale = sqrt(-2.0 * log(s) / s);
    rng->spare = v * scale;
    rng->has_spare = 1;
    return u * scale;
}

void rng_normal_fill(struct rng *rng, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)rng_normal(rng);
}

// natural logarithm, x > 0 (Cephes' logf)
static inline float log_one(float x)
{
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    // x = 2^e m with m in [sqrt(1/2), sqrt(2))
    int32_t e = (bits - 0x3f3504f3) >> 23;
    bits -= e * (1 << 23);
    float m, n = (float)e;
    memcpy(&m, &bits, sizeof m);
    float f = m - 1.0f, f2 = f * f;
    float p = 7.0376836292e-2f;
    p = p * f - 1.1514610310e-1f;
    p = p * f + 1.1676998740e-1f;
    p = p * f - 1.2420140846e-1f;
    p = p * f + 1.4249322787e-1f;
    p = p * f - 1.6668057665e-1f;
    p = p * f + 2.0000714765e-1f;
    p = p * f - 2.4999993993e-1f;
    p = p * f + 3.3333331174e-1f;
    return (f + (f2 * f * p - n * 2.12194440e-4f - 0.5f * f2)) + n * 0.693359375f;
}

// pairs of normals from 64 random bits each (Box and Muller 1958): the upper half makes the radius,
// the lower the angle
VEC static void normal_pairs(float *restrict x, float *restrict y, const uint64_t *restrict bits)
{
    for (size_t i = 0; i < PAIRS; i++) {
        uint32_t high = (uint32_t)(bits[i] >> 32), low = (uint32_t)bits[i];
        // signed numbers convert faster; (0, 1)
        float u = ((float)(int32_t)(high >> 1) + 0.5f) * 0x1p-31f;
        float radius = sqrtf(-2.0f * log_one(u));
        // a quarter turn and what lies in it, (-pi/4, pi/4)
        float t = ((float)(int32_t)(low & 0x3fffffff) - 0x1p29f) * (1.57079633f * 0x1p-30f);
        float t2 = t * t;
        float s = (-1.9515295891e-4f * t2 + 8.3321608736e-3f) * t2 - 1.6666654611e-1f;
        float c = (2.443315711809948e-5f * t2 - 1.388731625493765e-3f) * t2 + 4.166664568298827e-2f;
        s = s * t2 * t + t;
        c = c * t2 * t2 - 0.5f * t2 + 1.0f;
        float turned = (low & 1u << 30) != 0 ? s : c, other = (low & 1u << 30) != 0 ? c : s;
        float sign = (low & 1u << 31) != 0 ? -radius : radius;
        x[i] = sign * turned;
        y[i] = sign * other;
    }
}

void rng_normal_pairs(struct rng *rng, float *x, size_t n)
{
    uint64_t bits[PAIRS] = {0};
    float    pairs[2 * PAIRS];
    for (size_t i = 0; i < n; i += 2 * PAIRS) {
        size_t m = n - i < 2 * PAIRS ? n - i : 2 * PAIRS;
        for (size_t k = 0; k < (m + 1) / 2; k++)
            bits[k] = rng_next(rng);
        normal_pairs(pairs, pairs + PAIRS, bits);
        size_t half = (m + 1) / 2;
        memcpy(x + i, pairs, half * sizeof *x);
        memcpy(x + i + half, pairs + PAIRS, (m - half) * sizeof *x);
    }
}
