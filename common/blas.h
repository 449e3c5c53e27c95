// Matrix products: the only place that includes cblas.h. Row-major float throughout.
//
// The default library is a newer OpenBLAS whose names carry a prefix; with BLAS_SYSTEM defined it is
// the distribution's. Each product runs on the thread that calls it: the pool spreads the work.
#ifndef COMMON_BLAS_H
#define COMMON_BLAS_H

#include <cblas.h>
#include <stddef.h>

#ifdef BLAS_SYSTEM
#define BLAS_NAME(name) name
#else
#define BLAS_NAME(name) scipy_##name
#endif

// Call once before the first product.
static inline void blas_init(void)
{
    BLAS_NAME(openblas_set_num_threads)(1);
}

// "OpenBLAS 0.3.34 ..." and the kernel that it chose for this processor, "SkylakeX".
static inline const char *blas_version(void)
{
    return BLAS_NAME(openblas_get_config)();
}

static inline const char *blas_kernel(void)
{
    return BLAS_NAME(openblas_get_corename)();
}

// y = x w^T      y (m, n), x (m, k), w (n, k); ldy, ldx, ldw: floats from row to row
static inline void blas_nt(float *y, size_t ldy, const float *x, size_t ldx, const float *w,
                           size_t ldw, size_t m, size_t n, size_t k)
{
    BLAS_NAME(cblas_sgemm)
    (CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)m, (blasint)n, (blasint)k, 1, x,
     (blasint)ldx, w, (blasint)ldw, 0, y, (blasint)ldy);
}

// y = x w        y (m, n), x (m, k), w (k, n)
static inline void blas_nn(float *y, size_t ldy, const float *x, size_t ldx, const float *w,
                           size_t ldw, size_t m, size_t n, size_t k)
{
    BLAS_NAME(cblas_sgemm)
    (CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, 1, x,
     (blasint)ldx, w, (blasint)ldw, 0, y, (blasint)ldy);
}

// y = x^T w      y (m, n), x (k, m), w (k, n)
static inline void blas_tn(float *y, size_t ldy, const float *x, size_t ldx, const float *w,
                           size_t ldw, size_t m, size_t n, size_t k)
{
    BLAS_NAME(cblas_sgemm)
    (CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, 1, x,
     (blasint)ldx, w, (blasint)ldw, 0, y, (blasint)ldy);
}

#endif
