#include "common/product_kernel.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#define KERNEL "avx512"
#define TARGET __attribute__((target("avx512f,avx512vl,avx2,fma")))
#define VECTOR __m512
#define VECTOR_ZERO _mm512_setzero_ps
#define VECTOR_LOAD _mm512_loadu_ps
#define VECTOR_STORE _mm512_storeu_ps
#define VECTOR_SET _mm512_set1_ps
#define VECTOR_ADD _mm512_add_ps
#define VECTOR_FMA _mm512_fmadd_ps
#define LANES 16
#define ROWS 12
#define ACROSS true
#define NAME(x) x##_avx512
#include "common/product_tile.h"

#define KERNEL "avx2"
#define TARGET __attribute__((target("avx2,fma")))
#define VECTOR __m256
#define VECTOR_ZERO _mm256_setzero_ps
#define VECTOR_LOAD _mm256_loadu_ps
#define VECTOR_STORE _mm256_storeu_ps
#define VECTOR_SET _mm256_set1_ps
#define VECTOR_ADD _mm256_add_ps
#define VECTOR_FMA _mm256_fmadd_ps
#define LANES 8
#define ROWS 6
#define ACROSS false
#define NAME(x) x##_avx2
#include "common/product_tile.h"

const struct product_kernel *product_kernel_at(size_t i)
{
    const struct product_kernel *list[3] = {NULL};
    size_t                       n = 0;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
        list[n++] = &kernel_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        list[n++] = &kernel_avx2;
    return i < n ? list[i] : NULL;
}

#else

const struct product_kernel *product_kernel_at(size_t i)
{
    (void)i;
    return NULL;
}

#endif
