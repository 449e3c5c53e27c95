#include "learner/report.h"

#include "learner/report_html.h"
#include "learner/report_plot.h"
#include "learner/run_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// ---------------------------------------------------------------- gnuplot

// Runs gnuplot on the script, silently.
static int report_draw(const char *script, struct error *err)
{
    pid_t pid = fork();
    if (pid < 0)
        return error_set(err, ERR_SYSTEM, "gnuplot: %s", strerror(errno));
    if (pid == 0) {
        // its warnings about empty panels are nobody's business
        int null = open("/dev/null", O_WRONLY);
        if (null >= 0)
            dup2(null, STDERR_FILENO);
        execlp("gnuplot", "gnuplot", script, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return error_set(err, ERR_SYSTEM,
                         "report: gnuplot is not installed; apt-get install gnuplot-nox");
    return error_set(err, ERR_SYSTEM, "report: gnuplot %s fails", script);
}

// Makes picture (svg or png by format) from the runs through a script beside it.
static int report_picture(const struct run_log *runs, size_t n, const char *picture,
                          const char *format, struct error *err)
{
    char script[1100];
    snprintf(script, sizeof script, "%s.gnuplot", picture);
    FILE *out = fopen(script, "w");
    if (out == NULL)
        return error_set(err, ERR_SYSTEM, "%s: %s", script, strerror(errno));
    int code = report_plot_script(out, runs, n, picture, format, err);
    if (fclose(out) != 0 && code == 0)
        code = error_set(err, ERR_SYSTEM, "%s: not written", script);
    if (code == 0)
        code = report_draw(script, err);
    unlink(script);
    return code;
}

// ---------------------------------------------------------------- API

static int report_make(const struct run_log *runs, size_t n, const char *output, const char *format,
                       struct error *err)
{
    char draft[1024], page[1040];
    bool html = strcmp(format, "html") == 0;
    if ((size_t)snprintf(draft, sizeof draft, "%s.tmp", output) >= sizeof draft)
        return error_set(err, ERR_SPEC, "report: the name of the output is too long");
    snprintf(page, sizeof page, "%s.page", draft);
    int code = report_picture(runs, n, draft, html ? "svg" : format, err);
    if (code == 0 && html) {
        code = report_html_write(page, draft, runs, n, err);
        unlink(draft);
    }
    const char *made = html ? page : draft;
    if (code == 0 && rename(made, output) != 0)
        code = error_set(err, ERR_SYSTEM, "%s: %s", output, strerror(errno));
    if (code != 0)
        unlink(made);
    return code;
}

int report_write(const char *const *runs, size_t n, const char *output, struct error *err)
{
    const char *dot = strrchr(output, '.');
    if (dot == NULL ||
        (strcmp(dot, ".svg") != 0 && strcmp(dot, ".png") != 0 && strcmp(dot, ".html") != 0))
        return error_set(err, ERR_SPEC, "report -o %s: the name must end in .svg, .png or .html",
                         output);
    if (n == 0 || n > REPORT_RUNS)
        return error_set(err, ERR_SPEC, "report: takes 1 to %d run directories", REPORT_RUNS);
    struct run_log *logs = calloc(n, sizeof *logs);
    if (logs == NULL)
        return error_set(err, ERR_MEMORY, "report: no memory for %zu runs", n);
    int code = 0;
    for (size_t i = 0; i < n && code == 0; i++)
        code = run_log_read(&logs[i], runs[i], err);
    if (code == 0)
        code = report_make(logs, n, output, dot + 1, err);
    for (size_t i = 0; i < n; i++)
        run_log_free(&logs[i]);
    free(logs);
    return code;
}
