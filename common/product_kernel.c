#include "common/product_kernel.h"

#include "common/product_amx.h"
#include "common/vec.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define LINE PRODUCT_KERNEL_LINE
#define AVX2 __attribute__((target("avx2,fma")))

// to (8, ld_to) = the transpose of from (8, ld_from)
AVX2 static inline void transpose(float *to, size_t ld_to, const float *from, size_t ld_from)
{
    __m256 r[8], s[8];
    VEC_UNROLL
    for (size_t i = 0; i < 8; i++)
        r[i] = _mm256_loadu_ps(from + i * ld_from);
    VEC_UNROLL
    for (size_t i = 0; i < 4; i++) {
        s[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
        s[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
    }
    VEC_UNROLL
    for (size_t i = 0; i < 2; i++) {
        r[4 * i] = _mm256_shuffle_ps(s[4 * i], s[4 * i + 2], 0x44);
        r[4 * i + 1] = _mm256_shuffle_ps(s[4 * i], s[4 * i + 2], 0xee);
        r[4 * i + 2] = _mm256_shuffle_ps(s[4 * i + 1], s[4 * i + 3], 0x44);
        r[4 * i + 3] = _mm256_shuffle_ps(s[4 * i + 1], s[4 * i + 3], 0xee);
    }
    VEC_UNROLL
    for (size_t i = 0; i < 4; i++) {
        _mm256_storeu_ps(to + i * ld_to, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
        _mm256_storeu_ps(to + (i + 4) * ld_to, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
    }
}

// pack_across of every kernel
AVX2 static void pack_across(float *panel, size_t width, const float *b, size_t ld, size_t k,
                             size_t n)
{
    size_t whole = n / 8 * 8, p = 0;
    for (; p + 8 <= k; p += 8)
        for (size_t i = 0; i < whole; i += 8)
            transpose(panel + p * width + i, width, b + i * ld + p, ld);
    for (size_t q = 0; q < k; q++)
        for (size_t i = q < p ? whole : 0; i < width; i++)
            panel[q * width + i] = i < n ? b[i * ld + q] : 0;
}

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
#define NAME(x) x##_avx512
#include "common/product_tile.h"

#define KERNEL "avx2"
#define TARGET AVX2
#define VECTOR __m256
#define VECTOR_ZERO _mm256_setzero_ps
#define VECTOR_LOAD _mm256_loadu_ps
#define VECTOR_STORE _mm256_storeu_ps
#define VECTOR_SET _mm256_set1_ps
#define VECTOR_ADD _mm256_add_ps
#define VECTOR_FMA _mm256_fmadd_ps
#define LANES 8
#define ROWS 6
#define NAME(x) x##_avx2
#include "common/product_tile.h"

const struct product_kernel *product_kernel_at(size_t i)
{
    const struct product_kernel *list[4] = {product_amx_kernel()};
    size_t                       n = list[0] != NULL;
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
