#include "learner/report_html.h"

#include "learner/status.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char report_html_head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>crossfleet report</title>\n<style>\n"
    "body { font: 15px/1.5 system-ui, sans-serif; max-width: 1240px; margin: 24px auto;\n"
    "    padding: 0 20px; color: #1b2430; background: #fff; }\n"
    "svg { width: 100%; height: auto; }\n"
    "table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }\n"
    "caption { text-align: left; font-weight: 600; padding: 8px 0; }\n"
    "th, td { text-align: right; padding: 5px 10px; border-top: 1px solid #dde2e8; }\n"
    "th { color: #5a6675; font-weight: 500; }\n"
    "th:first-child, td:first-child { text-align: left; }\n"
    "</style>\n</head>\n<body>\n<h1>crossfleet report</h1>\n"
    "<table>\n<caption>Runs</caption>\n<thead><tr><th scope=\"col\">run</th><th "
    "scope=\"col\">task</th>"
    "<th scope=\"col\">seed</th><th scope=\"col\">steps</th><th scope=\"col\">time</th>"
    "<th scope=\"col\">best evaluation</th><th scope=\"col\">last evaluation</th>"
    "<th scope=\"col\">updates per step</th><th scope=\"col\">lag p99</th></tr></thead>\n<tbody>\n";

static void report_html_text(FILE *out, const char *text)
{
    fputs("<td>", out);
    for (; *text != '\0'; text++) {
        if (strchr("<>&\"", *text) != NULL)
            fprintf(out, "&#%d;", *text);
        else
            putc(*text, out);
    }
    fputs("</td>", out);
}

static void report_html_number(FILE *out, const char *format, double x)
{
    fputs("<td>", out);
    if (isfinite(x))
        fprintf(out, format, x);
    else
        fputs("-", out);
    fputs("</td>", out);
}

// the last value of a column
static double report_html_last(const struct table *t, const char *column)
{
    return t->rows > 0 ? table_at(t, t->rows - 1, table_column(t, column)) : NAN;
}

static void report_html_row(FILE *out, const struct run_log *r)
{
    char   took[32];
    double best = NAN;
    for (size_t i = 0; i < r->evaluations.rows; i++)
        best = fmax(best, table_at(&r->evaluations, i, table_column(&r->evaluations, "mean")));
    status_format_duration(took, sizeof took, report_html_last(&r->progress, "time/time_elapsed"));
    fputs("<tr>", out);
    report_html_text(out, r->path);
    report_html_text(out, r->env);
    report_html_number(out, "%.0f", (double)r->seed);
    report_html_number(out, "%.0f", report_html_last(&r->progress, "time/total_timesteps"));
    report_html_text(out, took);
    report_html_number(out, "%.2f", best);
    report_html_number(out, "%.2f", report_html_last(&r->evaluations, "mean"));
    report_html_number(out, "%.4f", report_html_last(&r->progress, "learner/utd"));
    report_html_number(out, "%.0f", report_html_last(&r->progress, "lag/versions_p99"));
    fputs("</tr>\n", out);
}

// the svg element alone: what comes before it belongs to a file of its own
static int report_html_svg(FILE *out, const char *picture, struct error *err)
{
    char  line[65536];
    bool  inside = false;
    FILE *in = fopen(picture, "r");
    if (in == NULL)
        return error_set(err, ERR_SYSTEM, "%s: %s", picture, strerror(errno));
    while (fgets(line, sizeof line, in) != NULL) {
        inside = inside || strncmp(line, "<svg", 4) == 0;
        if (inside)
            fputs(line, out);
    }
    fclose(in);
    return 0;
}

int report_html_write(const char *page, const char *picture, const struct run_log *runs, size_t n,
                      struct error *err)
{
    FILE *out = fopen(page, "w");
    if (out == NULL)
        return error_set(err, ERR_SYSTEM, "%s: %s", page, strerror(errno));
    fputs(report_html_head, out);
    for (size_t i = 0; i < n; i++)
        report_html_row(out, &runs[i]);
    fputs("</tbody>\n</table>\n", out);
    int code = report_html_svg(out, picture, err);
    fputs("</body>\n</html>\n", out);
    if (fclose(out) != 0 && code == 0)
        code = error_set(err, ERR_SYSTEM, "%s: not written", page);
    return code;
}
