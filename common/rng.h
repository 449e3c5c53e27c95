// Random numbers: xoshiro256++ (Blackman and Vigna 2019), one stream a purpose.
//
// A stream is named by (seed, purpose, index): streams of different names are independent, and the
// same name gives the same numbers on every machine. State is plain data: a checkpoint copies it.
// Not thread-safe; a stream belongs to one thread.
#ifndef COMMON_RNG_H
#define COMMON_RNG_H

#include <stddef.h>
#include <stdint.h>

enum rng_purpose {
    RNG_INIT = 1,    // initial weights; index: network
    RNG_SAMPLE = 2,  // which replay rows make a batch
    RNG_NOISE = 3,   // policy noise inside updates
    RNG_ENV = 4,     // resets; index: slot << 32 | environment
    RNG_POLICY = 5,  // actions of actors; index: slot
    RNG_WARMUP = 6,  // uniform actions before training starts; index: slot
    RNG_EVAL = 7,    // resets of evaluations; index: episode
    RNG_TEST = 8,    // tests and benchmarks
    RNG_MISC = 9,    // run ids, bootstrap intervals
};

struct rng {
    uint64_t s[4];
    double   spare;      // second normal of the last pair
    int      has_spare;  // 1: spare is unused yet
};

void rng_init(struct rng *rng, uint64_t seed, enum rng_purpose purpose, uint64_t index);

// 64 random bits.
uint64_t rng_next(struct rng *rng);

// Uniform integer in [0, n), without bias; n >= 1.
uint64_t rng_below(struct rng *rng, uint64_t n);

// Uniform in [0, 1), 53 bits.
double rng_uniform(struct rng *rng);

// Uniform in [low, high).
double rng_range(struct rng *rng, double low, double high);

// Standard normal, by the polar method (Marsaglia and Bray 1964).
double rng_normal(struct rng *rng);

// Fills x (n) with standard normals, those that rng_normal gives.
void rng_normal_fill(struct rng *rng, float *x, size_t n);

// The same from half as many random numbers and many at a time (Box and Muller 1958): other numbers, up
// to 6.7 from 0.
void rng_normal_pairs(struct rng *rng, float *x, size_t n);

#endif
