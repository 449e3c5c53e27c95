// An operand of a product on AMX, split into the pieces that common/product_amx.h tells of, as the unit
// takes them.
//
// That is done a strip at a time: 32 rows of the left operand or 32 columns of the right one, some steps deep.
// Its pieces lie step after step of 32, in each the first pieces, the second, the third; of each two tiles
// of 16 lines; a line is 32 pieces. A line of the left operand is one of its rows, a line of the right one all
// columns at two places of the depth. Pairs are (p, p + 16) in both, as that is what two loads bring.
#ifndef COMMON_PRODUCT_STRIP_H
#define COMMON_PRODUCT_STRIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PRODUCT_STRIP_LINES = 16,
    PRODUCT_STRIP = 2 * PRODUCT_STRIP_LINES,
    // pieces
    PRODUCT_STRIP_TILE = PRODUCT_STRIP_LINES * PRODUCT_STRIP,
    PRODUCT_STRIP_PIECE = 2 * PRODUCT_STRIP_TILE,
    PRODUCT_STRIP_STEP = 3 * PRODUCT_STRIP_PIECE
};

// The element at (i, p), p along the depth, is at[i ld + p] if `along` is set, else at[p ld + i]. n and depth
// are what there is; the rest of a tile is 0, a tile of which nothing is wanted stays as it is.
struct product_strip {
    uint16_t    *to;  // PRODUCT_STRIP_STEP a step, aligned to 64 bytes
    const float *at;
    size_t       ld, n, depth;
    bool         along, left;
};

static inline size_t product_strip_at_most(size_t n, size_t most)
{
    return n < most ? n : most;
}

// A mask of the first n of 16 lanes, all of them from 16 on.
static inline uint16_t product_strip_lanes(size_t n)
{
    return (uint16_t)(n < PRODUCT_STRIP_LINES ? (1U << n) - 1 : 0xffffU);
}

static inline size_t product_strip_steps(size_t depth)
{
    return (depth + PRODUCT_STRIP - 1) / PRODUCT_STRIP;
}

#if defined(__x86_64__) && defined(__GNUC__) && defined(__linux__)

// Splits tile q of the strip, of two a step. For a processor with AVX-512.
void product_strip_split(const struct product_strip *s, size_t q);

#endif

#endif
