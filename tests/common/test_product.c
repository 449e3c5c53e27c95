#include "common/product.h"

#include "common/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LD 1100  // floats from row to row
#define MOST 70  // rows and columns of all but tall products

enum { NT, NN, TN, KINDS };

static float x[LD * LD], w[LD * LD], y[LD * LD];

static void fill(void)
{
    struct rng rng;
    rng_init(&rng, 1, RNG_TEST, 0);
    for (size_t i = 0; i < LD * LD; i++) {
        x[i] = (float)rng_range(&rng, -1, 1);
        w[i] = (float)rng_range(&rng, -1, 1);
    }
}

// element (r, c) in double, and the sum of its terms' sizes
static double wanted(int kind, size_t r, size_t c, size_t k, double *size)
{
    double sum = 0;
    *size = 0;
    for (size_t p = 0; p < k; p++) {
        double a = (double)(kind == TN ? x[p * LD + r] : x[r * LD + p]);
        double b = (double)(kind == NT ? w[c * LD + p] : w[p * LD + c]);
        sum += a * b;
        *size += fabs(a * b);
    }
    return sum;
}

// y (m, n) of a kernel, or of the public functions if it is NULL
static void run(const struct product_kernel *kernel, int kind, size_t m, size_t n, size_t k)
{
    static void (*const PRODUCT[KINDS])(float *, size_t, const float *, size_t, const float *,
                                        size_t, size_t, size_t,
                                        size_t) = {product_nt, product_nn, product_tn};
    size_t rows = m < MOST ? MOST : m;
    for (size_t i = 0; i < rows * LD; i++)
        y[i] = -7;
    if (kernel == NULL)
        PRODUCT[kind](y, LD, x, LD, w, LD, m, n, k);
    else
        product_multiply(kernel, kind == TN, kind == NT, y, LD, x, LD, w, LD, m, n, k);
}

static void check(const struct product_kernel *kernel, int kind, size_t m, size_t n, size_t k)
{
    run(kernel, kind, m, n, k);
    size_t rows = m < MOST ? MOST : m, cols = n < MOST ? MOST : n;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c++) {
            double size, got = (double)y[r * LD + c];
            if (r >= m || c >= n) {
                assert_true(got == -7);
            } else if (!(fabs(got - wanted(kind, r, c, k, &size)) <= 2e-6 * size)) {
                fail_msg("%s, kind %d, %zu x %zu x %zu: (%zu, %zu) is %g",
                         kernel == NULL ? "best" : kernel->name, kind, m, n, k, r, c, got);
            }
        }
}

// every height of a last tile and width of a last panel
static void every_kernel_multiplies_every_size(void **state)
{
    (void)state;
    fill();
    const struct product_kernel *kernel;
    for (size_t i = 0; (kernel = product_kernel_at(i)) != NULL; i++)
        for (int kind = 0; kind < KINDS; kind++) {
            for (size_t m = 1; m <= 25; m++)
                check(kernel, kind, m, 1 + (m * 7) % 40, 5);
            for (size_t n = 1; n <= 70; n++)
                check(kernel, kind, 13, n, 1 + n % 19);
        }
}

static void a_deep_product_is_added_up(void **state)
{
    (void)state;
    fill();
    const struct product_kernel *kernel;
    for (size_t i = 0; (kernel = product_kernel_at(i)) != NULL; i++)
        for (int kind = 0; kind < KINDS; kind++)
            check(kernel, kind, 14, 37, 1050);
}

// more rows than are packed at once, and a depth likewise
static void a_tall_product_is_made_in_blocks(void **state)
{
    (void)state;
    fill();
    const struct product_kernel *kernel;
    for (size_t i = 0; (kernel = product_kernel_at(i)) != NULL; i++)
        for (int kind = 0; kind < KINDS; kind++) {
            check(kernel, kind, 401, 5, 140);
            check(kernel, kind, 401, 390, 140);
            check(kernel, kind, 777, 390, 30);
        }
}

static void thin_products_are_right_too(void **state)
{
    (void)state;
    fill();
    for (int kind = 0; kind < KINDS; kind++)
        for (size_t m = 1; m <= 20; m += 3)
            for (size_t n = 1; n <= 10; n++)
                check(NULL, kind, m, n, 33);
}

static void pieces_have_the_bits_of_the_whole(void **state)
{
    (void)state;
    static float whole[MOST * LD];
    if (product_kernel_at(0) == NULL)
        skip();
    fill();
    run(NULL, NT, 64, 64, 100);
    memcpy(whole, y, sizeof whole);
    product_nt(y, LD, x, LD, w, LD, 20, 64, 100);
    product_nt(y + 20 * LD, LD, x + 20 * LD, LD, w, LD, 44, 23, 100);
    product_nt(y + 20 * LD + 23, LD, x + 20 * LD, LD, w + 23 * LD, LD, 44, 41, 100);
    assert_memory_equal(y, whole, sizeof whole);

    run(NULL, TN, 64, 64, 300);
    memcpy(whole, y, sizeof whole);
    product_tn(y, LD, x, LD, w, LD, 20, 64, 300);
    product_tn(y + 20 * LD, LD, x + 20, LD, w, LD, 44, 23, 300);
    product_tn(y + 20 * LD + 23, LD, x + 20, LD, w + 23, LD, 44, 41, 300);
    assert_memory_equal(y, whole, sizeof whole);
}

static void a_nan_stays_in_its_row(void **state)
{
    (void)state;
    fill();
    x[3 * LD + 2] = NAN;
    run(NULL, NT, 20, 30, 10);
    for (size_t r = 0; r < 20; r++)
        for (size_t c = 0; c < 30; c++)
            assert_true(isnan(y[r * LD + c]) == (r == 3));
}

// an accumulator x = x / 2 + 1 ends at 2, so the sums tell how many there are
static void every_kernel_counts_the_operations_that_it_spins(void **state)
{
    (void)state;
    const struct product_kernel *kernel;
    for (size_t i = 0; (kernel = product_kernel_at(i)) != NULL; i++) {
        float  sums[PRODUCT_KERNEL_WIDTH];
        double flops = kernel->spin(sums, 100);
        for (size_t c = 0; c < kernel->width; c++)
            assert_true(flops == 100 * (double)kernel->width * (double)sums[c]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_multiplies_every_size),
        cmocka_unit_test(every_kernel_counts_the_operations_that_it_spins),
        cmocka_unit_test(a_deep_product_is_added_up),
        cmocka_unit_test(a_tall_product_is_made_in_blocks),
        cmocka_unit_test(thin_products_are_right_too),
        cmocka_unit_test(pieces_have_the_bits_of_the_whole),
        cmocka_unit_test(a_nan_stays_in_its_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
