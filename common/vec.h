// Vector loops: one macro that makes several machine versions of a function, and the few
// elementwise functions that libm has only for one number at a time.
//
// A function marked VEC is compiled for the baseline and for AVX2 and AVX-512; the loader picks one.
// Write a plain loop over restrict pointers; what it calls must be static inline. Elsewhere than on
// x86-64, and under sanitizers (whose runtime is not there yet when the loader picks), VEC is empty.
#ifndef COMMON_VEC_H
#define COMMON_VEC_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VEC
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define VEC
#endif
#endif
#ifndef VEC
// (clang before 18 gives such functions a name that other files do not find)
#if defined(__x86_64__) && defined(__gnu_linux__) && !(defined(__clang__) && __clang_major__ < 18)
#define VEC __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define VEC
#endif
#endif

// Before a loop whose passes do not depend on each other, whatever its pointers look like.
#if defined(__clang__)
#define VEC_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define VEC_INDEPENDENT _Pragma("GCC ivdep")
#endif

// Before a loop of at most 16 passes whose number is a constant: each becomes code of its own.
#if defined(__clang__)
#define VEC_UNROLL _Pragma("clang loop unroll(full)")
#else
#define VEC_UNROLL _Pragma("GCC unroll 16")
#endif

// sum of x_i^2 (n), in double, in a fixed order. Not finite if some x_i is not.
double vec_sum_squares(const float *x, size_t n);

// y_i = e^x_i (n), y may be x. Relative error 2e-7; below -87 it is 0, above 88 it stops growing; NaN
// stays NaN.
void vec_exp(float *y, const float *x, size_t n);

// y_i = tanh(x_i) (n), y may be x. Absolute error 2e-7.
void vec_tanh(float *y, const float *x, size_t n);

// What a tanh-squashed Gaussian needs of its raw values x (n): y = tanh(x) and
// s = 2 (log 2 - x - softplus(-2 x)), which is log(1 - y^2) without its cancellation.
void vec_squash(float *y, float *s, const float *x, size_t n);

// Lets results below 1e-38 be 0 on this thread: a decaying average would otherwise run into
// denormal numbers, which are a hundred times slower. Returns what vec_denormals_restore takes.
unsigned vec_denormals_flush(void);
void     vec_denormals_restore(unsigned state);

#endif
