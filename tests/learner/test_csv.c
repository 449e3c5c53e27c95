// Rows are whole, and a file goes on where it was.
#include "learner/csv.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[64];

static int make_path(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/crossfleet-csv-XXXXXX");
    close(mkstemp(path));
    return unlink(path);
}

static int remove_path(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void assert_content(const char *wanted)
{
    char  text[512] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, wanted);
}

static void put(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void rows_are_whole_lines_with_empty_cells_for_nan(void **state)
{
    (void)state;
    struct csv c;
    assert_int_equal(csv_open(&c, path, "steps,loss\n", 0, INFINITY, NULL, NULL, NULL), 0);
    csv_count(&c, 18446744073709551615u);
    csv_number(&c, NAN);
    assert_content("steps,loss\n");
    assert_int_equal(csv_end(&c, NULL), 0);
    csv_count(&c, 2);
    csv_number(&c, -0.125);
    assert_int_equal(csv_end(&c, NULL), 0);
    assert_content("steps,loss\n18446744073709551615,\n2,-0.125\n");
}

static void sum_rows(void *context, const double *values, size_t n)
{
    assert_int_equal(n, 2);
    *(double *)context += values[1];
}

static void a_resumed_file_loses_rows_beyond_the_limit_and_torn_ones(void **state)
{
    (void)state;
    struct csv c;
    double     sum = 0;
    put("#comment\na,b\n10,1\n20,2\n30,4\n40,8\n5");
    assert_int_equal(csv_open(&c, path, "#other\na,b\n", 0, 30, sum_rows, &sum, NULL), 0);
    assert_content("#comment\na,b\n10,1\n20,2\n30,4\n");
    assert_true(sum == 7);
    put("a,b\n10,1\n20,2\n3");
    assert_int_equal(csv_open(&c, path, "a,b\n", 0, INFINITY, NULL, NULL, NULL), 0);
    assert_content("a,b\n10,1\n20,2\n");
    put("a,");
    assert_int_equal(csv_open(&c, path, "a,b\n", 0, INFINITY, NULL, NULL, NULL), 0);
    assert_content("a,b\n");
}

static void a_file_with_other_columns_is_refused_and_left_alone(void **state)
{
    (void)state;
    struct csv   c;
    struct error err = {.code = 0};
    put("x,y\n1,2\n");
    assert_int_equal(csv_open(&c, path, "a,b\n", 0, INFINITY, NULL, NULL, &err), ERR_FORMAT);
    assert_non_null(strstr(err.text, path));
    assert_content("x,y\n1,2\n");
}

static void a_row_that_cannot_be_written_is_an_error(void **state)
{
    (void)state;
    struct csv   c = {.path = "/dev/full"};
    struct error err = {.code = 0};
    csv_count(&c, 1);
    assert_int_equal(csv_end(&c, &err), ERR_SYSTEM);
    assert_non_null(strstr(err.text, "/dev/full"));
    assert_int_equal(c.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_are_whole_lines_with_empty_cells_for_nan, make_path,
                                        remove_path),
        cmocka_unit_test_setup_teardown(a_resumed_file_loses_rows_beyond_the_limit_and_torn_ones,
                                        make_path, remove_path),
        cmocka_unit_test_setup_teardown(a_file_with_other_columns_is_refused_and_left_alone,
                                        make_path, remove_path),
        cmocka_unit_test(a_row_that_cannot_be_written_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
