// `status URL` against a learner's own HTTP port and against what is no learner.
#include "learner/status_client.h"

#include "learner/http.h"
#include "tests/learner/status_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ANSWER = 1 << 20 };

struct fixture {
    struct status_store store;
    struct status       status;
    struct http        *http;
    char                json[ANSWER], screen[8192];
};

static int fixture_make(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    status_store_init(&f->store);
    status_sample(&f->status, 150000);
    f->status.eval_best = 8123.456;
    f->status.actors[1].name[0] = '\033';
    status_store_put(&f->store, &f->status);
    f->http = http_start(&f->store, "127.0.0.1:0", NULL);
    return f->http == NULL;
}

static int fixture_remove(void **state)
{
    struct fixture *f = *state;
    http_stop(f->http);
    status_store_free(&f->store);
    free(f);
    return 0;
}

static void the_screen_shows_progress_numbers_and_actors(void **state)
{
    struct fixture *f = *state;
    struct error    err = {.code = 0};
    if (status_client_fetch(http_url(f->http), f->json, sizeof f->json, &err) != 0)
        fail_msg("%s", err.text);
    FILE *out = fmemopen(f->screen, sizeof f->screen, "w");
    status_client_screen(out, f->json);
    fclose(out);
    static const char *const wanted[] = {
        "crossq_halfcheetah on HalfCheetah-v5: training\n",
        "[==============================          ] 75%  150,000 of 200,000 steps",
        "best evaluation             8123.46",
        "last evaluation                   -",
        "transitions lost                  0\n",
        "   2  actor-2              node-2               silent        37,500",
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (strstr(f->screen, wanted[i]) == NULL)
            fail_msg("missing: %s\nin\n%s", wanted[i], f->screen);
    assert_null(strchr(f->screen, '\033'));
}

static void an_address_without_scheme_or_with_a_path_is_understood(void **state)
{
    struct fixture *f = *state;
    char            address[64];
    snprintf(address, sizeof address, "%s", http_url(f->http) + strlen("http://"));
    assert_int_equal(status_client_fetch(address, f->json, sizeof f->json, NULL), 0);
    address[strcspn(address, "/")] = '\0';
    assert_int_equal(status_client_fetch(address, f->json, sizeof f->json, NULL), 0);
}

static void what_is_no_learner_is_an_error_with_the_next_step(void **state)
{
    struct fixture *f = *state;
    struct error    err = {.code = 0};
    assert_int_equal(status_client_fetch("https://x/", f->json, sizeof f->json, &err), ERR_SPEC);
    assert_int_equal(status_client_fetch("", f->json, sizeof f->json, &err), ERR_SPEC);
    char gone[64];
    snprintf(gone, sizeof gone, "%s", http_url(f->http));
    http_stop(f->http);
    f->http = NULL;
    assert_int_equal(status_client_fetch(gone, f->json, sizeof f->json, &err), ERR_SYSTEM);
    assert_non_null(strstr(err.text, "is the learner running"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_remove)
    const struct CMUnitTest tests[] = {
        TEST(the_screen_shows_progress_numbers_and_actors),
        TEST(an_address_without_scheme_or_with_a_path_is_understood),
        TEST(what_is_no_learner_is_an_error_with_the_next_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
