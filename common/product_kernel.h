// What a matrix product is made of on one kind of processor: see common/product.h for the whole.
//
// y = a b goes panel by panel: some columns of b, packed so that they lie one after the other, times all
// rows of a, a tile of them at a time. A kernel with `multiply` has another way.
#ifndef COMMON_PRODUCT_KERNEL_H
#define COMMON_PRODUCT_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

#define PRODUCT_KERNEL_WIDTH 32  // columns of the widest panel
#define PRODUCT_KERNEL_ROWS 12   // of a tile: a multiple of every kernel's that has panels
#define PRODUCT_KERNEL_LINE 16   // floats of a cache line

// The left operand where it lies: (i, p) of a tile is a[i ld + p], or a[p ld + i] if it is across; `step`
// floats on from a is the next tile.
struct product_left {
    bool         across;
    const float *a;
    size_t       ld, step;
};

// Memory that is wanted after this panel, asked for a little with every tile: `lines` cache lines, `per` of
// them one after the other, then `ld` floats on.
struct product_next {
    const float *at;
    size_t       lines, per, ld;
};

// y (m, n) = x w of depth k, operands as for product_multiply.
typedef void product_kernel_multiply(bool x_across, bool w_across, float *y, size_t ldy,
                                     const float *x, size_t ldx, const float *w, size_t ldw,
                                     size_t m, size_t n, size_t k);

struct product_kernel {
    const char *name;
    size_t      width;                          // columns of a panel, numbers of a spin
    size_t      min_rows, min_cols, min_depth;  // smaller products are left to the next kernel
    // a kernel that does all of it in its own way; NULL for one that is made of what follows
    product_kernel_multiply *multiply;
    size_t                   rows;  // of a tile
    // y (m, n) = left b, or += if add is set; n <= width, b a panel. next is only fetched; it may be {0}.
    void (*panel)(const struct product_left *left, bool add, float *y, size_t ldy, size_t m,
                  size_t n, const float *b, size_t k, struct product_next next);
    // to = of each tile's columns of a (k, ld) a block (k, rows); m columns in all
    void (*pack_left)(float *to, const float *a, size_t ld, size_t k, size_t m);
    // panel (k, width) = n columns of b (k, ld), the others 0
    void (*pack)(float *panel, const float *b, size_t ld, size_t k, size_t n);
    // the same of b's transpose (n, ld)
    void (*pack_across)(float *panel, size_t width, const float *b, size_t ld, size_t k, size_t n);
    // rounds of the inner loop's arithmetic without its memory: what the processor can at best. Returns the
    // floating point operations of the product; sums (width) of the accumulators, by columns, are written
    // so that none can be left out.
    double (*spin)(float *sums, size_t rounds);
};

// The kernels that processor and system allow, the best one first; NULL from the end of the list on.
const struct product_kernel *product_kernel_at(size_t i);

#endif
