#include "common/product.h"

#include "common/blas.h"

// Rows of a panel at most: more do not fit into the near caches, fewer are added to y more often.
#define DEPTH 1024

// The same where the left operand lies across. A tile of it and its panel fit into the first-level cache.
#define ACROSS_DEPTH 128
// From so many columns of y on the left operand is packed as well: its columns are spread over as many
// pages and cache sets as it has rows.
#define PACK_LEFT_COLS 384
// Rows of y for which it is packed at once: the block and its part of y fit into the second-level cache.
#define PACK_LEFT_ROWS (32 * PRODUCT_KERNEL_ROWS)

// columns of y that the panel from c on makes
static size_t panel_cols(const struct product_kernel *kernel, size_t n, size_t c)
{
    return n - c < kernel->width ? n - c : kernel->width;
}

// the part of w that the panel from column c on is packed from, w from the panels' first row on
static struct product_next panel_source(const struct product_kernel *kernel, bool w_across,
                                        const float *w, size_t ldw, size_t n, size_t c,
                                        size_t depth)
{
    if (c >= n)
        return (struct product_next){0};
    size_t cols = panel_cols(kernel, n, c), rows = w_across ? cols : depth;
    size_t per = ((w_across ? depth : cols) + PRODUCT_KERNEL_LINE - 1) / PRODUCT_KERNEL_LINE;
    return (struct product_next){w + (w_across ? c * ldw : c), rows * per, per, ldw};
}

// rows p <= r < p + depth of w, panel after panel, times left
static void multiply_panels(const struct product_kernel *kernel, const struct product_left *left,
                            bool w_across, float *y, size_t ldy, const float *w, size_t ldw,
                            size_t m, size_t n, size_t p, size_t depth)
{
    _Alignas(64) float panel[DEPTH * PRODUCT_KERNEL_WIDTH];
    w += w_across ? p : p * ldw;
    for (size_t c = 0; c < n; c += kernel->width) {
        size_t cols = panel_cols(kernel, n, c);
        if (w_across)
            kernel->pack_across(panel, kernel->width, w + c * ldw, ldw, depth, cols);
        else
            kernel->pack(panel, w + c, ldw, depth, cols);
        kernel->panel(left, p > 0, y + c, ldy, m, cols, panel, depth,
                      panel_source(kernel, w_across, w, ldw, n, c + kernel->width, depth));
    }
}

// rows of a block when m are cut into blocks of about the same number
static size_t block_rows(size_t m)
{
    size_t blocks = m / PACK_LEFT_ROWS + 1;
    size_t rows = (m + blocks - 1) / blocks;
    return (rows + PRODUCT_KERNEL_ROWS - 1) / PRODUCT_KERNEL_ROWS * PRODUCT_KERNEL_ROWS;
}

static void multiply_by_panels(const struct product_kernel *kernel, bool x_across, bool w_across,
                               float *y, size_t ldy, const float *x, size_t ldx, const float *w,
                               size_t ldw, size_t m, size_t n, size_t k)
{
    _Alignas(64) float block[ACROSS_DEPTH * PACK_LEFT_ROWS];
    bool               packed = x_across && n >= PACK_LEFT_COLS;
    size_t             most = packed ? block_rows(m) : m, deepest = x_across ? ACROSS_DEPTH : DEPTH;
    size_t             row = x_across ? 1 : ldx, column = x_across ? ldx : 1;
    for (size_t i = 0, rows; i < m; i += rows) {
        rows = m - i < most ? m - i : most;
        for (size_t p = 0; p < k || p == 0; p += deepest) {
            size_t              depth = k - p < deepest ? k - p : deepest;
            struct product_left left = {x_across, x + i * row + p * column, ldx,
                                        kernel->rows * row};
            if (packed) {
                kernel->pack_left(block, left.a, ldx, depth, rows);
                left = (struct product_left){true, block, kernel->rows, kernel->rows * depth};
            }
            multiply_panels(kernel, &left, w_across, y + i * ldy, ldy, w, ldw, rows, n, p, depth);
        }
    }
}

void product_multiply(const struct product_kernel *kernel, bool x_across, bool w_across, float *y,
                      size_t ldy, const float *x, size_t ldx, const float *w, size_t ldw, size_t m,
                      size_t n, size_t k)
{
    if (kernel->multiply != NULL)
        kernel->multiply(x_across, w_across, y, ldy, x, ldx, w, ldw, m, n, k);
    else
        multiply_by_panels(kernel, x_across, w_across, y, ldy, x, ldx, w, ldw, m, n, k);
}

// the best kernel for such a product, NULL if it is OpenBLAS's
static const struct product_kernel *kernel_for(size_t m, size_t n, size_t k)
{
    const struct product_kernel *kernel;
    for (size_t i = 0; (kernel = product_kernel_at(i)) != NULL; i++)
        if (m >= kernel->min_rows && n >= kernel->min_cols && k >= kernel->min_depth)
            break;
    return kernel;
}

typedef void blas_product(float *y, size_t ldy, const float *x, size_t ldx, const float *w,
                          size_t ldw, size_t m, size_t n, size_t k);

// blas: the same product by OpenBLAS, for where it is the better one
static void multiply(blas_product *blas, bool x_across, bool w_across, float *y, size_t ldy,
                     const float *x, size_t ldx, const float *w, size_t ldw, size_t m, size_t n,
                     size_t k)
{
    const struct product_kernel *kernel = kernel_for(m, n, k);
    if (kernel == NULL)
        blas(y, ldy, x, ldx, w, ldw, m, n, k);
    else
        product_multiply(kernel, x_across, w_across, y, ldy, x, ldx, w, ldw, m, n, k);
}

void product_nt(float *y, size_t ldy, const float *x, size_t ldx, const float *w, size_t ldw,
                size_t m, size_t n, size_t k)
{
    multiply(blas_nt, false, true, y, ldy, x, ldx, w, ldw, m, n, k);
}

void product_nn(float *y, size_t ldy, const float *x, size_t ldx, const float *w, size_t ldw,
                size_t m, size_t n, size_t k)
{
    multiply(blas_nn, false, false, y, ldy, x, ldx, w, ldw, m, n, k);
}

void product_tn(float *y, size_t ldy, const float *x, size_t ldx, const float *w, size_t ldw,
                size_t m, size_t n, size_t k)
{
    multiply(blas_tn, true, false, y, ldy, x, ldx, w, ldw, m, n, k);
}
