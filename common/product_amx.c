// syscall is not in POSIX
#define _GNU_SOURCE

#include "common/product_amx.h"

#include "common/product_strip.h"

#if defined(__x86_64__) && defined(__GNUC__) && defined(__linux__)

#include <cpuid.h>
#include <immintrin.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TARGET __attribute__((target("amx-tile,amx-bf16,avx512f,avx512vl,avx512bw")))

enum {
    LINES = PRODUCT_STRIP_LINES,
    STRIP = PRODUCT_STRIP,
    TILE = PRODUCT_STRIP_TILE,
    PIECE = PRODUCT_STRIP_PIECE,
    STEP = PRODUCT_STRIP_STEP,
    // Two strips of so many steps are as large as the first-level cache.
    DEPTH = 128,
    STEPS = DEPTH / STRIP,
    // Rows of y that are made at once: that many strips of x are in the second-level cache.
    ROWS = 512,
    STRIPS = ROWS / STRIP
};

// ---------------------------------------------------------------- tiles

// What the core does for later while the unit multiplies.
struct chores {
    const struct product_strip *x;  // all of it is split, a step with every step; NULL for none
    const struct product_strip *w;  // tiles begin <= q < end of it are split
    size_t                      begin, end;
    const float                *y;  // (STRIP, STRIP) of y that come next, ld as these
};

// some lines of y that come next, with every step; at an edge they may lie beyond y
static void chores_fetch(const struct chores *c, size_t ldy, size_t step)
{
    const float *y = c->y + step * (STRIP / STEPS) * ldy;
    for (size_t r = 0; r < STRIP / STEPS; r++, y += ldy) {
        __builtin_prefetch(y, 1);
        __builtin_prefetch(y + LINES, 1);
    }
}

// Tiles 0 to 3 of the unit are y, 4 and 5 are of x, 6 and 7 of w. (Their numbers are part of an
// instruction's name for gcc.)
#define LOAD(tile, at) _tile_loadd(tile, at, STRIP * sizeof(uint16_t))
#define Y_TILES(what)                                                                              \
    what(0, y, ldy * sizeof *y);                                                                   \
    what(1, y + LINES, ldy * sizeof *y);                                                           \
    what(2, y + LINES * ldy, ldy * sizeof *y);                                                     \
    what(3, y + LINES * ldy + LINES, ldy * sizeof *y)
#define Y_TILES_ZERO()                                                                             \
    _tile_zero(0);                                                                                 \
    _tile_zero(1);                                                                                 \
    _tile_zero(2);                                                                                 \
    _tile_zero(3)
// gcc does not know what the unit reads: what was stored is in memory from here on
#define WRITTEN() __asm__ volatile("" ::: "memory")
// the products of what is in the tiles, then another piece in place of those of x, or of w
#define PRODUCTS_THEN_X(piece)                                                                     \
    _tile_dpbf16ps(0, 4, 6);                                                                       \
    _tile_dpbf16ps(1, 4, 7);                                                                       \
    LOAD(4, x + (piece)*PIECE);                                                                    \
    _tile_dpbf16ps(2, 5, 6);                                                                       \
    _tile_dpbf16ps(3, 5, 7);                                                                       \
    LOAD(5, x + (piece)*PIECE + TILE)
#define PRODUCTS_THEN_W(piece)                                                                     \
    _tile_dpbf16ps(0, 4, 6);                                                                       \
    _tile_dpbf16ps(2, 5, 6);                                                                       \
    LOAD(6, w + (piece)*PIECE);                                                                    \
    _tile_dpbf16ps(1, 4, 7);                                                                       \
    _tile_dpbf16ps(3, 5, 7);                                                                       \
    LOAD(7, w + (piece)*PIECE + TILE)

// y (STRIP, STRIP) = or += the product of two strips' pieces, of which it loads one step too many
TARGET static void multiply_strips(float *y, size_t ldy, bool add, const uint16_t *x,
                                   const uint16_t *w, size_t steps, const struct chores *c)
{
    size_t q = c->begin, each = (c->end - c->begin + steps - 1) / steps;
    WRITTEN();
    if (add) {
        Y_TILES(_tile_loadd);
    } else {
        Y_TILES_ZERO();
    }
    LOAD(4, x);
    LOAD(5, x + TILE);
    LOAD(6, w + 2 * PIECE);
    LOAD(7, w + 2 * PIECE + TILE);
    for (size_t s = 0; s < steps; s++, x += STEP, w += STEP) {
        PRODUCTS_THEN_W(1);  // x1 w3
        PRODUCTS_THEN_X(1);  // x1 w2
        if (c->x != NULL)
            product_strip_split(c->x, 2 * s);
        chores_fetch(c, ldy, s);
        PRODUCTS_THEN_W(0);  // x2 w2
        PRODUCTS_THEN_X(2);  // x2 w1
        if (c->x != NULL)
            product_strip_split(c->x, 2 * s + 1);
        PRODUCTS_THEN_X(0);  // x3 w1
        for (size_t end = q + each; q < end && q < c->end; q++)
            product_strip_split(c->w, q);
        PRODUCTS_THEN_W(5);  // x1 w1; the next step's third pieces
        LOAD(4, x + STEP);
        LOAD(5, x + STEP + TILE);
    }
    Y_TILES(_tile_stored);
}

// the same of rows <= STRIP and cols <= STRIP of y
TARGET static void multiply_edge(float *y, size_t ldy, size_t rows, size_t cols, bool add,
                                 const uint16_t *x, const uint16_t *w, size_t steps,
                                 const struct chores *c)
{
    _Alignas(64) float edge[STRIP * STRIP];
    if (rows == STRIP && cols == STRIP) {
        multiply_strips(y, ldy, add, x, w, steps, c);
        return;
    }
    __mmask16 left = product_strip_lanes(cols),
              right = cols > LINES ? product_strip_lanes(cols - LINES) : 0;
    for (size_t r = 0; add && r < rows; r++) {
        _mm512_store_ps(edge + r * STRIP, _mm512_maskz_loadu_ps(left, y + r * ldy));
        _mm512_store_ps(edge + r * STRIP + LINES,
                        _mm512_maskz_loadu_ps(right, y + r * ldy + LINES));
    }
    multiply_strips(edge, STRIP, add, x, w, steps, c);
    for (size_t r = 0; r < rows; r++) {
        _mm512_mask_storeu_ps(y + r * ldy, left, _mm512_load_ps(edge + r * STRIP));
        _mm512_mask_storeu_ps(y + r * ldy + LINES, right, _mm512_load_ps(edge + r * STRIP + LINES));
    }
}

// ---------------------------------------------------------------- products

// strip i, a multiple of STRIP, of an operand that is described like one strip of all its rows or columns
static struct product_strip operand_strip(const struct product_strip *o, size_t i, uint16_t *to)
{
    struct product_strip s = *o;
    s.to = to;
    s.at += o->along ? i * o->ld : i;
    s.n = product_strip_at_most(o->n - i, STRIP);
    return s;
}

// y = or += x w of at most ROWS rows and DEPTH
TARGET static void multiply_block(float *y, size_t ldy, bool add, const struct product_strip *x,
                                  const struct product_strip *w)
{
    _Alignas(64) uint16_t xs[(STRIPS * STEPS + 1) * STEP], ws[2][(STEPS + 1) * STEP];
    size_t                steps = product_strip_steps(x->depth), size = steps * STEP;
    size_t                strips = (x->n + STRIP - 1) / STRIP;
    struct product_strip  next_x = operand_strip(x, 0, xs), next_w = operand_strip(w, 0, ws[0]);
    for (size_t q = 0; q < 2 * steps; q++) {
        product_strip_split(&next_x, q);
        product_strip_split(&next_w, q);
    }
    for (size_t c = 0, turn = 0; c < w->n; c += STRIP, turn ^= 1) {
        bool more = c + STRIP < w->n;
        if (more)
            next_w = operand_strip(w, c + STRIP, ws[turn ^ 1]);
        for (size_t i = 0; i < strips; i++) {
            size_t        r = i * STRIP;
            bool          last = i + 1 == strips;
            struct chores chores = {.w = &next_w,
                                    .begin = more ? 2 * steps * i / strips : 0,
                                    .end = more ? 2 * steps * (i + 1) / strips : 0,
                                    .y = last ? y + c + (more ? STRIP : 0)
                                              : y + (r + STRIP) * ldy + c};
            if (c == 0 && !last) {
                next_x = operand_strip(x, r + STRIP, xs + (i + 1) * size);
                chores.x = &next_x;
            }
            multiply_edge(y + r * ldy + c, ldy, product_strip_at_most(x->n - r, STRIP),
                          product_strip_at_most(w->n - c, STRIP), add, xs + i * size, ws[turn],
                          steps, &chores);
        }
    }
}

// tiles of 16 rows of 64 bytes, all eight
static const struct {
    uint8_t  palette, start, reserved[14];
    uint16_t bytes[16];
    uint8_t  rows[16];
} CONFIG = {.palette = 1,
            .bytes = {64, 64, 64, 64, 64, 64, 64, 64},
            .rows = {16, 16, 16, 16, 16, 16, 16, 16}};

TARGET static void multiply(bool x_across, bool w_across, float *y, size_t ldy, const float *x,
                            size_t ldx, const float *w, size_t ldw, size_t m, size_t n, size_t k)
{
    _tile_loadconfig(&CONFIG);
    for (size_t i = 0; i < m; i += ROWS)
        for (size_t p = 0; p < k; p += DEPTH) {
            size_t               depth = product_strip_at_most(k - p, DEPTH);
            struct product_strip left = {.at = x_across ? x + p * ldx + i : x + i * ldx + p,
                                         .ld = ldx,
                                         .n = product_strip_at_most(m - i, ROWS),
                                         .depth = depth,
                                         .along = !x_across,
                                         .left = true};
            struct product_strip right = {.at = w_across ? w + p : w + p * ldw,
                                          .ld = ldw,
                                          .n = n,
                                          .depth = depth,
                                          .along = w_across};
            multiply_block(y + i * ldy, ldy, p > 0, &left, &right);
        }
    _tile_release();
}

// ---------------------------------------------------------------- kernel

// a round is one of multiply_strips' steps, of ones
TARGET static double spin(float *sums, size_t rounds)
{
    _Alignas(64) uint16_t ones[2 * PIECE];
    float                 acc[STRIP * STRIP], *y = acc;
    const size_t          ldy = STRIP;
    for (size_t i = 0; i < 2 * PIECE; i++)
        ones[i] = 0x3f80;
    WRITTEN();
    _tile_loadconfig(&CONFIG);
    Y_TILES_ZERO();
    LOAD(4, ones);
    LOAD(5, ones + TILE);
    LOAD(6, ones + PIECE);
    LOAD(7, ones + PIECE + TILE);
    for (size_t r = 0; r < 6 * rounds; r++) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    Y_TILES(_tile_stored);
    _tile_release();
    memset(sums, 0, STRIP * sizeof *sums);
    for (size_t i = 0; i < STRIP * STRIP; i++)
        sums[i % STRIP] += acc[i];
    return 2.0 * STRIP * STRIP * STRIP * (double)rounds;
}

static const struct product_kernel KERNEL = {.name = "amx",
                                             .width = STRIP,
                                             .min_rows = 32,
                                             .min_cols = 17,
                                             .min_depth = 24,
                                             .multiply = multiply,
                                             .spin = spin};

static bool processor_has_unit(void)
{
    unsigned a, b, c, d, amx_bf16 = 1U << 22, amx_tile = 1U << 24;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & amx_bf16) && (d & amx_tile) &&
           __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw");
}

// Linux keeps the tiles of those who ask for it. What it said holds for the process, so it is asked once;
// threads that ask at the same time get the same answer.
static bool permitted(void)
{
    enum { UNKNOWN, YES, NO, REQUEST = 0x1023, TILE_DATA = 18 };  // ARCH_REQ_XCOMP_PERM
    static atomic_int answer;
    int               known = atomic_load_explicit(&answer, memory_order_relaxed);
    if (known == UNKNOWN) {
        known = processor_has_unit() && syscall(SYS_arch_prctl, (long)REQUEST, (long)TILE_DATA) == 0
                    ? YES
                    : NO;
        atomic_store_explicit(&answer, known, memory_order_relaxed);
    }
    return known == YES;
}

const struct product_kernel *product_amx_kernel(void)
{
    return permitted() ? &KERNEL : NULL;
}

#else

const struct product_kernel *product_amx_kernel(void)
{
    return NULL;
}

#endif
