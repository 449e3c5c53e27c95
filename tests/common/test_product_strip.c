#include "common/product_strip.h"

#include "common/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#if defined(__x86_64__) && defined(__GNUC__) && defined(__linux__)

#define DEPTH 70
#define LD 80
#define STEPS 3

static float source[LD * LD];
static _Alignas(64) uint16_t pieces[STEPS * PRODUCT_STRIP_STEP];

static void fill(void)
{
    struct rng rng;
    rng_init(&rng, 1, RNG_TEST, 0);
    for (size_t i = 0; i < LD * LD; i++)
        source[i] = ldexpf((float)rng_range(&rng, -1, 1), (int)(i % 180) - 90);
}

static float piece_value(size_t at)
{
    uint32_t bits = (uint32_t)pieces[at] << 16;
    float    f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

// where piece `piece` of element (i, p) belongs
static size_t place(bool left, size_t i, size_t p, size_t piece)
{
    size_t in = p % PRODUCT_STRIP, pair = in % PRODUCT_STRIP_LINES, half = in / PRODUCT_STRIP_LINES;
    size_t line = left ? i % PRODUCT_STRIP_LINES : pair;
    size_t column = left ? pair : i % PRODUCT_STRIP_LINES;
    return p / PRODUCT_STRIP * PRODUCT_STRIP_STEP + piece * PRODUCT_STRIP_PIECE +
           i / PRODUCT_STRIP_LINES * PRODUCT_STRIP_TILE + line * PRODUCT_STRIP + 2 * column + half;
}

static void check(bool left, bool along, size_t n, size_t depth)
{
    struct product_strip s = {
        .to = pieces, .at = source, .ld = LD, .n = n, .depth = depth, .along = along, .left = left};
    memset(pieces, 0x77, sizeof pieces);
    for (size_t q = 0; q < 2 * product_strip_steps(depth); q++)
        product_strip_split(&s, q);
    // tiles of which nothing is wanted are left as they are
    size_t rows = n > PRODUCT_STRIP_LINES ? PRODUCT_STRIP : PRODUCT_STRIP_LINES;
    for (size_t i = 0; i < rows; i++)
        for (size_t p = 0; p < product_strip_steps(depth) * PRODUCT_STRIP; p++) {
            bool  there = i < n && p < depth;
            float x = there ? source[along ? i * LD + p : p * LD + i] : 0;
            float x1 = piece_value(place(left, i, p, 0)), x2 = piece_value(place(left, i, p, 1)),
                  x3 = piece_value(place(left, i, p, 2));
            if (x2 + x3 + x1 != x || !(fabsf(x2) <= ldexpf(fabsf(x), -7)) ||
                !(fabsf(x3) <= ldexpf(fabsf(x), -16)))
                fail_msg("left %d, along %d, %zu x %zu: (%zu, %zu) is %a + %a + %a, not %a", left,
                         along, n, depth, i, p, (double)x1, (double)x2, (double)x3, (double)x);
        }
}

static void pieces_add_up_to_the_operand_wherever_it_ends(void **state)
{
    (void)state;
    const size_t DEPTHS[] = {1, 15, 16, 17, 31, 32, 33, 50, 64, DEPTH};
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512vl") ||
        !__builtin_cpu_supports("avx512bw"))
        skip();
    fill();
    for (int kind = 0; kind < 4; kind++)
        for (size_t n = 1; n <= PRODUCT_STRIP; n++)
            for (size_t d = 0; d < sizeof DEPTHS / sizeof *DEPTHS; d++)
                check(kind & 1, kind & 2, n, DEPTHS[d]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_add_up_to_the_operand_wherever_it_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0;
}

#endif
