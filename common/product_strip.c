#include "common/product_strip.h"

#include "common/vec.h"

#if defined(__x86_64__) && defined(__GNUC__) && defined(__linux__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512vl,avx512bw")))
#define INLINE inline __attribute__((always_inline))
#define LINES PRODUCT_STRIP_LINES

// the pieces of a line's pairs (u, v)
TARGET static INLINE void split(uint16_t *to, __m512i u, __m512i v)
{
    const __m512i top = _mm512_set1_epi32((int)0xffff0000U), half = _mm512_set1_epi32(0x8000);
    __m512i       a, b;
    VEC_UNROLL
    for (int piece = 0; piece < 3; piece++) {
        // the second one is rounded, so that the third, which is dropped most, has either sign
        a = _mm512_and_si512(piece == 1 ? _mm512_add_epi32(u, half) : u, top);
        b = _mm512_and_si512(piece == 1 ? _mm512_add_epi32(v, half) : v, top);
        _mm512_store_si512(to + piece * PRODUCT_STRIP_PIECE,
                           _mm512_or_si512(_mm512_srli_epi32(a, 16), b));
        u = _mm512_castps_si512(_mm512_sub_ps(_mm512_castsi512_ps(u), _mm512_castsi512_ps(a)));
        v = _mm512_castps_si512(_mm512_sub_ps(_mm512_castsi512_ps(v), _mm512_castsi512_ps(b)));
    }
}

// r (16) = columns of 16 x 16 floats
TARGET static INLINE void transpose(__m512 *r, const float *at, size_t ld)
{
    VEC_UNROLL
    for (size_t q = 0; q < 4; q++, at += 4) {
        __m512 s[4];
        VEC_UNROLL
        for (size_t j = 0; j < 4; j++) {
            const float *p = at + j * ld;
            s[j] = _mm512_castps128_ps512(_mm_loadu_ps(p));
            s[j] = _mm512_insertf32x4(s[j], _mm_loadu_ps(p + 4 * ld), 1);
            s[j] = _mm512_insertf32x4(s[j], _mm_loadu_ps(p + 8 * ld), 2);
            s[j] = _mm512_insertf32x4(s[j], _mm_loadu_ps(p + 12 * ld), 3);
        }
        __m512d low0 = _mm512_castps_pd(_mm512_unpacklo_ps(s[0], s[1]));
        __m512d low1 = _mm512_castps_pd(_mm512_unpacklo_ps(s[2], s[3]));
        __m512d high0 = _mm512_castps_pd(_mm512_unpackhi_ps(s[0], s[1]));
        __m512d high1 = _mm512_castps_pd(_mm512_unpackhi_ps(s[2], s[3]));
        r[4 * q] = _mm512_castpd_ps(_mm512_unpacklo_pd(low0, low1));
        r[4 * q + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low0, low1));
        r[4 * q + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high0, high1));
        r[4 * q + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high0, high1));
    }
}

// to (2, 16, 16) = both halves of a tile's source, zeros where there is none; rows and cols of each half
TARGET static void fill_edge(float *to, const float *at, size_t ld, size_t second,
                             const size_t rows[2], const size_t cols[2])
{
    for (size_t h = 0; h < 2; h++)
        for (size_t r = 0; r < LINES; r++, to += LINES) {
            __mmask16 mask = r < rows[h] ? product_strip_lanes(cols[h]) : 0;
            _mm512_store_ps(to, _mm512_maskz_loadu_ps(mask, at + h * second + r * ld));
        }
}

TARGET void product_strip_split(const struct product_strip *s, size_t q)
{
    _Alignas(64) float edge[2 * LINES * LINES];
    size_t             p = q / 2 * PRODUCT_STRIP, i = q % 2 * LINES, ld = s->ld;
    if (i >= s->n)
        return;
    uint16_t    *to = s->to + q / 2 * PRODUCT_STRIP_STEP + q % 2 * PRODUCT_STRIP_TILE;
    const float *at = s->at + (s->along ? i * ld + p : p * ld + i);
    size_t       second = s->along ? LINES : LINES * ld;
    size_t       n = product_strip_at_most(s->n - i, LINES),
           depth = product_strip_at_most(s->depth - p, PRODUCT_STRIP);
    if (n < LINES || depth < PRODUCT_STRIP) {
        size_t deep[2] = {product_strip_at_most(depth, LINES), depth > LINES ? depth - LINES : 0};
        size_t wide[2] = {n, n};
        fill_edge(edge, at, ld, second, s->along ? wide : deep, s->along ? deep : wide);
        at = edge;
        ld = LINES;
        second = LINES * LINES;
    }
    if (s->along == s->left) {
        for (size_t r = 0; r < LINES; r++, at += ld)
            split(to + r * PRODUCT_STRIP, _mm512_loadu_si512(at), _mm512_loadu_si512(at + second));
        return;
    }
    __m512 u[LINES], v[LINES];
    transpose(u, at, ld);
    transpose(v, at + second, ld);
    VEC_UNROLL
    for (size_t r = 0; r < LINES; r++)
        split(to + r * PRODUCT_STRIP, _mm512_castps_si512(u[r]), _mm512_castps_si512(v[r]));
}

#endif
