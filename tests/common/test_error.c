// Errors and log gates.
#include "common/error.h"
#include "common/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void set_returns_its_code_and_keeps_the_text(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(error_set(&err, ERR_FORMAT, "byte %d", 7), ERR_FORMAT);
    assert_int_equal(err.code, ERR_FORMAT);
    assert_string_equal(err.text, "byte 7");
    assert_int_equal(error_set(NULL, ERR_SYSTEM, "nobody listens"), ERR_SYSTEM);
}

static void prefix_stands_before_the_text_and_long_texts_are_cut(void **state)
{
    (void)state;
    struct error err = {0};
    error_set(&err, ERR_SPEC, "bad");
    assert_int_equal(error_prefix(&err, "file %d", 1), ERR_SPEC);
    assert_string_equal(err.text, "file 1: bad");
    char text[2 * ERROR_TEXT];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    error_set(&err, ERR_SPEC, "%s", text);
    error_prefix(&err, "long");
    assert_int_equal(strlen(err.text), ERROR_TEXT - 1);
    assert_memory_equal(err.text, "long: xxx", 9);
}

static void limit_passes_one_line_a_second_and_counts_the_rest(void **state)
{
    (void)state;
    struct log_limit   limit = {0};
    unsigned long long held = 99;
    assert_true(log_limit_pass(&limit, &held));
    assert_int_equal(held, 0);
    assert_false(log_limit_pass(&limit, &held));
    assert_false(log_limit_pass(&limit, &held));
    limit.next = 0;  // as if a second had passed
    assert_true(log_limit_pass(&limit, &held));
    assert_int_equal(held, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_returns_its_code_and_keeps_the_text),
        cmocka_unit_test(prefix_stands_before_the_text_and_long_texts_are_cut),
        cmocka_unit_test(limit_passes_one_line_a_second_and_counts_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
