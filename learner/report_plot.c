#include "learner/report_plot.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { PLOT_GRID = 120, PLOT_POINTS = 500, PLOT_COLUMNS = 8 };

static const char *const plot_colors[] = {"0b63ce", "c4561a", "1a7f4b", "7b3fb5",
                                          "b3261e", "008b95", "8a6d00", "5a6675"};

// one run's learning curve, ascending
struct plot_curve {
    size_t  n, group;
    bool    has[PLOT_COLUMNS + 1];  // columns of $progress<i>, from 1, with anything in them
    double *steps, *hours, *value;  // (n)  into one block at steps
};

struct plot {
    FILE                 *out;
    const struct run_log *runs;
    size_t                n, n_groups;
    struct plot_curve    *curves;   // (n)
    bool                  trained;  // some curve shows training returns
};

// ---------------------------------------------------------------- data

// evaluations, or the training returns of a run that has none
static int plot_curve_init(struct plot_curve *c, const struct run_log *r, bool *trained,
                           struct error *err)
{
    const struct table *t = &r->evaluations;
    long                steps = table_column(t, "timesteps"), seconds = table_column(t, "wall_s");
    long                value = table_column(t, "mean");
    if (t->rows == 0) {
        t = &r->progress;
        steps = table_column(t, "time/total_timesteps");
        seconds = table_column(t, "time/time_elapsed");
        value = table_column(t, "rollout/ep_rew_mean");
        *trained = true;
    }
    c->steps = malloc((3 * t->rows + 1) * sizeof *c->steps);
    if (c->steps == NULL)
        return error_set(err, ERR_MEMORY, "report: no memory for a curve");
    c->hours = c->steps + t->rows;
    c->value = c->hours + t->rows;
    for (size_t i = 0; i < t->rows; i++) {
        if (!isfinite(table_at(t, i, value)) || !isfinite(table_at(t, i, steps)))
            continue;
        c->steps[c->n] = table_at(t, i, steps);
        c->hours[c->n] = table_at(t, i, seconds) / 3600;
        c->value[c->n++] = table_at(t, i, value);
    }
    return 0;
}

// runs of one spec and task are seeds of one experiment
static void plot_groups(struct plot *p)
{
    for (size_t i = 0; i < p->n; i++) {
        size_t k = 0;
        while (k < i && (strcmp(p->runs[k].name, p->runs[i].name) != 0 ||
                         strcmp(p->runs[k].env, p->runs[i].env) != 0))
            k++;
        p->curves[i].group = k < i ? p->curves[k].group : p->n_groups++;
    }
}

static size_t plot_group_size(const struct plot *p, size_t group, size_t *first)
{
    size_t size = 0;
    for (size_t i = p->n; i-- > 0;)
        if (p->curves[i].group == group) {
            size++;
            *first = i;
        }
    return size;
}

static void plot_value(FILE *out, double x)
{
    if (isfinite(x))
        fprintf(out, " %.8g", x);
    else
        fputs(" NaN", out);
}

// $curve<i>: steps hours value
static void plot_write_curve(const struct plot *p, size_t i)
{
    const struct plot_curve *c = &p->curves[i];
    fprintf(p->out, "$curve%zu << END\n", i);
    for (size_t k = 0; k < c->n; k++)
        fprintf(p->out, "%.10g %.10g %.8g\n", c->steps[k], c->hours[k], c->value[k]);
    fputs("END\n", p->out);
}

// share of the time between rows k and k - stride that a cumulative column of seconds took, in percent
static double plot_share(const struct table *t, size_t k, size_t stride, const char *name)
{
    long seconds = table_column(t, "time/time_elapsed"), column = table_column(t, name);
    if (k < stride)
        return NAN;
    double dt = table_at(t, k, seconds) - table_at(t, k - stride, seconds);
    double waited = table_at(t, k, column) - table_at(t, k - stride, column);
    return dt > 0 ? 100 * fmin(1, fmax(0, waited / dt)) : NAN;
}

// $progress<i>: steps updates/s steps/s ratio lag_p50 lag_p99 learner's and actors' share of waiting
static void plot_write_progress(const struct plot *p, size_t i)
{
    static const char *const names[] = {
        "time/total_timesteps", "learner/updates_per_s", "time/fps",
        "learner/utd",          "lag/versions_p50",      "lag/versions_p99"};
    const struct table *t = &p->runs[i].progress;
    size_t              stride = t->rows / PLOT_POINTS + 1;
    fprintf(p->out, "$progress%zu << END\n", i);
    for (size_t k = 0; k < t->rows; k += stride) {
        double cells[PLOT_COLUMNS];
        for (size_t m = 0; m < sizeof names / sizeof *names; m++)
            cells[m] = table_at(t, k, table_column(t, names[m]));
        cells[6] = plot_share(t, k, stride, "learner/wait_inserts_s");
        cells[7] = plot_share(t, k, stride, "learner/wait_samples_s");
        for (size_t m = 0; m < PLOT_COLUMNS; m++) {
            plot_value(p->out, cells[m]);
            p->curves[i].has[m + 1] = p->curves[i].has[m + 1] || isfinite(cells[m]);
        }
        putc('\n', p->out);
    }
    fputs("END\n", p->out);
}

// $band<axis><group>: x iqm low high, where all that have begun and not ended count
static void plot_write_band(const struct plot *p, size_t group, char axis)
{
    double     low = INFINITY, high = -INFINITY;
    struct rng rng;
    rng_init(&rng, 1, RNG_MISC, group);
    for (size_t i = 0; i < p->n; i++) {
        const struct plot_curve *c = &p->curves[i];
        const double            *x = axis == 's' ? c->steps : c->hours;
        if (c->group == group && c->n > 0) {
            low = fmin(low, x[0]);
            high = fmax(high, x[c->n - 1]);
        }
    }
    fprintf(p->out, "$band%c%zu << END\n", axis, group);
    for (int k = 0; k <= PLOT_GRID && low <= high; k++) {
        double values[AGGREGATE_RUNS],
            at = k == PLOT_GRID ? high : low + (high - low) * k / PLOT_GRID;
        size_t n = 0;
        for (size_t i = 0; i < p->n; i++) {
            const struct plot_curve *c = &p->curves[i];
            double y = aggregate_interpolate(axis == 's' ? c->steps : c->hours, c->value, c->n, at);
            if (c->group == group && isfinite(y))
                values[n++] = y;
        }
        if (n == 0)
            continue;
        struct aggregate a = aggregate_runs(values, n, &rng);
        fprintf(p->out, "%.10g %.8g", at, a.iqm);
        plot_value(p->out, n > 1 ? a.low : a.iqm);
        plot_value(p->out, n > 1 ? a.high : a.iqm);
        putc('\n', p->out);
    }
    fputs("END\n", p->out);
}

// ---------------------------------------------------------------- drawing

// text inside single quotes: a quote is doubled, and nothing else means anything
static void plot_quote(FILE *out, const char *text)
{
    putc('\'', out);
    for (; *text != '\0'; text++)
        fputs(*text == '\'' ? "''" : (char[]){*text, '\0'}, out);
    putc('\'', out);
}

static const char *plot_color(size_t group)
{
    return plot_colors[group % (sizeof plot_colors / sizeof *plot_colors)];
}

static void plot_head(const struct plot *p, const char *picture, const char *format)
{
    if (strcmp(format, "svg") == 0)
        fputs("set terminal svg size 1200,1290 dynamic font 'sans-serif,13' background '#ffffff' "
              "noenhanced\n",
              p->out);
    else
        fputs("set terminal pngcairo size 1200,1290 font 'sans,11' background '#ffffff' "
              "noenhanced\n",
              p->out);
    fputs("set output ", p->out);
    plot_quote(p->out, picture);
    fputs("\nset datafile missing 'NaN'\nset border 3 lc rgb '#8a94a3'\nset tics nomirror\n"
          "set grid back lc rgb '#dde2e8' lw 1 lt 1\nset format x '%.0s%c'\n"
          "set key bottom right samplen 2\nset style fill solid noborder\n"
          "set multiplot layout 3,2 margins 0.08,0.98,0.06,0.96 spacing 0.09,0.095\n",
          p->out);
}

// Begins a panel. NaN draws nothing; it is there for panels that have no data yet.
static void plot_panel(const struct plot *p, const char *title, char axis, double end, bool empty)
{
    fprintf(p->out, "set title '%s'\nset xlabel '%s'\nset format x '%s'\nset xrange [0:%.10g]\n%s",
            title, axis == 's' ? "environment steps" : "hours", axis == 's' ? "%.0s%c" : "%g",
            end > 0 ? end : 1, empty ? "set yrange [0:1]\n" : "");
    fputs("plot NaN notitle", p->out);
}

static void plot_line(const struct plot *p, const char *data, size_t i, const char *style,
                      const char *color, const char *title)
{
    fprintf(p->out, ", \\\n  $%s%zu using %s lc rgb '#%s' ", data, i, style, color);
    fputs(title != NULL ? "title " : "notitle", p->out);
    if (title != NULL)
        plot_quote(p->out, title);
}

static void plot_group(const struct plot *p, size_t group, char axis)
{
    char        title[320], band[8], faint[16], style[64];
    size_t      first = 0, size = plot_group_size(p, group, &first);
    const char *color = plot_color(group), *use = axis == 's' ? "1:3" : "2:3";
    snprintf(title, sizeof title, "%s %s", p->runs[first].name, p->runs[first].env);
    if (size == 1) {
        snprintf(style, sizeof style, "%s with lines lw 2.5", use);
        plot_line(p, "curve", first, style, color, title);
        return;
    }
    snprintf(title + strlen(title), sizeof title - strlen(title), ", IQM of %zu", size);
    snprintf(band, sizeof band, "band%c", axis);
    // the first two digits are transparency
    snprintf(faint, sizeof faint, "cc%s", color);
    plot_line(p, band, group, "1:3:4 with filledcurves", faint, NULL);
    snprintf(faint, sizeof faint, "99%s", color);
    snprintf(style, sizeof style, "%s with lines lw 1", use);
    for (size_t i = 0; i < p->n; i++)
        if (p->curves[i].group == group && p->curves[i].n > 0)
            plot_line(p, "curve", i, style, faint, NULL);
    plot_line(p, band, group, "1:2 with lines lw 2.5", color, title);
}

static void plot_returns(const struct plot *p, char axis)
{
    char   title[64];
    double end = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct plot_curve *c = &p->curves[i];
        if (c->n > 0)
            end = fmax(end, (axis == 's' ? c->steps : c->hours)[c->n - 1]);
    }
    snprintf(title, sizeof title, "%s against %s", p->trained ? "Return" : "Evaluation return",
             axis == 's' ? "steps" : "wall-clock");
    plot_panel(p, title, axis, end, end <= 0);
    for (size_t g = 0; g < p->n_groups; g++) {
        bool any = false;
        for (size_t i = 0; i < p->n; i++)
            any = any || (p->curves[i].group == g && p->curves[i].n > 0);
        if (any)
            plot_group(p, g, axis);
    }
    putc('\n', p->out);
}

// one panel of $progress columns; second 0: none
static void plot_progress(const struct plot *p, const char *title, int first,
                          const char *first_name, int second, const char *second_name)
{
    double end = 0;
    bool   any = false, named = second == 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct table *t = &p->runs[i].progress;
        any = any || p->curves[i].has[first];
        if (t->rows > 0)
            end = fmax(end, table_at(t, t->rows - 1, table_column(t, "time/total_timesteps")));
    }
    plot_panel(p, title, 's', end, !any);
    for (size_t i = 0; i < p->n; i++) {
        char        style[64];
        const char *color = plot_color(p->curves[i].group);
        if (!p->curves[i].has[first])
            continue;
        // the names say what solid and dashed mean; once is enough
        snprintf(style, sizeof style, "1:%d with lines lw 1.5", first);
        plot_line(p, "progress", i, style, color, named ? NULL : first_name);
        snprintf(style, sizeof style, "1:%d with lines lw 1.5 dt 2", second);
        if (second != 0 && p->curves[i].has[second])
            plot_line(p, "progress", i, style, color, named ? NULL : second_name);
        named = true;
    }
    putc('\n', p->out);
}

static void plot_draw(const struct plot *p, const char *picture, const char *format)
{
    for (size_t i = 0; i < p->n; i++) {
        plot_write_curve(p, i);
        plot_write_progress(p, i);
    }
    for (size_t g = 0; g < p->n_groups; g++) {
        plot_write_band(p, g, 's');
        plot_write_band(p, g, 'h');
    }
    plot_head(p, picture, format);
    plot_returns(p, 's');
    plot_returns(p, 'h');
    fputs("set yrange [0:*]\n", p->out);
    plot_progress(p, "Throughput", 2, "updates/s", 3, "environment steps/s");
    fputs("set yrange [*:*]\n", p->out);
    plot_progress(p, "Achieved updates per step", 4, "", 0, "");
    fputs("set yrange [0:*]\n", p->out);
    plot_progress(p, "Policy lag, versions", 5, "median", 6, "99%");
    fputs("set yrange [0:100]\n", p->out);
    plot_progress(p, "Waiting, % of the time", 7, "learner for actors", 8, "actors for learner");
    fputs("unset multiplot\n", p->out);
}

int report_plot_script(FILE *out, const struct run_log *runs, size_t n, const char *picture,
                       const char *format, struct error *err)
{
    struct plot p = {.out = out, .runs = runs, .n = n};
    int         code = 0;
    p.curves = calloc(n, sizeof *p.curves);
    if (p.curves == NULL)
        return error_set(err, ERR_MEMORY, "report: no memory for %zu curves", n);
    for (size_t i = 0; i < n && code == 0; i++)
        code = plot_curve_init(&p.curves[i], &runs[i], &p.trained, err);
    if (code == 0) {
        plot_groups(&p);
        plot_draw(&p, picture, format);
    }
    for (size_t i = 0; i < n; i++)
        free(p.curves[i].steps);
    free(p.curves);
    return code;
}
