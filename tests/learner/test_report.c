// report draws what recorder wrote. Skipped without gnuplot.
#define _XOPEN_SOURCE 700  // nftw
#include "learner/report.h"

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

enum { RUNS = 4 };

static const char spec_text[] =
    "it_is_a_test:\n"
    "  agent:\n"
    "    algorithm: {name: CrossQ}\n"
    "    memory: {name: Replay, batch_size: 32, max_size: 1000}\n"
    "    net: {type: MLPNet, hid_layers: [8], hid_layers_activation: relu}\n"
    "    critic_net: {type: MLPNet, hid_layers: [8], hid_layers_activation: relu}\n"
    "  env: {name: HalfCheetah-v5, max_frame: 20000}\n";

static char        folder[64], paths[RUNS][96], output[128];
static const char *runs[RUNS];

static struct status_store store;
static struct status       status;

static void make_run(const char *path, uint64_t seed, uint64_t end)
{
    struct error   err = {.code = 0};
    struct run_dir dir;
    if (run_dir_open(&dir, path, "x", seed, false, spec_text, &err) != 0)
        fail_msg("%s", err.text);
    struct recorder_options options = {.dir = &dir,
                                       .env = "HalfCheetah-v5",
                                       .spec_text = spec_text,
                                       .quiet = true,
                                       .store = &store,
                                       .resume_steps = UINT64_MAX,
                                       .resume_elapsed_s = INFINITY};
    struct recorder        *r = recorder_open(&options, &err);
    assert_non_null(r);
    status_sample(&status, 0);
    for (uint64_t steps = 1000; steps <= end; steps += 1000) {
        double   returns[] = {status_sample_return(steps) + 100 * (double)seed};
        uint64_t lengths[] = {1000};
        recorder_episode(r, 0, returns[0] - 300, 1000);
        if (steps % 2000 == 0)
            recorder_evaluation(r, steps, steps, returns, lengths, 1);
        status_sample(&status, steps);
        recorder_interval(r, &status);
    }
    recorder_close(r, &status);
    run_dir_close(&dir);
}

static int make_runs(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/crossfleet-report-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    status_store_init(&store);
    for (size_t i = 0; i < RUNS; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/run '%zu'", folder, i);
        runs[i] = paths[i];
        // the last one has stopped before anything came
        make_run(paths[i], i, i + 1 < RUNS ? 20000 : 0);
    }
    return 0;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info, (void)type, (void)walk;
    return remove(path);
}

static int remove_runs(void **state)
{
    (void)state;
    status_store_free(&store);
    return nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

// the report of runs as text; fails unless it is made
static char *draw(const char *const *which, size_t n, const char *ending)
{
    static char  text[1 << 20];
    struct error err = {.code = 0};
    if (system("command -v gnuplot >/dev/null 2>&1") != 0) {
        print_message("no gnuplot here\n");
        skip();
    }
    snprintf(output, sizeof output, "%s/it's a report%s", folder, ending);
    if (report_write(which, n, output, &err) != 0)
        fail_msg("%s", err.text);
    FILE *file = fopen(output, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    unlink(output);
    return text;
}

static void seeds_become_one_curve_in_an_svg(void **state)
{
    (void)state;
    const char *svg = draw(runs, 3, ".svg");
    assert_non_null(strstr(svg, "<svg"));
    assert_non_null(strstr(svg, "</svg>"));
    assert_non_null(strstr(svg, "Evaluation return against steps"));
    assert_non_null(strstr(svg, "it_is_a_test HalfCheetah-v5, IQM of 3"));
    assert_non_null(strstr(svg, "Achieved updates per step"));
}

static void a_run_without_any_data_gives_empty_panels(void **state)
{
    (void)state;
    const char *svg = draw(runs + 3, 1, ".svg");
    assert_non_null(strstr(svg, "</svg>"));
    assert_null(strstr(svg, "IQM"));
}

static void png_and_html_are_what_their_names_say(void **state)
{
    (void)state;
    assert_memory_equal(draw(runs, RUNS, ".png"), "\x89PNG", 4);
    const char *page = draw(runs, RUNS, ".html");
    assert_int_equal(strncmp(page, "<!doctype html>", 15), 0);
    assert_non_null(strstr(page, "<td>HalfCheetah-v5</td>"));
    assert_non_null(strstr(page, "</svg>"));
    assert_null(strstr(page, "src="));
}

static void wrong_names_say_what_is_allowed(void **state)
{
    (void)state;
    struct error err = {.code = 0};
    assert_int_equal(report_write(runs, 1, "x.pdf", &err), ERR_SPEC);
    assert_non_null(strstr(err.text, ".svg, .png or .html"));
    const char *none[] = {"/nowhere"};
    assert_int_equal(report_write(none, 1, "x.svg", &err), ERR_SPEC);
    assert_non_null(strstr(err.text, "/nowhere: is not a run directory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds_become_one_curve_in_an_svg),
        cmocka_unit_test(a_run_without_any_data_gives_empty_panels),
        cmocka_unit_test(png_and_html_are_what_their_names_say),
        cmocka_unit_test(wrong_names_say_what_is_allowed),
    };
    return cmocka_run_group_tests(tests, make_runs, remove_runs);
}
