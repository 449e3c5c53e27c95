// doctor says something about everything and does not fail a machine that runs these tests.
#include "learner/doctor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void every_check_has_its_line(void **state)
{
    (void)state;
    char                     text[16384] = "";
    FILE                    *out = fmemopen(text, sizeof text, "w");
    static const char *const wanted[] = {"version", "processor",  "advice", "products",   "memory",
                                         "disk",    "open files", "clock",  "huge pages", "port",
                                         "CURVE",   "actor",      "report", "video"};
    assert_non_null(out);
    int failed = doctor_run(out);
    fclose(out);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        char line[64];
        snprintf(line, sizeof line, "  %-12s ", wanted[i]);
        if (strstr(text, line) == NULL)
            fail_msg("no line about %s in\n%s", wanted[i], text);
    }
    assert_int_equal(failed, strstr(text, "\nFAIL") != NULL);
    // whoever is told that something could be better is told what to do
    for (const char *p = text; (p = strstr(p, "\nnote ")) != NULL;) {
        const char *end = strchr(++p, '\n'), *arrow = strstr(p, "-> ");
        if (arrow == NULL || arrow > end)
            fail_msg("no next step: %.*s", (int)(end - p), p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_check_has_its_line)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
