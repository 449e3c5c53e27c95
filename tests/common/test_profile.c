#include "common/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void add(struct profile_lane *lane, const char *name, double start, double end)
{
    profile_add(lane, name, start);
    lane->spans[lane->n - 1].end = end;
}

static void without_a_lane_nothing_happens(void **state)
{
    (void)state;
    assert_true(profile_start(NULL) == 0);
    profile_add(NULL, "work", 0);
}

// 10 ms on two threads: one works 8 ms, 3 of them inside on something else, the other waits 4
static void fill(struct profile *p)
{
    struct error err;
    assert_int_equal(profile_init(p, 2, 8, &err), 0);
    add(&p->lane[0], "inner", 1.002, 1.005);
    add(&p->lane[0], "outer", 1.000, 1.008);
    add(&p->lane[1], "other", 1.004, 1.010);
}

static void inner_time_is_counted_once(void **state)
{
    (void)state;
    struct profile p;
    char          *text;
    size_t         size;
    FILE          *out = open_memstream(&text, &size);
    fill(&p);
    profile_table(&p, out, 1);
    fclose(out);
    assert_non_null(strstr(text, "inner                              1.00       3.0000   15.00%"));
    assert_non_null(strstr(text, "outer                              1.00       5.0000   25.00%"));
    assert_non_null(strstr(text, "other                              1.00       6.0000   30.00%"));
    assert_non_null(strstr(text, "(waiting)                          0.00       6.0000   30.00%"));
    free(text);
    profile_free(&p);
}

static void spans_beyond_room_are_counted_not_kept(void **state)
{
    (void)state;
    struct profile p;
    struct error   err;
    assert_int_equal(profile_init(&p, 1, 3, &err), 0);
    for (int i = 0; i < 5; i++)
        profile_add(&p.lane[0], "work", 1);
    assert_int_equal(p.lane[0].n, 3);
    assert_int_equal(p.lane[0].lost, 2);
    profile_reset(&p);
    assert_int_equal(p.lane[0].n + p.lane[0].lost, 0);
    profile_free(&p);
}

static void trace_is_a_list_of_complete_events(void **state)
{
    (void)state;
    struct profile p;
    struct error   err = {0};
    char           path[] = "/tmp/test_profile_XXXXXX", text[1024] = {0};
    int            fd = mkstemp(path);
    assert_true(fd >= 0);
    fill(&p);
    assert_int_equal(profile_trace(&p, path, &err), 0);
    assert_true(read(fd, text, sizeof text - 1) > 0);
    assert_non_null(strstr(text, "{\"traceEvents\":["));
    assert_non_null(strstr(text,
                           "{\"name\":\"other\",\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":4000.000,"
                           "\"dur\":6000.000}\n]}"));
    close(fd);
    unlink(path);
    assert_int_equal(profile_trace(&p, "/no/such/folder/trace.json", &err), ERR_SYSTEM);
    profile_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_lane_nothing_happens),
        cmocka_unit_test(inner_time_is_counted_once),
        cmocka_unit_test(spans_beyond_room_are_counted_not_kept),
        cmocka_unit_test(trace_is_a_list_of_complete_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
