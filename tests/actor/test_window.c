// n-step rows: every step gives one row, terminated and truncated are kept apart.
#include "actor/window.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

enum { O = 2, W = 1, ROWS = 8, WORDS = 2 * O + W + 4 };

#define GAMMA 0.9

static float rows[ROWS * WORDS];

// step t sees obs {t, -t}, acts 10 t, earns t + 1, was chosen by version t
static size_t step(struct window *w, int t, bool terminated, bool truncated)
{
    float obs[O] = {(float)t, (float)-t}, next[O] = {(float)(t + 1), (float)(-t - 1)};
    float action[W] = {10.0f * (float)t};
    return window_step(w, rows, obs, action, t + 1, next, terminated, truncated, (uint32_t)t);
}

static void row_is(size_t i, int t, double reward, double discount, int next, uint32_t flags)
{
    struct row_shape s = row_shape_make(O, W);
    const float     *row = rows + i * s.words;
    uint32_t         got[2];
    memcpy(got, row + s.flags, sizeof got);
    assert_true(row[0] == (float)t && row[1] == (float)-t && row[O] == 10.0f * (float)t);
    assert_float_equal(row[s.reward], reward, 1e-6);
    assert_float_equal(row[s.discount], discount, 1e-6);
    assert_true(row[s.next_obs] == (float)next && row[s.next_obs + 1] == (float)-next);
    assert_int_equal(got[0], flags);
    assert_int_equal(got[1], t);
}

static void one_step_rows_are_the_steps(void **state)
{
    (void)state;
    struct window w = {0};
    assert_int_equal(window_init(&w, row_shape_make(O, W), 1, GAMMA, NULL), 0);
    assert_int_equal(step(&w, 0, false, false), 1);
    row_is(0, 0, 1, GAMMA, 1, 0);
    assert_int_equal(step(&w, 1, false, true), 1);
    row_is(0, 1, 2, GAMMA, 2, ROW_TRUNCATED);
    assert_int_equal(step(&w, 2, true, false), 1);
    row_is(0, 2, 3, 0, 3, ROW_TERMINATED);
    assert_int_equal(step(&w, 3, true, true), 1);
    row_is(0, 3, 4, 0, 4, ROW_TERMINATED | ROW_TRUNCATED);
    window_free(&w);
}

static void three_step_rows_come_late_and_the_end_gives_the_rest(void **state)
{
    (void)state;
    struct window w = {0};
    assert_int_equal(window_init(&w, row_shape_make(O, W), 3, GAMMA, NULL), 0);
    assert_int_equal(step(&w, 0, false, false), 0);
    assert_int_equal(step(&w, 1, false, false), 0);
    assert_int_equal(step(&w, 2, false, false), 1);
    row_is(0, 0, 1 + 0.9 * 2 + 0.81 * 3, 0.729, 3, 0);
    assert_int_equal(step(&w, 3, false, true), 3);
    row_is(0, 1, 2 + 0.9 * 3 + 0.81 * 4, 0.729, 4, ROW_TRUNCATED);
    row_is(1, 2, 3 + 0.9 * 4, 0.81, 4, ROW_TRUNCATED);
    row_is(2, 3, 4, 0.9, 4, ROW_TRUNCATED);
    // the next episode starts empty
    assert_int_equal(step(&w, 5, true, false), 1);
    row_is(0, 5, 6, 0, 6, ROW_TERMINATED);
    window_free(&w);
}

static void reset_forgets_open_steps(void **state)
{
    (void)state;
    struct window w = {0};
    assert_int_equal(window_init(&w, row_shape_make(O, W), 3, GAMMA, NULL), 0);
    step(&w, 0, false, false);
    step(&w, 1, false, false);
    window_reset(&w);
    assert_int_equal(step(&w, 4, true, false), 1);
    row_is(0, 4, 5, 0, 5, ROW_TERMINATED);
    window_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_step_rows_are_the_steps),
        cmocka_unit_test(three_step_rows_come_late_and_the_end_gives_the_rest),
        cmocka_unit_test(reset_forgets_open_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
