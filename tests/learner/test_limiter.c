// The limiter against Reverb's rule, and that neither side ever sticks.
#include "common/clock.h"
#include "learner/limiter.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct limiter limiter;

static void open_with(const struct limiter_config *config)
{
    struct error err = {0};
    if (limiter_init(&limiter, config, &err) < 0)
        fail_msg("%s", err.text);
}

// ------ the rule

// Source: Reverb's rate_limiter.cc, in its own floating-point form.
static bool reverb_can_sample(double spi, double min_diff, int min_size, int inserts, int samples,
                              int n)
{
    return inserts >= min_size && inserts * spi - samples - n >= min_diff;
}

static bool reverb_can_insert(double spi, double max_diff, int min_size, int inserts, int samples,
                              int n)
{
    return inserts + n <= min_size || (inserts + n) * spi - samples <= max_diff;
}

static void the_band_is_reverbs_sample_to_insert_ratio(void **state)
{
    (void)state;
    // samples per insert 1.5, at least 1 row, diffs -3 and 3.1, all times q = 2
    const struct limiter_band band = {.p = 3, .q = 2, .min_size = 1, .min_diff = -6, .max_diff = 6};
    for (int inserts = 0; inserts < 30; inserts++)
        for (int samples = 0; samples < 60; samples++)
            for (int n = 1; n < 5; n++) {
                assert_int_equal(limiter_band_may_sample(&band, inserts, samples, n),
                                 reverb_can_sample(1.5, -3.0, 1, inserts, samples, n));
                assert_int_equal(limiter_band_may_insert(&band, inserts, samples, n),
                                 reverb_can_insert(1.5, 3.1, 1, inserts, samples, n));
            }
}

static void with_acmes_error_buffer_updates_stay_a_thousand_rows_around_the_ratio(void **state)
{
    (void)state;
    // batch 256, ratio 1, 10,000 rows first: samples per insert 256, buffer 0.1 of what 10,000 rows ask
    const struct limiter_band band = {
        .p = 256, .q = 1, .min_size = 10000, .min_diff = 2304000, .max_diff = 2816000};
    assert_false(limiter_band_may_sample(&band, 9999, 0, 256));
    assert_true(limiter_band_may_insert(&band, 0, 0, 10000));
    for (int64_t rows = 10000; rows <= 12000; rows += 500) {
        // rows - 11,000 <= updates <= rows - 9,000
        assert_true(limiter_band_may_sample(&band, rows, (rows - 9001) * 256, 256));
        assert_false(limiter_band_may_sample(&band, rows, (rows - 9000) * 256, 256));
        assert_true(limiter_band_may_insert(&band, rows - 1, (rows - 11000) * 256, 1));
        assert_false(limiter_band_may_insert(&band, rows, (rows - 11000) * 256, 1));
    }
}

// ------ start

static void the_allowance_is_what_the_band_allows(void **state)
{
    (void)state;
    const struct limiter_config c = {.p = 3,
                                     .q = 4,
                                     .start = 20,
                                     .tolerance = 13,
                                     .max_frame = 200,
                                     .insert_block = 8,
                                     .sample_block = 2};
    open_with(&c);
    for (uint64_t rows = 0; rows < 200; rows++)
        for (uint64_t updates = 0; updates <= limiter_updates_due(&limiter, rows); updates++) {
            bool last;
            limiter_restore(&limiter, rows, updates);
            uint64_t n = limiter_insert_allowance(&limiter, &last);
            assert_true(n == 0 || limiter_band_may_insert(&limiter.band, (int64_t)rows,
                                                          (int64_t)updates, (int64_t)n));
            assert_true(rows + n == 200 ||
                        !limiter_band_may_insert(&limiter.band, (int64_t)rows, (int64_t)updates,
                                                 (int64_t)n + 1));
            assert_int_equal(last, rows + n == 200);
        }
    limiter_free(&limiter);
}

static void the_first_rows_are_free_and_never_caught_up(void **state)
{
    (void)state;
    const struct limiter_config c = {.p = 2,
                                     .q = 1,
                                     .start = 1000,
                                     .tolerance = 100,
                                     .max_frame = 5000,
                                     .insert_block = 32,
                                     .sample_block = 1};
    open_with(&c);
    assert_int_equal(limiter_insert_allowance(&limiter, NULL), 1100);
    assert_int_equal(limiter_updates_due(&limiter, 1000), 0);
    assert_int_equal(limiter_updates_due(&limiter, 1001), 2);
    assert_int_equal(limiter_updates_due(&limiter, 5000), 8000);
    limiter_inserted(&limiter, 999);
    assert_int_equal(limiter_wait_update(&limiter, 0.0), ERR_TIMEOUT);
    limiter_inserted(&limiter, 2);
    assert_int_equal(limiter_wait_update(&limiter, 0.0), 0);
    limiter_updated(&limiter, 2);
    assert_int_equal(limiter_wait_update(&limiter, 0.0), ERR_TIMEOUT);
    limiter_free(&limiter);
}

// says whether blocks of rows and updates reach the end without either side being stuck
static bool reaches_the_end(const struct limiter_config *c)
{
    const struct limiter_band band = {.p = (int64_t)c->p,
                                      .q = (int64_t)c->q,
                                      .min_size = (int64_t)c->start,
                                      .min_diff = (int64_t)(c->start * c->p),
                                      .max_diff = (int64_t)((c->start + c->tolerance) * c->p)};
    int64_t                   rows = 0, updates = 0, k = (int64_t)c->insert_block;
    int64_t                   u = (int64_t)c->sample_block;
    while (rows < (int64_t)c->max_frame) {
        if (limiter_band_may_insert(&band, rows, updates, k))
            rows += k;
        else if (limiter_band_may_sample(&band, rows, updates, u))
            updates += u;
        else
            return false;
    }
    return true;
}

static void what_start_takes_cannot_dead_lock(void **state)
{
    (void)state;
    const uint64_t ratios[][2] = {{1, 1}, {1, 4}, {4, 1}, {3, 7}, {7, 3}, {1, 50}, {20, 1}};
    for (size_t i = 0; i < sizeof ratios / sizeof ratios[0]; i++)
        for (uint64_t k = 1; k <= 64; k *= 2)
            for (uint64_t u = 1; u <= 16; u *= 4) {
                struct limiter_config c = {.p = ratios[i][0],
                                           .q = ratios[i][1],
                                           .start = 100,
                                           .max_frame = 3000,
                                           .insert_block = k,
                                           .sample_block = u};
                struct error          err = {0};
                c.tolerance = limiter_least_tolerance(&c);
                open_with(&c);
                limiter_free(&limiter);
                assert_true(reaches_the_end(&c));
                // one less is refused, with the number that would do
                char least[32];
                snprintf(least, sizeof least, "at least %llu", (unsigned long long)c.tolerance);
                c.tolerance--;
                assert_int_equal(limiter_init(&limiter, &c, &err), ERR_SPEC);
                assert_non_null(strstr(err.text, least));
            }
    // the simulation can see a dead-lock
    const struct limiter_config stuck = {.p = 1,
                                         .q = 1,
                                         .start = 96,
                                         .tolerance = 31,
                                         .max_frame = 3000,
                                         .insert_block = 32,
                                         .sample_block = 1};
    assert_false(reaches_the_end(&stuck));
}

static void numbers_beyond_64_bits_are_refused(void **state)
{
    (void)state;
    struct limiter_config c = {.p = 1000000,
                               .q = 999999,
                               .tolerance = 100,
                               .max_frame = UINT64_MAX / 2,
                               .sample_block = 1};
    struct error          err = {0};
    assert_int_equal(limiter_init(&limiter, &c, &err), ERR_SPEC);
    assert_non_null(strstr(err.text, "64-bit"));
    c.max_frame = 1000000;
    c.q = 0;
    assert_int_equal(limiter_init(&limiter, &c, &err), ERR_SPEC);
    // freeing what was refused is harmless
    limiter_free(&limiter);
}

static void without_updates_rows_are_bound_by_max_frame_only(void **state)
{
    (void)state;
    const struct limiter_config c = {.q = 1, .max_frame = 500, .insert_block = 32};
    bool                        last;
    open_with(&c);
    assert_int_equal(limiter_insert_allowance(&limiter, &last), 500);
    assert_true(last);
    limiter_inserted(&limiter, 500);
    assert_int_equal(limiter_insert_allowance(&limiter, NULL), 0);
    assert_int_equal(limiter_wait_update(&limiter, 0.0), ERR_TIMEOUT);
    limiter_free(&limiter);
}

// ------ counters and waits

static const struct limiter_config one_to_one = {.p = 1,
                                                 .q = 1,
                                                 .start = 100,
                                                 .tolerance = 50,
                                                 .max_frame = 10000,
                                                 .insert_block = 8,
                                                 .sample_block = 1};

static void restored_counters_go_on_where_they_were(void **state)
{
    (void)state;
    struct limiter_state now;
    open_with(&one_to_one);
    limiter_restore(&limiter, 1100, 990);
    limiter_read(&limiter, &now);
    assert_int_equal(now.inserted, 1100);
    assert_int_equal(now.updates, 990);
    assert_true(now.ratio == 0.99);
    assert_int_equal(limiter_insert_allowance(&limiter, NULL), 40);
    assert_int_equal(limiter_wait_update(&limiter, 0.0), 0);
    // rows that came after the checkpoint: updates catch up first
    limiter_restore(&limiter, 1400, 990);
    assert_int_equal(limiter_insert_allowance(&limiter, NULL), 0);
    limiter_updated(&limiter, 300);
    assert_int_equal(limiter_insert_allowance(&limiter, NULL), 40);
    // a lost replay starts the warm-up again
    limiter_restore(&limiter, 0, 0);
    limiter_read(&limiter, &now);
    assert_true(isnan(now.ratio));
    assert_int_equal(limiter_insert_allowance(&limiter, NULL), 150);
    limiter_free(&limiter);
}

static void waits_are_counted_by_reason(void **state)
{
    (void)state;
    struct limiter_state now;
    open_with(&one_to_one);
    assert_int_equal(limiter_wait_update(&limiter, 0.01), ERR_TIMEOUT);
    limiter_read(&limiter, &now);
    assert_true(now.waited[LIMITER_WARMUP] >= 0.009);
    assert_true(now.waited[LIMITER_WAIT_INSERTS] == 0 && now.waited[LIMITER_WAIT_SAMPLES] == 0);

    double warm = now.waited[LIMITER_WARMUP];
    limiter_inserted(&limiter, 100);
    assert_int_equal(limiter_wait_update(&limiter, 0.01), ERR_TIMEOUT);
    limiter_read(&limiter, &now);
    assert_true(now.waited[LIMITER_WARMUP] == warm);
    assert_true(now.waited[LIMITER_WAIT_INSERTS] >= 0.009);
    assert_true(now.waited[LIMITER_WAIT_SAMPLES] == 0);

    // a wait that still runs counts, and one that ended stays what it was
    limiter_hold(&limiter, true);
    limiter_hold(&limiter, true);
    clock_sleep(0.01);
    limiter_read(&limiter, &now);
    assert_true(now.waited[LIMITER_WAIT_SAMPLES] >= 0.01);
    limiter_hold(&limiter, false);
    limiter_read(&limiter, &now);
    double held = now.waited[LIMITER_WAIT_SAMPLES];
    clock_sleep(0.01);
    limiter_read(&limiter, &now);
    assert_true(now.waited[LIMITER_WAIT_SAMPLES] == held);
    limiter_free(&limiter);
}

static void *insert_soon(void *context)
{
    (void)context;
    clock_sleep(0.02);
    limiter_inserted(&limiter, 101);
    return NULL;
}

static void rows_wake_whoever_waits_for_them(void **state)
{
    (void)state;
    pthread_t thread;
    open_with(&one_to_one);
    assert_int_equal(pthread_create(&thread, NULL, insert_soon, NULL), 0);
    assert_int_equal(limiter_wait_update(&limiter, 60.0), 0);
    assert_int_equal(limiter_wait_inserted(&limiter, 101, 60.0), 0);
    assert_int_equal(limiter_wait_inserted(&limiter, 102, 0.0), ERR_TIMEOUT);
    pthread_join(thread, NULL);
    limiter_free(&limiter);
}

static void count_call(void *context)
{
    ++*(int *)context;
}

static void the_network_is_told_only_when_actors_wait_and_may_go_on(void **state)
{
    (void)state;
    int told = 0;
    open_with(&one_to_one);
    limiter_on_open(&limiter, count_call, &told);
    limiter_restore(&limiter, 151, 0);
    limiter_updated(&limiter, 1);
    assert_int_equal(told, 0);
    limiter_hold(&limiter, true);
    limiter_restore(&limiter, 151, 0);
    limiter_updated(&limiter, 1);
    assert_int_equal(told, 0);
    limiter_updated(&limiter, 1);
    assert_int_equal(told, 1);
    limiter_hold(&limiter, false);
    limiter_updated(&limiter, 1);
    assert_int_equal(told, 1);
    limiter_free(&limiter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_band_is_reverbs_sample_to_insert_ratio),
        cmocka_unit_test(with_acmes_error_buffer_updates_stay_a_thousand_rows_around_the_ratio),
        cmocka_unit_test(the_allowance_is_what_the_band_allows),
        cmocka_unit_test(the_first_rows_are_free_and_never_caught_up),
        cmocka_unit_test(what_start_takes_cannot_dead_lock),
        cmocka_unit_test(numbers_beyond_64_bits_are_refused),
        cmocka_unit_test(without_updates_rows_are_bound_by_max_frame_only),
        cmocka_unit_test(restored_counters_go_on_where_they_were),
        cmocka_unit_test(waits_are_counted_by_reason),
        cmocka_unit_test(rows_wake_whoever_waits_for_them),
        cmocka_unit_test(the_network_is_told_only_when_actors_wait_and_may_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
