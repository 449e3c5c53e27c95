// The few names of cblas.h that common/blas.h uses, in plain C: libcrossfleet_policy is compiled with
// this folder before the others, so that it needs no BLAS. One row at a time needs no speed.
#ifndef PLAIN_CBLAS_H
#define PLAIN_CBLAS_H

typedef int blasint;

enum { CblasRowMajor = 101, CblasNoTrans = 111, CblasTrans = 112 };

static inline void openblas_set_num_threads(int n)
{
    (void)n;
}

static inline const char *openblas_get_config(void)
{
    return "plain C";
}

static inline const char *openblas_get_corename(void)
{
    return "any";
}

// y (m, n) = x w with x (m, k), or (k, m) if transposed, and w (k, n), or (n, k) if transposed;
// alpha is 1 and beta 0
static inline void cblas_sgemm(int order, int trans_x, int trans_w, blasint m, blasint n, blasint k,
                               float alpha, const float *x, blasint ldx, const float *w,
                               blasint ldw, float beta, float *y, blasint ldy)
{
    (void)order, (void)alpha, (void)beta;
    for (blasint i = 0; i < m; i++)
        for (blasint j = 0; j < n; j++) {
            double sum = 0;
            for (blasint a = 0; a < k; a++)
                sum += (double)x[trans_x == CblasTrans ? a * ldx + i : i * ldx + a] *
                       (double)w[trans_w == CblasTrans ? j * ldw + a : a * ldw + j];
            y[i * ldy + j] = (float)sum;
        }
}

#endif
