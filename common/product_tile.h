// The inner part of common/product_kernel.c, which includes it once for each width of vectors.
//
// Wants KERNEL (its name), TARGET (the functions' attribute), VECTOR with _ZERO, _LOAD, _STORE, _SET,
// _ADD and _FMA, LANES, ROWS of a tile (6 or 12) and NAME(x), which adds the width to a name. Takes
// them all back.

// y (R, n) of a product, in registers until it is done. b is a packed panel (k, 2 LANES), a is read where
// it lies: a[i ld + p], or a[p ld + i] if it is across. R, across and two (n > LANES) are constants
// where this is called, so each makes a loop of its own. add: y's old values stay in.
TARGET static inline __attribute__((always_inline)) void
NAME(tile)(size_t R, bool across, bool two, bool add, float *y, size_t ldy, size_t n,
           const float *a, size_t ld, const float *b, size_t k)
{
    VECTOR s[ROWS][2];
    VEC_UNROLL
    for (size_t i = 0; i < R; i++)
        s[i][0] = s[i][1] = VECTOR_ZERO();
    VEC_UNROLL
    for (size_t i = 0; i < R; i++) {  // else the stores below would wait for memory
        __builtin_prefetch(y + i * ldy, 1);
        __builtin_prefetch(y + i * ldy + LANES, 1);
    }
    for (size_t p = 0; p < k; p++) {
        VECTOR b0 = VECTOR_LOAD(b + p * 2 * LANES), b1 = b0;
        if (two)
            b1 = VECTOR_LOAD(b + p * 2 * LANES + LANES);
        VEC_UNROLL
        for (size_t i = 0; i < R; i++) {
            VECTOR x = VECTOR_SET(across ? a[p * ld + i] : a[i * ld + p]);
            s[i][0] = VECTOR_FMA(x, b0, s[i][0]);
            if (two)
                s[i][1] = VECTOR_FMA(x, b1, s[i][1]);
        }
    }
    bool  whole = n == (two ? 2 : 1) * LANES;
    float edge[2 * LANES] = {0};
    VEC_UNROLL
    for (size_t i = 0; i < R; i++) {
        float *to = whole ? y + i * ldy : edge;
        if (add && !whole)
            memcpy(edge, y + i * ldy, n * sizeof *edge);
        VECTOR_STORE(to, add ? VECTOR_ADD(VECTOR_LOAD(to), s[i][0]) : s[i][0]);
        if (two)
            VECTOR_STORE(to + LANES, add ? VECTOR_ADD(VECTOR_LOAD(to + LANES), s[i][1]) : s[i][1]);
        if (!whole)
            memcpy(y + i * ldy, edge, n * sizeof *edge);
    }
}

#define TILE(R)                                                                                    \
    case R:                                                                                        \
        NAME(tile)(R, across, two, add, y, ldy, n, a, left->ld, b, k);                             \
        break

TARGET static inline __attribute__((always_inline)) void
NAME(tiles)(bool across, const struct product_left *left, bool two, bool add, float *y, size_t ldy,
            size_t m, size_t n, const float *b, size_t k, struct product_next next)
{
    const float *a = left->a;
    size_t       each = (next.lines * ROWS + m - 1) / m, line = 0;
    for (; m >= ROWS; m -= ROWS, y += ROWS * ldy, a += left->step) {
        for (size_t i = 0; i < each && next.lines > 0; i++, next.lines--) {
            __builtin_prefetch(next.at + line * LINE);
            if (++line == next.per) {
                next.at += next.ld;
                line = 0;
            }
        }
        NAME(tile)(ROWS, across, two, add, y, ldy, n, a, left->ld, b, k);
    }
    switch (m) {
#if ROWS > 6
        TILE(11);
        TILE(10);
        TILE(9);
        TILE(8);
        TILE(7);
        TILE(6);
#endif
        TILE(5);
        TILE(4);
        TILE(3);
        TILE(2);
        TILE(1);
    }
}

// y (m, n), n columns of one panel
TARGET static void NAME(panel)(const struct product_left *left, bool add, float *y, size_t ldy,
                               size_t m, size_t n, const float *b, size_t k,
                               struct product_next next)
{
    if (left->across && n > LANES)
        NAME(tiles)(true, left, true, add, y, ldy, m, n, b, k, next);
    else if (left->across)
        NAME(tiles)(true, left, false, add, y, ldy, m, n, b, k, next);
    else if (n > LANES)
        NAME(tiles)(false, left, true, add, y, ldy, m, n, b, k, next);
    else
        NAME(tiles)(false, left, false, add, y, ldy, m, n, b, k, next);
}

// to: of each tile's columns of a (k, ld) a block (k, ROWS)
TARGET static void NAME(pack_left)(float *to, const float *a, size_t ld, size_t k, size_t m)
{
    // row after row: that is how memory comes ahead of its use
    for (size_t p = 0; p < k; p++, a += ld, to += ROWS) {
        size_t i = 0;
        for (; i + ROWS <= m; i += ROWS)
            memcpy(to + i * k, a + i, ROWS * sizeof *to);
        if (i < m)
            memcpy(to + i * k, a + i, (m - i) * sizeof *to);
    }
}

// panel (k, 2 LANES) = n columns of b (k, ld), the rest 0
TARGET static void NAME(pack)(float *panel, const float *b, size_t ld, size_t k, size_t n)
{
    for (size_t p = 0; p < k; p++, panel += 2 * LANES, b += ld) {
        if (n < 2 * LANES) {
            memset(panel, 0, 2 * LANES * sizeof *panel);
            memcpy(panel, b, n * sizeof *panel);
            continue;
        }
        VECTOR_STORE(panel, VECTOR_LOAD(b));
        VECTOR_STORE(panel + LANES, VECTOR_LOAD(b + LANES));
    }
}

// each accumulator goes to 2, which is neither denormal nor infinite
TARGET static double NAME(spin)(float *sums, size_t rounds)
{
    VECTOR s[ROWS][2], half = VECTOR_SET(0.5F), one = VECTOR_SET(1);
    VEC_UNROLL
    for (size_t i = 0; i < ROWS; i++) {
        s[i][0] = VECTOR_SET((float)i);
        s[i][1] = VECTOR_SET(-(float)i);
    }
    for (size_t r = 0; r < rounds; r++) {
        VEC_UNROLL
        for (size_t i = 0; i < ROWS; i++) {
            s[i][0] = VECTOR_FMA(s[i][0], half, one);
            s[i][1] = VECTOR_FMA(s[i][1], half, one);
        }
    }
    VEC_UNROLL
    for (size_t i = 1; i < ROWS; i++) {
        s[0][0] = VECTOR_ADD(s[0][0], s[i][0]);
        s[0][1] = VECTOR_ADD(s[0][1], s[i][1]);
    }
    VECTOR_STORE(sums, s[0][0]);
    VECTOR_STORE(sums + LANES, s[0][1]);
    return 2.0 * ROWS * 2 * LANES * (double)rounds;
}

// smaller products do not use a packed panel often enough
static const struct product_kernel NAME(kernel) = {.name = KERNEL,
                                                   .width = 2 * LANES,
                                                   .min_rows = 16,
                                                   .min_cols = 4,
                                                   .min_depth = 1,
                                                   .rows = ROWS,
                                                   .panel = NAME(panel),
                                                   .pack_left = NAME(pack_left),
                                                   .pack = NAME(pack),
                                                   .pack_across = pack_across,
                                                   .spin = NAME(spin)};

#undef TILE
#undef KERNEL
#undef TARGET
#undef VECTOR
#undef VECTOR_ZERO
#undef VECTOR_LOAD
#undef VECTOR_STORE
#undef VECTOR_SET
#undef VECTOR_ADD
#undef VECTOR_FMA
#undef LANES
#undef ROWS
#undef NAME
