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
            check(kernel, kind, 530, 37, 140);
        }
}

static void bits_are_those_of(const struct product_kernel *kernel, int kind, size_t m, size_t n,
                              size_t k)
{
    static float want[MOST * LD];
    run(kernel, kind, m, n, k);
    memcpy(want, y, sizeof want);
    run(NULL, kind, m, n, k);
    assert_memory_equal(y, want, sizeof want);
}

static void a_kernel_gets_what_is_large_enough_for_it(void **state)
{
    (void)state;
    fill();
    const struct product_kernel *kernel = product_kernel_at(0), *next = product_kernel_at(1);
    if (kernel == NULL)
        skip();
    for (int kind = 0; kind < KINDS; kind++) {
        size_t m = kernel->min_rows, n = kernel->min_cols, k = kernel->min_depth;
        bits_are_those_of(kernel, kind, m, n, k);
        if (next == NULL || m <= next->min_rows || n <= next->min_cols || k <= next->min_depth)
            continue;
        bits_are_those_of(next, kind, m - 1, n, k);
        bits_are_those_of(next, kind, m, n - 1, k);
        bits_are_those_of(next, kind, m, n, k - 1);
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

// the whole, then three pieces of it in its place
static void check_pieces(const struct product_kernel *kernel, int kind, size_t k)
{
    static float whole[MOST * LD];
    bool         x_across = kind == TN, w_across = kind == NT;
    float       *below = y + 20 * LD, *xs = x + (x_across ? 20 : 20 * LD);
    float       *ws = w + (w_across ? 23 * LD : 23);
    run(kernel, kind, 64, 64, k);
    memcpy(whole, y, sizeof whole);
    product_multiply(kernel, x_across, w_across, y, LD, x, LD, w, LD, 20, 64, k);
    product_multiply(kernel, x_across, w_across, below, LD, xs, LD, w, LD, 44, 23, k);
    product_multiply(kernel, x_across, w_across, below + 23, LD, xs, LD, ws, LD, 44, 41, k);
    assert_memory_equal(y, whole, sizeof whole);
}

static void pieces_have_the_bits_of_the_whole(void **state)
{
    (void)state;
    const struct product_kernel *kernel;
    fill();
    for (size_t i = 0; (kernel = product_kernel_at(i)) != NULL; i++) {
        check_pieces(kernel, NT, 100);
        check_pieces(kernel, NN, 100);
        check_pieces(kernel, TN, 300);
    }
}

static double root_mean_square_error(const struct product_kernel *kernel, int kind, size_t m,
                                     size_t n, size_t k)
{
    double sum = 0, size;
    run(kernel, kind, m, n, k);
    for (size_t r = 0; r < m; r++)
        for (size_t c = 0; c < n; c++) {
            double error = (double)y[r * LD + c] - wanted(kind, r, c, k, &size);
            sum += error * error / (size * size);
        }
    return sqrt(sum / (double)(m * n));
}

// Terms of very different sizes, so that some are large where others end. Floats summed one by one have
// 1.5 2^-24 at most, AMX half of that.
static void no_kernel_errs_more_than_a_sum_of_floats(void **state)
{
    (void)state;
    fill();
    for (size_t i = 0; i < LD * LD; i++) {
        x[i] = ldexpf(x[i], -(int)(i % 13));
        w[i] = ldexpf(w[i], -(int)(i % 11));
    }
    const struct product_kernel *kernel;
    for (size_t i = 0; (kernel = product_kernel_at(i)) != NULL; i++)
        for (int kind = 0; kind < KINDS; kind++)
            assert_true(root_mean_square_error(kernel, kind, 50, 70, 300) <= 0x1p-23);
}

// all 24 bits of an operand count, whatever its size
static void a_product_with_one_is_exact(void **state)
{
    (void)state;
    enum { N = 40 };
    const struct product_kernel *kernel;
    for (int side = 0; side < 2; side++)
        for (int kind = 0; kind < KINDS; kind++) {
            fill();
            float *a = side == 0 ? x : w, *one = side == 0 ? w : x;
            for (size_t r = 0; r < N; r++)
                for (size_t c = 0; c < N; c++) {
                    a[r * LD + c] = ldexpf(a[r * LD + c], (int)((r * N + c) % 200) - 90);
                    one[r * LD + c] = r == c;
                }
            bool across = side == 0 ? kind == TN : kind == NT;
            for (size_t i = 0; (kernel = product_kernel_at(i)) != NULL; i++) {
                run(kernel, kind, N, N, N);
                for (size_t r = 0; r < N; r++)
                    for (size_t c = 0; c < N; c++)
                        assert_true(y[r * LD + c] == (across ? a[c * LD + r] : a[r * LD + c]));
            }
        }
}

static float of_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static void what_is_not_finite_stays_in_its_row_or_column_and_is_seen(void **state)
{
    (void)state;
    // quiet ones, a signaling one with a single bit, infinities
    const uint32_t BITS[] = {0x7fc00000, 0xffc00000, 0x7fffffff, 0xffffffff,
                             0x7f800001, 0x7f800000, 0xff800000};
    for (size_t b = 0; b < sizeof BITS / sizeof *BITS; b++)
        for (size_t i = 0; i == 0 || product_kernel_at(i - 1) != NULL; i++) {
            const struct product_kernel *kernel = i == 0 ? NULL : product_kernel_at(i - 1);
            fill();
            x[3 * LD + 20] = of_bits(BITS[b]);
            run(kernel, NT, 40, 50, 33);
            for (size_t r = 0; r < 40; r++)
                for (size_t c = 0; c < 50; c++)
                    assert_true(isfinite(y[r * LD + c]) == (r != 3));
            fill();
            w[20 * LD + 3] = of_bits(BITS[b]);
            run(kernel, NN, 40, 50, 33);
            for (size_t r = 0; r < 40; r++)
                for (size_t c = 0; c < 50; c++)
                    assert_true(isfinite(y[r * LD + c]) == (c != 3));
        }
}

// The sums tell how many operations there were. An accumulator x = x / 2 + 1 ends at 2; one of AMX is
// a sum of ones, of which six thirds are two operations of a product.
static void every_kernel_counts_the_operations_that_it_spins(void **state)
{
    (void)state;
    const struct product_kernel *kernel;
    for (size_t i = 0; (kernel = product_kernel_at(i)) != NULL; i++) {
        float  sums[PRODUCT_KERNEL_WIDTH];
        double flops = kernel->spin(sums, 100);
        double each = strcmp(kernel->name, "amx") == 0 ? 1 / 3.0 : 100;
        for (size_t c = 0; c < kernel->width; c++)
            assert_true(flops == each * (double)kernel->width * (double)sums[c]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_multiplies_every_size),
        cmocka_unit_test(every_kernel_counts_the_operations_that_it_spins),
        cmocka_unit_test(a_deep_product_is_added_up),
        cmocka_unit_test(a_tall_product_is_made_in_blocks),
        cmocka_unit_test(a_kernel_gets_what_is_large_enough_for_it),
        cmocka_unit_test(thin_products_are_right_too),
        cmocka_unit_test(pieces_have_the_bits_of_the_whole),
        cmocka_unit_test(no_kernel_errs_more_than_a_sum_of_floats),
        cmocka_unit_test(a_product_with_one_is_exact),
        cmocka_unit_test(what_is_not_finite_stays_in_its_row_or_column_and_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
