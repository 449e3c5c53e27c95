#include "common/profile.h"

#include "common/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAMES 64
#define DEPTH 16

int profile_init(struct profile *p, size_t lanes, size_t room, struct error *err)
{
    *p = (struct profile){.lanes = lanes, .lane = calloc(lanes, sizeof *p->lane)};
    for (size_t i = 0; p->lane != NULL && i < lanes; i++) {
        p->lane[i].spans = calloc(room, sizeof *p->lane[i].spans);
        p->lane[i].room = p->lane[i].spans == NULL ? 0 : room;
    }
    if (p->lane != NULL && (lanes == 0 || p->lane[lanes - 1].room == room))
        return 0;
    profile_free(p);
    return error_set(err, ERR_MEMORY, "no memory for a profile of %zu spans", lanes * room);
}

void profile_free(struct profile *p)
{
    for (size_t i = 0; p->lane != NULL && i < p->lanes; i++)
        free(p->lane[i].spans);
    free(p->lane);
    *p = (struct profile){0};
}

void profile_reset(struct profile *p)
{
    for (size_t i = 0; i < p->lanes; i++)
        p->lane[i].n = p->lane[i].lost = 0;
}

double profile_start(const struct profile_lane *lane)
{
    return lane == NULL ? 0 : clock_now();
}

void profile_add(struct profile_lane *lane, const char *name, double start)
{
    if (lane == NULL)
        return;
    if (lane->n == lane->room) {
        lane->lost++;
        return;
    }
    lane->spans[lane->n++] = (struct profile_span){name, start, clock_now()};
}

// ------ table

struct total {
    const char *name;
    size_t      calls;
    double      seconds;
};

struct totals {
    size_t       n;
    struct total total[NAMES];
    double       first, last, covered;  // of all spans; covered by an outermost one
};

static void totals_add(struct totals *t, const char *name, size_t calls, double seconds)
{
    size_t i = 0;
    while (i < t->n && strcmp(t->total[i].name, name) != 0)
        i++;
    if (i == NAMES)
        return;
    if (i == t->n)
        t->total[t->n++] = (struct total){.name = name};
    t->total[i].calls += calls;
    t->total[i].seconds += seconds;
}

// by start, an outer span before those in it
static int span_order(const void *a, const void *b)
{
    const struct profile_span *x = a, *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return (x->end < y->end) - (x->end > y->end);
}

static void lane_sum(struct totals *t, const struct profile_lane *lane)
{
    const struct profile_span *open[DEPTH];
    size_t                     depth = 0;
    qsort(lane->spans, lane->n, sizeof *lane->spans, span_order);
    for (size_t i = 0; i < lane->n; i++) {
        const struct profile_span *s = &lane->spans[i];
        double                     length = s->end - s->start;
        while (depth > 0 && open[depth - 1]->end <= s->start)
            depth--;
        totals_add(t, s->name, 1, length);
        // the outer span's own time is what its inner ones leave
        if (depth > 0)
            totals_add(t, open[depth - 1]->name, 0, -length);
        else
            t->covered += length;
        if (depth < DEPTH)
            open[depth++] = s;
        t->first = t->first == 0 || s->start < t->first ? s->start : t->first;
        t->last = s->end > t->last ? s->end : t->last;
    }
}

static int total_order(const void *a, const void *b)
{
    const struct total *x = a, *y = b;
    return (x->seconds < y->seconds) - (x->seconds > y->seconds);
}

void profile_table(const struct profile *p, FILE *out, size_t per)
{
    static struct totals t;
    size_t               lost = 0;
    t = (struct totals){0};
    for (size_t i = 0; i < p->lanes; i++) {
        lane_sum(&t, &p->lane[i]);
        lost += p->lane[i].lost;
    }
    double all = (t.last - t.first) * (double)p->lanes;
    totals_add(&t, "(waiting)", 0, all - t.covered);
    qsort(t.total, t.n, sizeof *t.total, total_order);
    fprintf(out, "%-28s %10s %12s %8s\n", "work", "calls each", "ms each", "share");
    for (size_t i = 0; i < t.n; i++)
        fprintf(out, "%-28s %10.2f %12.4f %7.2f%%\n", t.total[i].name,
                (double)t.total[i].calls / (double)per, 1e3 * t.total[i].seconds / (double)per,
                100 * t.total[i].seconds / all);
    fprintf(out, "%-28s %10s %12.4f %8s  on %zu threads\n", "(all)", "",
            1e3 * (t.last - t.first) / (double)per, "", p->lanes);
    if (lost > 0)
        fprintf(out, "%zu spans did not fit\n", lost);
}

// ------ trace

int profile_trace(const struct profile *p, const char *path, struct error *err)
{
    FILE *out = fopen(path, "w");
    if (out == NULL)
        return error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
    double first = 0;
    for (size_t i = 0; i < p->lanes; i++)
        for (size_t k = 0; k < p->lane[i].n; k++)
            if (first == 0 || p->lane[i].spans[k].start < first)
                first = p->lane[i].spans[k].start;
    fprintf(out, "{\"traceEvents\":[");
    const char *comma = "";
    for (size_t i = 0; i < p->lanes; i++)
        for (size_t k = 0; k < p->lane[i].n; k++) {
            const struct profile_span *s = &p->lane[i].spans[k];
            fprintf(out,
                    "%s\n{\"name\":\"%s\",\"ph\":\"X\",\"pid\":1,\"tid\":%zu,\"ts\":%.3f,"
                    "\"dur\":%.3f}",
                    comma, s->name, i, 1e6 * (s->start - first), 1e6 * (s->end - s->start));
            comma = ",";
        }
    fprintf(out, "\n]}\n");
    int bad = ferror(out);
    if (fclose(out) != 0 || bad)
        return error_set(err, ERR_SYSTEM, "%s: cannot be written", path);
    return 0;
}
