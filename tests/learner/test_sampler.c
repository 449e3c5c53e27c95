// How batches are drawn: uniformly or by priorities, with the newest row, with weights.
#include "learner/sampler.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { O = 2, W = 1, N = 8, B = 64, WORDS = 2 * O + W + 4 };

static struct replay  replay;
static struct batch   batch;
static struct sampler sampler;

static void open_all(const struct memory_spec *memory)
{
    assert_int_equal(replay_init(&replay, row_shape_make(O, W), N, 1, 0, NULL, false, NULL), 0);
    assert_int_equal(batch_init(&batch, B, O, W, W, NULL), 0);
    assert_int_equal(sampler_init(&sampler, memory, N, 1, NULL), 0);
}

static int close_all(void **state)
{
    (void)state;
    replay_free(&replay);
    batch_free(&batch);
    sampler_free(&sampler);
    return 0;
}

// inserts rows from ... to - 1, each saying its number
static void insert(uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++) {
        float row[WORDS] = {(float)i};
        replay_insert(&replay, row, 1, 0, &(struct replay_mark){1, i + 1, "a"});
    }
}

static void uniform_batches_have_weight_one_and_fresh_noise(void **state)
{
    (void)state;
    const struct memory_spec memory = {.kind = MEMORY_REPLAY, .batch_size = B};
    float                    before[B];
    open_all(&memory);
    insert(0, 5);
    sampler_draw(&sampler, &replay, &batch, 0);
    for (size_t i = 0; i < B; i++)
        assert_true(batch.weight[i] == 1 && batch.index[i] < 5);
    memcpy(before, batch.noise_next, sizeof before);
    sampler_draw(&sampler, &replay, &batch, 0);
    assert_true(memcmp(before, batch.noise_next, sizeof before) != 0);
    assert_true(memcmp(batch.noise_policy, batch.noise_next, sizeof before) != 0);
}

static void rows_of_large_error_come_often_and_weigh_little(void **state)
{
    (void)state;
    const struct memory_spec memory = {.kind = MEMORY_PRIORITIZED,
                                       .batch_size = B,
                                       .alpha = 1,
                                       .epsilon = 1e-6,
                                       .beta = 1,
                                       .beta_final = 1};
    float                    error[B];
    open_all(&memory);
    insert(0, 4);
    sampler_draw(&sampler, &replay, &batch, 0);
    // every row was drawn; row 3 errs nine times as much as the others
    for (size_t i = 0; i < B; i++)
        error[i] = batch.index[i] == 3 ? 9 : 1;
    sampler_learned(&sampler, &batch, error);
    sampler_draw(&sampler, &replay, &batch, 0);
    size_t threes = 0;
    for (size_t i = 0; i < B; i++) {
        threes += batch.index[i] == 3;
        assert_true(fabs(batch.weight[i] - (batch.index[i] == 3 ? 1.0 / 9 : 1.0)) < 1e-5);
    }
    // stratified: 9 of 12 parts of the sum, give or take the edges
    assert_true(threes >= 47 && threes <= 49);
}

static void new_rows_enter_at_the_largest_priority_also_after_a_wrap(void **state)
{
    (void)state;
    const struct memory_spec memory = {
        .kind = MEMORY_PRIORITIZED, .batch_size = B, .alpha = 1, .epsilon = 1e-6, .use_cer = true};
    float error[B];
    open_all(&memory);
    insert(0, 6);
    sampler_draw(&sampler, &replay, &batch, 0);
    for (size_t i = 0; i < B; i++)
        error[i] = 5;
    sampler_learned(&sampler, &batch, error);
    insert(6, 30);
    sampler_draw(&sampler, &replay, &batch, 0);
    // all eight rows are new: equal parts, and the newest joins
    for (size_t i = 0; i < N; i++)
        assert_true(fabs(priority_leaves(&sampler.priority)[i] - (5 + 1e-6)) < 1e-5);
    assert_int_equal(batch.index[B - 1], 29 % N);
    assert_true(batch.obs[(B - 1) * O] == 29);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(uniform_batches_have_weight_one_and_fresh_noise, close_all),
        cmocka_unit_test_teardown(rows_of_large_error_come_often_and_weigh_little, close_all),
        cmocka_unit_test_teardown(new_rows_enter_at_the_largest_priority_also_after_a_wrap,
                                  close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
