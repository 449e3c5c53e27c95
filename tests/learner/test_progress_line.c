// The words and the line that a person reads.
#include "learner/progress_line.h"
#include "tests/learner/status_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct status status;

static void a_narrow_window_gets_whole_parts_only(void **state)
{
    (void)state;
    char text[512];
    status_sample(&status, 150000);
    status.return_mean = 7375.6;
    status.eta_s = 400;
    for (int width = 20; width < 200; width++) {
        progress_format(text, sizeof text, &status, width);
        assert_true(strlen(text) < (size_t)width);
        assert_null(strchr(text, '\n'));
    }
    progress_format(text, sizeof text, &status, 80);
    assert_non_null(strstr(text, "[=======>  ]  75% 150,000  eta 7 min  return 7376"));
    progress_format(text, sizeof text, &status, 200);
    assert_non_null(strstr(text, "ratio -"));
}

static void the_sentence_says_who_waits_for_whom(void **state)
{
    (void)state;
    char text[256];
    status_sample(&status, 500);
    status_sentence(text, sizeof text, &status);
    assert_string_equal(text,
                        "Warm-up: the learner waits for the first 1,000 steps, 500 are there.");
    status_sample(&status, 5000);
    status.wait_share[STATUS_WAIT_SAMPLES] = 0.68;
    status.wait_share[STATUS_WAIT_INSERTS] = 0.12;
    status_sentence(text, sizeof text, &status);
    assert_non_null(strstr(text, "actors wait for the learner about 70%"));
    status.wait_share[STATUS_WAIT_INSERTS] = 0.9;
    status_bottleneck(text, sizeof text, &status);
    assert_string_equal(text, "learner waits for actors 90%");
    for (size_t i = 0; i < status.n_actors; i++)
        status.actors[i].state = STATUS_ACTOR_GONE;
    status_sentence(text, sizeof text, &status);
    assert_non_null(strstr(text, "No actor is connected"));
    assert_non_null(strstr(text, "tcp://127.0.0.1:5555"));
}

static void counts_and_durations_read_well(void **state)
{
    (void)state;
    char text[32];
    status_format_count(text, sizeof text, 0);
    assert_string_equal(text, "0");
    status_format_count(text, sizeof text, 1234567);
    assert_string_equal(text, "1,234,567");
    status_format_count(text, sizeof text, 123456);
    assert_string_equal(text, "123,456");
    status_format_duration(text, sizeof text, 45.2);
    assert_string_equal(text, "45 s");
    status_format_duration(text, sizeof text, 11520);
    assert_string_equal(text, "3 h 12 min");
    status_format_duration(text, sizeof text, NAN);
    assert_string_equal(text, "-");
}

static void a_long_curve_is_thinned_evenly(void **state)
{
    (void)state;
    static struct status_curve c;
    for (uint64_t i = 0; i < 10000; i++)
        status_curve_add(&c, i, (double)i, (double)i);
    assert_true(c.n > STATUS_CURVE / 2 && c.n <= STATUS_CURVE);
    for (size_t i = 0; i < c.n; i++)
        assert_int_equal(c.points[i].steps, i * c.stride);
    assert_true(c.points[c.n - 1].steps + c.stride >= 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_narrow_window_gets_whole_parts_only),
        cmocka_unit_test(the_sentence_says_who_waits_for_whom),
        cmocka_unit_test(counts_and_durations_read_well),
        cmocka_unit_test(a_long_curve_is_thinned_evenly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
