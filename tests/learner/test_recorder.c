// A run's files, as other programs read them, through a stop and a resume.
#define _XOPEN_SOURCE 700  // nftw
#include "learner/recorder.h"
#include "tests/learner/status_sample.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char                path[64];
    struct run_dir      dir;
    struct status_store store;
    struct status       status, read;
};

static int fixture_make(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    snprintf(f->path, sizeof f->path, "/tmp/crossfleet-recorder-XXXXXX");
    *state = f;
    return mkdtemp(f->path) == NULL || status_store_init(&f->store) != 0;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info, (void)type, (void)walk;
    return remove(path);
}

static int fixture_remove(void **state)
{
    struct fixture *f = *state;
    run_dir_close(&f->dir);
    status_store_free(&f->store);
    nftw(f->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

static struct recorder *open_run(struct fixture *f, bool resume, uint64_t steps, double elapsed_s)
{
    struct error err = {.code = 0};
    if (run_dir_open(&f->dir, f->path, "sample", 1, resume, "name: sample\n", &err) != 0)
        fail_msg("%s", err.text);
    struct recorder_options options = {.dir = &f->dir,
                                       .env = "HalfCheetah-v5",
                                       .spec_text = "name: sample\n",
                                       .quiet = true,
                                       .store = &f->store,
                                       .resume_steps = steps,
                                       .resume_elapsed_s = elapsed_s};
    struct recorder        *r = recorder_open(&options, &err);
    if (r == NULL)
        fail_msg("%s", err.text);
    return r;
}

static void run_to(struct fixture *f, struct recorder *r, uint64_t from, uint64_t to)
{
    for (uint64_t steps = from; steps < to; steps += 1000) {
        double         value = status_sample_return(steps);
        const double   returns[] = {value - 1, value + 3};
        const uint64_t lengths[] = {1000, 500};
        recorder_episode(r, (uint32_t)(steps / 1000 % 2), value, 1000);
        if (steps % 5000 == 0)
            recorder_evaluation(r, steps, steps / 50, returns, lengths, 2);
        status_sample(&f->status, steps);
        recorder_interval(r, &f->status);
    }
}

// lines of <run>/<file>; last (may be NULL) gets the last one
static size_t count_lines(struct fixture *f, const char *file, char *last, size_t size)
{
    char   path[128], line[4096];
    size_t n = 0;
    snprintf(path, sizeof path, "%s/%s", f->path, file);
    FILE *stream = fopen(path, "r");
    if (stream == NULL)
        return 0;
    for (; fgets(line, sizeof line, stream) != NULL; n++)
        if (last != NULL)
            snprintf(last, size, "%.*s", (int)strcspn(line, "\n"), line);
    fclose(stream);
    return n;
}

static void a_run_leaves_rows_for_intervals_evaluations_and_episodes(void **state)
{
    struct fixture  *f = *state;
    struct recorder *r = open_run(f, false, UINT64_MAX, INFINITY);
    char             last[4096];
    run_to(f, r, 1000, 12000);
    recorder_close(r, &f->status);
    assert_int_equal(count_lines(f, "progress.csv", last, sizeof last), 1 + 11);
    assert_int_equal(strncmp(last, "11000,", 6), 0);
    assert_int_equal(count_lines(f, "evaluations.csv", last, sizeof last), 1 + 2);
    double steps, wall, version, episodes, mean, std, low, high, length;
    assert_int_equal(sscanf(last, "%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf", &steps, &wall, &version,
                            &episodes, &mean, &std, &low, &high, &length),
                     9);
    assert_true(steps == 10000 && version == 200 && episodes == 2 && length == 750);
    assert_true(fabs(mean - status_sample_return(10000) - 1) < 1e-5);
    assert_true(fabs(std - 2) < 1e-5 && fabs(high - low - 4) < 1e-5);
}

// what load_results of stable_baselines3.common.monitor does with each file
static double sb3_load(struct fixture *f, const char *file, size_t *n)
{
    char   path[128], line[256], env[64];
    double t_start = 0, r, t, previous = 0, sum = 0;
    int    l;
    snprintf(path, sizeof path, "%s/%s", f->path, file);
    FILE *stream = fopen(path, "r");
    assert_non_null(stream);
    assert_non_null(fgets(line, sizeof line, stream));
    assert_int_equal(line[0], '#');
    assert_int_equal(
        sscanf(line + 1, "{\"t_start\": %lf, \"env_id\": \"%63[^\"]\"}", &t_start, env), 2);
    assert_string_equal(env, "HalfCheetah-v5");
    assert_true(t_start > 1.7e9);
    assert_non_null(fgets(line, sizeof line, stream));
    assert_string_equal(line, "r,l,t\n");
    for (*n = 0; fgets(line, sizeof line, stream) != NULL; ++*n) {
        assert_int_equal(sscanf(line, "%lf,%d,%lf", &r, &l, &t), 3);
        assert_int_equal(l, 1000);
        assert_true(t >= previous);
        previous = t;
        sum += r;
    }
    fclose(stream);
    return sum;
}

static void monitor_files_read_as_sb3_reads_them(void **state)
{
    struct fixture  *f = *state;
    struct recorder *r = open_run(f, false, UINT64_MAX, INFINITY);
    size_t           n[2];
    double           wanted = 0;
    run_to(f, r, 1000, 12000);
    recorder_close(r, &f->status);
    double sum = sb3_load(f, "actor-0.monitor.csv", &n[0]);
    sum += sb3_load(f, "actor-1.monitor.csv", &n[1]);
    assert_int_equal(n[0], 5);
    assert_int_equal(n[1], 6);
    for (uint64_t steps = 1000; steps < 12000; steps += 1000)
        wanted += status_sample_return(steps);
    assert_true(fabs(sum - wanted) < 1e-4);
}

static void a_resume_cuts_what_was_rolled_back_and_remembers_the_rest(void **state)
{
    struct fixture  *f = *state;
    struct recorder *r = open_run(f, false, UINT64_MAX, INFINITY);
    char             last[4096];
    run_to(f, r, 1000, 12000);
    recorder_close(r, &f->status);
    run_dir_close(&f->dir);

    r = open_run(f, true, 7000, 0);
    assert_int_equal(count_lines(f, "progress.csv", last, sizeof last), 1 + 7);
    assert_int_equal(count_lines(f, "evaluations.csv", NULL, 0), 1 + 1);
    assert_int_equal(count_lines(f, "actor-0.monitor.csv", NULL, 0), 2);
    run_to(f, r, 8000, 9000);
    status_store_get(&f->store, &f->read);
    assert_int_equal(f->read.evaluations, 1);
    assert_int_equal(f->read.eval_best_steps, 5000);
    assert_int_equal(f->read.train.points[0].steps, 1000);
    recorder_close(r, &f->status);
    assert_int_equal(count_lines(f, "progress.csv", last, sizeof last), 1 + 8);
    assert_int_equal(strncmp(last, "8000,", 5), 0);
}

static void a_resume_goes_on_after_the_last_row_and_writes_none_twice(void **state)
{
    struct fixture  *f = *state;
    struct recorder *r = open_run(f, false, UINT64_MAX, INFINITY);
    char             last[4096];
    run_to(f, r, 1000, 6000);
    recorder_close(r, &f->status);
    run_dir_close(&f->dir);
    // nothing was rolled back: the replay memory has every row
    r = open_run(f, true, UINT64_MAX, INFINITY);
    const struct recorder_past past = recorder_past(r);
    assert_int_equal(past.row_steps, 5000);
    assert_int_equal(past.evaluations, 1);
    assert_int_equal(past.eval_steps, 5000);
    assert_true(fabs(past.eval_mean - status_sample_return(5000) - 1) < 1e-5);
    assert_false(recorder_would_be_best(r, past.eval_mean));
    recorder_interval(r, &f->status);
    assert_int_equal(count_lines(f, "progress.csv", last, sizeof last), 1 + 5);
    recorder_close(r, &f->status);
    run_dir_close(&f->dir);
    // without any checkpoint the run begins anew, and so do its files
    r = open_run(f, true, 0, 0);
    assert_int_equal(count_lines(f, "progress.csv", NULL, 0), 1);
    assert_int_equal(count_lines(f, "evaluations.csv", NULL, 0), 1);
    assert_int_equal(recorder_past(r).evaluations, 0);
    recorder_close(r, &f->status);
}

static void the_best_evaluation_is_told_and_kept(void **state)
{
    struct fixture  *f = *state;
    struct recorder *r = open_run(f, false, UINT64_MAX, INFINITY);
    const double     returns[][2] = {{1, 3}, {0, 2}, {5, 5}};
    const uint64_t   lengths[] = {10, 10};
    const double     mean[] = {2, 1, 5};
    const bool       best[] = {true, false, true};
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(recorder_would_be_best(r, mean[i]), best[i]);
        recorder_evaluation(r, 100 * (i + 1), i + 1, returns[i], lengths, 2);
    }
    status_store_get(&f->store, &f->read);
    assert_true(f->read.eval_best == 5 && f->read.eval_best_version == 3);
    assert_int_equal(f->read.evaluations, 3);
    status_sample(&f->status, 400);
    recorder_close(r, &f->status);
}

static void a_directory_that_is_not_ours_is_refused(void **state)
{
    struct fixture *f = *state;
    struct error    err = {.code = 0};
    struct run_dir  second;
    char            path[128];
    snprintf(path, sizeof path, "%s/letters", f->path);
    FILE *file = fopen(path, "w");
    fclose(file);
    assert_int_equal(run_dir_open(&f->dir, f->path, "x", 1, true, "a: 1\n", &err), ERR_SPEC);
    assert_non_null(strstr(err.text, "holds no run"));
    unlink(path);
    assert_int_equal(run_dir_open(&f->dir, f->path, "x", 1, true, "a: 1\n", &err), 0);
    assert_false(f->dir.resumed);
    assert_int_equal(run_dir_open(&second, f->path, "x", 1, true, "a: 1\n", &err), ERR_SPEC);
    assert_non_null(strstr(err.text, "another learner"));
    run_dir_close(&f->dir);
    assert_int_equal(run_dir_open(&second, f->path, "x", 1, false, "a: 1\n", &err), ERR_SPEC);
    assert_non_null(strstr(err.text, "--resume"));
    assert_int_equal(run_dir_open(&f->dir, f->path, "x", 1, true, "a: 2\n", &err), 0);
    assert_true(f->dir.resumed);
    assert_int_equal(count_lines(f, "spec.yaml", path, sizeof path), 1);
    assert_string_equal(path, "a: 2");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_remove)
    const struct CMUnitTest tests[] = {
        TEST(a_run_leaves_rows_for_intervals_evaluations_and_episodes),
        TEST(monitor_files_read_as_sb3_reads_them),
        TEST(a_resume_cuts_what_was_rolled_back_and_remembers_the_rest),
        TEST(a_resume_goes_on_after_the_last_row_and_writes_none_twice),
        TEST(the_best_evaluation_is_told_and_kept),
        TEST(a_directory_that_is_not_ours_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
