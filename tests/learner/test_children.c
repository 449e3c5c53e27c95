// Local actors as processes: started, restarted, given up, stopped.
#include "common/clock.h"
#include "common/log.h"
#include "learner/children.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char script[] = "/tmp/test_children_XXXXXX";

// a stand-in for crossfleet-actor that does what body says
static void script_write(const char *body)
{
    FILE *f = fopen(script, "w");
    assert_non_null(f);
    fprintf(f, "#!/bin/sh\n%s\n", body);
    fclose(f);
    assert_int_equal(chmod(script, 0755), 0);
}

// Watches until the children are as wanted; the limit only ends a test that fails.
static void watch_until(struct children *c, bool (*wanted)(const struct children *))
{
    double until = clock_now() + 60;
    for (; !wanted(c) && clock_now() < until; clock_sleep(0.01))
        assert_int_equal(children_watch(c, NULL), 0);
    assert_true(wanted(c));
}

static bool second_is_back(const struct children *c)
{
    return c->child[1].restarts == 1 && c->child[1].pid > 0;
}

static bool first_is_done(const struct children *c)
{
    return c->child[0].done;
}

static void killed_actor_is_started_again(void **state)
{
    (void)state;
    struct children c = {0};
    script_write("exec sleep 60");
    assert_int_equal(children_start(&c, script, 2, true, "ipc://x", NULL, false, NULL), 0);
    assert_int_equal(c.n, 3);
    assert_true(c.child[2].evaluator);
    pid_t first = c.child[1].pid;
    kill(first, SIGKILL);
    watch_until(&c, second_is_back);
    assert_true(c.child[1].pid != first);
    assert_int_equal(c.child[1].restarts, 1);
    assert_int_equal(c.child[0].restarts, 0);
    pid_t again = c.child[1].pid;
    children_stop(&c, 5.0);
    assert_int_equal(kill(again, 0), -1);
}

static void actor_that_leaves_by_itself_is_not_started_again(void **state)
{
    (void)state;
    struct children c = {0};
    script_write("exit 0");
    assert_int_equal(children_start(&c, script, 1, false, "ipc://x", NULL, false, NULL), 0);
    watch_until(&c, first_is_done);
    assert_int_equal(c.child[0].restarts, 0);
    children_stop(&c, 1.0);
}

static void actor_that_never_comes_up_is_an_error(void **state)
{
    (void)state;
    struct children c = {0};
    struct error    err = {0};
    script_write("exit 3");
    assert_int_equal(children_start(&c, script, 1, false, "ipc://x", NULL, false, &err), 0);
    int rc = 0;
    for (double until = clock_now() + 30; rc == 0 && clock_now() < until; clock_sleep(0.01)) {
        rc = children_watch(&c, &err);
        c.child[0].retry_at = 0;  // the test does not wait for the pauses
    }
    assert_int_equal(rc, ERR_SYSTEM);
    assert_non_null(strstr(err.text, "local-0 left with exit code 3, 5 times in a row"));
    children_stop(&c, 1.0);
}

static void actor_that_cannot_make_its_task_is_not_started_again(void **state)
{
    (void)state;
    struct children c = {0};
    struct error    err = {0};
    script_write("exit 2");
    assert_int_equal(children_start(&c, script, 1, false, "ipc://x", NULL, false, &err), 0);
    int rc = 0;
    for (double until = clock_now() + 30; rc == 0 && clock_now() < until; clock_sleep(0.01))
        rc = children_watch(&c, &err);
    assert_int_equal(rc, ERR_SPEC);
    assert_int_equal(c.child[0].restarts, 0);
    children_stop(&c, 1.0);
}

static void actor_that_does_not_listen_is_killed_after_its_grace(void **state)
{
    (void)state;
    struct children c = {0};
    script_write("trap '' TERM; while :; do sleep 0.05; done");
    assert_int_equal(children_start(&c, script, 1, false, "ipc://x", NULL, false, NULL), 0);
    clock_sleep(0.3);
    pid_t pid = c.child[0].pid;
    children_stop(&c, 0.2);
    assert_int_equal(kill(pid, 0), -1);
}

static void actors_die_with_a_killed_learner(void **state)
{
    (void)state;
    int pipes[2];
    script_write("exec sleep 60");
    assert_int_equal(pipe(pipes), 0);
    pid_t learner = fork();
    if (learner == 0) {
        struct children c = {0};
        children_start(&c, script, 1, false, "ipc://x", NULL, false, NULL);
        ssize_t n = write(pipes[1], &c.child[0].pid, sizeof(pid_t));
        (void)n;
        pause();
    }
    pid_t actor = 0;
    assert_int_equal(read(pipes[0], &actor, sizeof actor), sizeof actor);
    clock_sleep(0.2);
    kill(learner, SIGKILL);
    waitpid(learner, NULL, 0);
    // an orphan may stay as a zombie of whoever adopts it: ask whether it still runs
    char path[64], line[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)actor);
    bool runs = true;
    for (double until = clock_now() + 5; runs && clock_now() < until; clock_sleep(0.01)) {
        FILE *f = fopen(path, "r");
        runs = f != NULL && fgets(line, sizeof line, f) != NULL && strstr(line, ") Z ") == NULL;
        if (f != NULL)
            fclose(f);
    }
    assert_false(runs);
    close(pipes[0]);
    close(pipes[1]);
}

int main(void)
{
    int fd = mkstemp(script);
    if (fd < 0)
        return 1;
    close(fd);
    log_open("test", LOG_ERROR, false);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_actor_is_started_again),
        cmocka_unit_test(actor_that_leaves_by_itself_is_not_started_again),
        cmocka_unit_test(actor_that_never_comes_up_is_an_error),
        cmocka_unit_test(actor_that_cannot_make_its_task_is_not_started_again),
        cmocka_unit_test(actor_that_does_not_listen_is_killed_after_its_grace),
        cmocka_unit_test(actors_die_with_a_killed_learner),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(script);
    return failed;
}
