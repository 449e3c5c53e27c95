#include "common/product.h"

#include "common/blas.h"

// Rows of a panel at most: more do not fit into the near caches, fewer are added to y more often.
#define DEPTH 1024

void product_multiply(const struct product_kernel *kernel, bool x_across, bool w_across, float *y,
                      size_t ldy, const float *x, size_t ldx, const float *w, size_t ldw, size_t m,
                      size_t n, size_t k)
{
    _Alignas(64) float panel[DEPTH * PRODUCT_KERNEL_WIDTH];
    for (size_t p = 0; p < k || p == 0; p += DEPTH) {
        size_t       depth = k - p < DEPTH ? k - p : DEPTH;
        const float *from = x + (x_across ? p * ldx : p);
        for (size_t c = 0; c < n; c += kernel->width) {
            size_t cols = n - c < kernel->width ? n - c : kernel->width;
            if (w_across)
                kernel->pack_across(panel, kernel->width, w + c * ldw + p, ldw, depth, cols);
            else
                kernel->pack(panel, w + p * ldw + c, ldw, depth, cols);
            kernel->panel(x_across, p > 0, y + c, ldy, m, cols, from, ldx, panel, depth);
        }
    }
}

typedef void blas_product(float *y, size_t ldy, const float *x, size_t ldx, const float *w,
                          size_t ldw, size_t m, size_t n, size_t k);

// blas: the same product by OpenBLAS, for where it is the better one
static void multiply(blas_product *blas, bool x_across, bool w_across, float *y, size_t ldy,
                     const float *x, size_t ldx, const float *w, size_t ldw, size_t m, size_t n,
                     size_t k)
{
    const struct product_kernel *kernel = product_kernel_at(0);
    if (kernel == NULL || (x_across && !kernel->across) || m < PRODUCT_MIN_ROWS ||
        n < PRODUCT_MIN_COLS)
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
