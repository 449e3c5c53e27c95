#include "learner/recorder.h"

#include "common/clock.h"
#include "common/memory.h"
#include "common/version.h"
#include "learner/scalar.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDER_EVENT_BYTES (1u << 20)
#define RECORDER_MARK_EVERY_S 0.5
static const char recorder_evaluations_header[] =
    "timesteps,wall_s,version,episodes,mean,std,min,max,mean_length\n";

// ---------------------------------------------------------------- failures

// a full disk stops the files, not the training
static void recorder_check(struct recorder *r, int code, const struct error *err)
{
    unsigned long long held;
    if (code != 0 && log_limit_pass(&r->limit, &held))
        log_warn("recorder", "%s (%llu more like this)", err->text, held);
}

// ---------------------------------------------------------------- what was there

static void recorder_seen_interval(void *context, const double *values, size_t n)
{
    struct recorder     *r = context;
    size_t               columns;
    const struct scalar *rows = scalar_table(&columns);
    if (n != columns || !isfinite(values[0]) || !isfinite(values[1]))
        return;
    r->row_steps = (uint64_t)values[0];
    r->now.elapsed_s = fmax(r->now.elapsed_s, values[1]);
    for (size_t i = 0; i < columns; i++)
        if (strcmp(rows[i].name, "rollout/ep_rew_mean") == 0 && isfinite(values[i]))
            status_curve_add(&r->now.train, (uint64_t)values[0], values[1], values[i]);
}

static void recorder_keep_evaluation(struct status *s, uint64_t timesteps, double elapsed_s,
                                     uint64_t version, double mean, double std)
{
    s->evaluations++;
    s->eval_last = mean;
    s->eval_std = std;
    s->eval_last_steps = timesteps;
    status_curve_add(&s->eval, timesteps, elapsed_s, mean);
    if (isfinite(mean) && !(s->eval_best >= mean)) {
        s->eval_best = mean;
        s->eval_best_steps = timesteps;
        s->eval_best_version = version;
    }
}

static void recorder_seen_evaluation(void *context, const double *values, size_t n)
{
    struct recorder *r = context;
    if (n < 6)
        return;
    r->now.elapsed_s = fmax(r->now.elapsed_s, values[1]);
    recorder_keep_evaluation(&r->now, (uint64_t)values[0], values[1], (uint64_t)values[2],
                             values[4], values[5]);
}

static void recorder_seen_episode(void *context, const double *values, size_t n)
{
    struct recorder *r = context;
    if (n < 3)
        return;
    r->now.elapsed_s = fmax(r->now.elapsed_s, values[2]);
    r->now.episodes++;
}

// ---------------------------------------------------------------- open

static int recorder_write_spec(struct recorder *r, struct error *err)
{
    // the text plug-in shows markdown; a fence keeps the indentation
    size_t size = strlen(r->options.spec_text) + 16;
    char  *block = malloc(size);
    if (block == NULL)
        return error_set(err, ERR_MEMORY, "no memory for the spec's text");
    snprintf(block, size, "```\n%s\n```", r->options.spec_text);
    tensorboard_text(&r->tb, "spec", block);
    free(block);
    return tensorboard_end(&r->tb, 0, err);
}

static int recorder_open_files(struct recorder *r, struct error *err)
{
    char   path[RUN_DIR_PATH + 48], header[2048];
    double limit =
        r->options.resume_steps == UINT64_MAX ? INFINITY : (double)r->options.resume_steps;
    scalar_header(header, sizeof header);
    run_dir_file(path, sizeof path, r->options.dir, "progress.csv");
    int code = csv_open(&r->progress, path, header, 0, limit, recorder_seen_interval, r, err);
    if (code != 0)
        return code;
    run_dir_file(path, sizeof path, r->options.dir, "evaluations.csv");
    code = csv_open(&r->evaluations, path, recorder_evaluations_header, 0, limit,
                    recorder_seen_evaluation, r, err);
    if (code != 0)
        return code;
    run_dir_file(path, sizeof path, r->options.dir, "evaluations.npz");
    // each of these is written before the row that it belongs to: what has no row was cut off
    eval_npz_open(&r->npz, path, r->now.eval_last_steps);
    code = monitor_open(&r->monitor, r->options.dir->path, r->options.env,
                        r->now.wall_start - r->now.elapsed_s, r->options.resume_elapsed_s,
                        recorder_seen_episode, r, err);
    if (code != 0)
        return code;
    run_dir_file(path, sizeof path, r->options.dir, "tb");
    code = tensorboard_open(&r->tb, path, RECORDER_EVENT_BYTES,
                            r->options.dir->resumed ? r->row_steps + 1 : 0, err);
    if (code != 0)
        return code;
    return recorder_write_spec(r, err);
}

struct recorder *recorder_open(const struct recorder_options *options, struct error *err)
{
    struct recorder *r = calloc(1, sizeof *r);
    if (r == NULL) {
        error_set(err, ERR_MEMORY, "no memory for the recorder");
        return NULL;
    }
    r->options = *options;
    status_init(&r->now);
    r->now.wall_start = clock_wall();
    pthread_mutex_init(&r->lock, NULL);
    if (recorder_open_files(r, err) != 0) {
        tensorboard_close(&r->tb);
        eval_npz_free(&r->npz);
        pthread_mutex_destroy(&r->lock);
        free(r);
        return NULL;
    }
    r->start = clock_now() - r->now.elapsed_s;
    progress_open(&r->line, options->quiet);
    return r;
}

double recorder_elapsed(const struct recorder *r)
{
    return clock_now() - r->start;
}

// ---------------------------------------------------------------- snapshot

static void recorder_mark(struct recorder *r, const struct status *s, double now)
{
    if (r->n_marks > 0 && now - r->marks[r->n_marks - 1].time < RECORDER_MARK_EVERY_S)
        return;
    if (r->n_marks == RECORDER_MARKS) {
        memmove(r->marks, r->marks + 1, (RECORDER_MARKS - 1) * sizeof *r->marks);
        r->n_marks--;
    }
    struct recorder_mark *m = &r->marks[r->n_marks++];
    *m = (struct recorder_mark){
        .time = now, .busy_s = s->busy_s, .steps = s->steps, .updates = s->updates};
    memcpy(m->wait_s, s->wait_s, sizeof m->wait_s);
    for (size_t i = 0; i < s->n_actors; i++)
        if (s->actors[i].slot < STATUS_ACTORS)
            m->actor_steps[s->actors[i].slot] = s->actors[i].steps;
}

// rates against the oldest mark
static void recorder_rates(struct status *d, const struct recorder *r, double now)
{
    const struct recorder_mark *m = &r->marks[0];
    double                      dt = now - m->time;
    if (r->n_marks == 0 || dt < RECORDER_MARK_EVERY_S)
        return;
    d->fps = (double)(d->steps - m->steps) / dt;
    d->updates_per_s = (double)(d->updates - m->updates) / dt;
    d->utilisation = fmin(1, fmax(0, (d->busy_s - m->busy_s) / dt));
    for (size_t i = 0; i < STATUS_WAITS; i++)
        d->wait_share[i] = fmin(1, fmax(0, (d->wait_s[i] - m->wait_s[i]) / dt));
    for (size_t i = 0; i < d->n_actors; i++) {
        struct status_actor *a = &d->actors[i];
        uint64_t             before = a->slot < STATUS_ACTORS ? m->actor_steps[a->slot] : a->steps;
        a->steps_per_s = a->steps >= before ? (double)(a->steps - before) / dt : 0;
    }
    d->eta_s = d->fps > 0 ? (double)(d->max_frame - d->steps) / d->fps : NAN;
}

// d gets the first part of s; the second part is made anew from what the recorder knows
static void recorder_snapshot(struct recorder *r, const struct status *s)
{
    struct status *d = &r->now;
    double         now = clock_now();
    memcpy(d, s, offsetof(struct status, version));
    snprintf(d->version, sizeof d->version, "%s", version_text());
    d->elapsed_s = recorder_elapsed(r);
    d->rss_bytes = memory_resident();
    d->utd =
        d->steps > d->start_step ? (double)d->updates / (double)(d->steps - d->start_step) : NAN;
    recorder_rates(d, r, now);
    recorder_mark(r, s, now);
    status_store_put(r->options.store, d);
}

// means over an interval are not known right after a row: what was shown stays until they are
static void recorder_keep_known(struct status *d, const struct status *before)
{
    const double *old[] = {&before->critic_loss, &before->actor_loss, &before->alpha_loss,
                           &before->entropy,     &before->q_mean,     &before->sample_age,
                           &before->lag_p50,     &before->lag_p99};
    double       *now[] = {&d->critic_loss, &d->actor_loss, &d->alpha_loss, &d->entropy,
                           &d->q_mean,      &d->sample_age, &d->lag_p50,    &d->lag_p99};
    for (size_t i = 0; i < sizeof now / sizeof *now; i++)
        if (!isfinite(*now[i]))
            *now[i] = *old[i];
}

void recorder_show(struct recorder *r, const struct status *s)
{
    pthread_mutex_lock(&r->lock);
    r->shown = *s;
    recorder_keep_known(&r->shown, &r->now);
    recorder_snapshot(r, &r->shown);
    progress_show(&r->line, &r->now);
    pthread_mutex_unlock(&r->lock);
}

static void recorder_row(struct recorder *r)
{
    struct error         err = {.code = 0};
    size_t               n;
    const struct scalar *rows = scalar_table(&n);
    for (size_t i = 0; i < n; i++) {
        double value = rows[i].value(&r->now);
        csv_number(&r->progress, value);
        tensorboard_scalar(&r->tb, rows[i].name, value);
    }
    recorder_check(r, tensorboard_end(&r->tb, r->now.steps, &err), &err);
    recorder_check(r, csv_end(&r->progress, &err), &err);
}

void recorder_interval(struct recorder *r, const struct status *s)
{
    pthread_mutex_lock(&r->lock);
    memcpy(&r->now, s, offsetof(struct status, version));
    if (isfinite(r->now.return_mean))
        status_curve_add(&r->now.train, s->steps, recorder_elapsed(r), r->now.return_mean);
    recorder_snapshot(r, s);
    if (r->row_steps != s->steps)
        recorder_row(r);
    r->row_steps = s->steps;
    progress_show(&r->line, &r->now);
    pthread_mutex_unlock(&r->lock);
}

// ---------------------------------------------------------------- episodes

static double recorder_mean(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

void recorder_episode(struct recorder *r, uint32_t slot, double ep_return, uint64_t length)
{
    struct error err = {.code = 0};
    pthread_mutex_lock(&r->lock);
    struct status *s = &r->now;
    size_t         at = (size_t)(r->n_recent++ % RECORDER_RECENT);
    r->returns[at] = ep_return;
    r->lengths[at] = (double)length;
    size_t n = r->n_recent < RECORDER_RECENT ? (size_t)r->n_recent : RECORDER_RECENT;
    s->episodes++;
    s->return_last = ep_return;
    s->return_mean = recorder_mean(r->returns, n);
    s->length_mean = recorder_mean(r->lengths, n);

    // a slot beyond the files that a run keeps still counts in the means
    if (slot < MONITOR_SLOTS)
        recorder_check(
            r, monitor_episode(&r->monitor, slot, ep_return, length, recorder_elapsed(r), &err),
            &err);
    pthread_mutex_unlock(&r->lock);
}

// ---------------------------------------------------------------- evaluations

void recorder_evaluation(struct recorder *r, uint64_t timesteps, uint64_t version,
                         const double *returns, const uint64_t *lengths, size_t n)
{
    struct error err = {.code = 0};
    double       low = INFINITY, high = -INFINITY, steps = 0, square = 0;
    double       mean = recorder_mean(returns, n);
    assert(n >= 1);
    for (size_t i = 0; i < n; i++) {
        low = fmin(low, returns[i]);
        high = fmax(high, returns[i]);
        steps += (double)lengths[i];
        square += (returns[i] - mean) * (returns[i] - mean);
    }
    pthread_mutex_lock(&r->lock);
    char path[RUN_DIR_PATH + 48];
    run_dir_file(path, sizeof path, r->options.dir, "evaluations.npz");
    recorder_check(r, eval_npz_add(&r->npz, path, timesteps, returns, lengths, n, &err), &err);
    double elapsed_s = recorder_elapsed(r), std = sqrt(square / (double)n);
    recorder_keep_evaluation(&r->now, timesteps, elapsed_s, version, mean, std);
    struct csv *c = &r->evaluations;
    csv_count(c, timesteps);
    csv_number(c, elapsed_s);
    csv_count(c, version);
    csv_count(c, n);
    const double cells[] = {mean, std, low, high, steps / (double)n};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        csv_number(c, cells[i]);
    recorder_check(r, csv_end(c, &err), &err);
    progress_evaluation(&r->line, &r->now);
    status_store_put(r->options.store, &r->now);
    pthread_mutex_unlock(&r->lock);
}

bool recorder_would_be_best(struct recorder *r, double mean)
{
    pthread_mutex_lock(&r->lock);
    bool best = isfinite(mean) && !(r->now.eval_best >= mean);
    pthread_mutex_unlock(&r->lock);
    return best;
}

struct recorder_past recorder_past(const struct recorder *r)
{
    return (struct recorder_past){
        .row_steps = r->row_steps,
        .evaluations = r->now.evaluations,
        .eval_steps = r->now.eval_last_steps,
        .eval_mean = r->now.eval_last,
    };
}

// ---------------------------------------------------------------- end

void recorder_close(struct recorder *r, const struct status *s)
{
    if (r == NULL)
        return;
    recorder_interval(r, s);
    progress_close(&r->line, &r->now, r->options.resume_command);
    tensorboard_close(&r->tb);
    eval_npz_free(&r->npz);
    pthread_mutex_destroy(&r->lock);
    free(r);
}
