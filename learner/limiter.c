#include "learner/limiter.h"

#include "common/clock.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

// ------ the rule

bool limiter_band_may_sample(const struct limiter_band *band, int64_t inserts, int64_t samples,
                             int64_t n)
{
    if (inserts < band->min_size)
        return false;
    return inserts * band->p - (samples + n) * band->q >= band->min_diff;
}

bool limiter_band_may_insert(const struct limiter_band *band, int64_t inserts, int64_t samples,
                             int64_t n)
{
    if (inserts + n <= band->min_size)
        return true;
    return (inserts + n) * band->p - samples * band->q <= band->max_diff;
}

// ------ start

uint64_t limiter_least_tolerance(const struct limiter_config *c)
{
    return c->p == 0 ? 0 : c->insert_block + (c->sample_block * c->q + c->p - 1) / c->p;
}

static int limiter_check(const struct limiter_config *c, struct error *err)
{
    const uint64_t most = INT64_MAX / 4;
    if (c->q == 0 || c->max_frame == 0)
        return error_set(err, ERR_SPEC, "limiter: ratio %llu/%llu over %llu rows makes no sense",
                         (unsigned long long)c->p, (unsigned long long)c->q,
                         (unsigned long long)c->max_frame);
    if (c->p > 0 && (c->max_frame > most / c->p / c->q || c->start > most / c->p / c->q ||
                     c->tolerance > most / c->p / c->q))
        return error_set(
            err, ERR_SPEC, "limiter: ratio %llu/%llu with max_frame %llu is beyond 64-bit integers",
            (unsigned long long)c->p, (unsigned long long)c->q, (unsigned long long)c->max_frame);
    if (c->tolerance < limiter_least_tolerance(c))
        return error_set(err, ERR_SPEC,
                         "limiter: a tolerance of %llu rows can dead-lock with blocks of %llu rows "
                         "and %llu updates at ratio %llu/%llu: must be at least %llu",
                         (unsigned long long)c->tolerance, (unsigned long long)c->insert_block,
                         (unsigned long long)c->sample_block, (unsigned long long)c->p,
                         (unsigned long long)c->q, (unsigned long long)limiter_least_tolerance(c));
    return 0;
}

int limiter_init(struct limiter *l, const struct limiter_config *config, struct error *err)
{
    memset(l, 0, sizeof *l);
    int code = limiter_check(config, err);
    if (code < 0)
        return code;
    l->config = *config;
    l->band = (struct limiter_band){
        .p = (int64_t)config->p,
        .q = (int64_t)config->q,
        .min_size = (int64_t)config->start,
        .min_diff = (int64_t)(config->start * config->p),
        .max_diff = (int64_t)((config->start + config->tolerance) * config->p),
    };
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&l->changed, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&l->lock, NULL);
    l->open = true;
    return 0;
}

void limiter_free(struct limiter *l)
{
    if (!l->open)
        return;
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->changed);
    l->open = false;
}

void limiter_on_open(struct limiter *l, void (*opened)(void *context), void *context)
{
    l->opened = opened;
    l->opened_context = context;
}

void limiter_restore(struct limiter *l, uint64_t inserted, uint64_t updates)
{
    pthread_mutex_lock(&l->lock);
    l->inserted = inserted;
    l->updates = updates;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
}

// ------ counting

uint64_t limiter_updates_due(const struct limiter *l, uint64_t inserted)
{
    const struct limiter_config *c = &l->config;
    return inserted <= c->start ? 0 : (inserted - c->start) * c->p / c->q;
}

static uint64_t allowance_locked(const struct limiter *l)
{
    const struct limiter_config *c = &l->config;
    uint64_t                     most = c->max_frame;
    if (c->p > 0) {
        uint64_t band = ((uint64_t)l->band.max_diff + l->updates * c->q) / c->p;
        most = band < most ? band : most;
    }
    return most > l->inserted ? most - l->inserted : 0;
}

static bool may_update_locked(const struct limiter *l)
{
    return l->config.p > 0 &&
           limiter_band_may_sample(&l->band, (int64_t)l->inserted, (int64_t)l->updates, 1);
}

uint64_t limiter_insert_allowance(struct limiter *l, bool *last)
{
    pthread_mutex_lock(&l->lock);
    uint64_t n = allowance_locked(l);
    if (last != NULL)
        *last = l->inserted + n >= l->config.max_frame;
    pthread_mutex_unlock(&l->lock);
    return n;
}

void limiter_inserted(struct limiter *l, uint64_t n)
{
    pthread_mutex_lock(&l->lock);
    l->inserted += n;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
}

void limiter_updated(struct limiter *l, uint64_t n)
{
    pthread_mutex_lock(&l->lock);
    l->updates += n;
    // waking the network thread for every update would be a system call each
    bool tell = l->since[LIMITER_WAIT_SAMPLES] > 0.0 && allowance_locked(l) > 0;
    pthread_mutex_unlock(&l->lock);
    if (tell && l->opened != NULL)
        l->opened(l->opened_context);
}

// ------ waiting

static void wait_begin(struct limiter *l, enum limiter_reason reason, double now)
{
    if (l->since[reason] == 0.0)
        l->since[reason] = now;
}

static void wait_end(struct limiter *l, enum limiter_reason reason, double now)
{
    if (l->since[reason] > 0.0)
        l->waited[reason] += now - l->since[reason];
    l->since[reason] = 0.0;
}

// until: rows to wait for, or 0 for the next update
static bool wait_is_over(const struct limiter *l, uint64_t until)
{
    return until > 0 ? l->inserted >= until : may_update_locked(l);
}

static int limiter_wait(struct limiter *l, uint64_t until, double timeout_s)
{
    struct timespec deadline = clock_deadline(timeout_s);
    int             code = 0;
    pthread_mutex_lock(&l->lock);
    while (code == 0 && !wait_is_over(l, until)) {
        bool                warm = l->inserted >= l->config.start;
        enum limiter_reason reason = warm ? LIMITER_WAIT_INSERTS : LIMITER_WARMUP;
        wait_begin(l, reason, clock_now());
        code = pthread_cond_timedwait(&l->changed, &l->lock, &deadline) == 0 ? 0 : ERR_TIMEOUT;
        wait_end(l, reason, clock_now());
    }
    if (wait_is_over(l, until))
        code = 0;
    pthread_mutex_unlock(&l->lock);
    return code;
}

int limiter_wait_update(struct limiter *l, double timeout_s)
{
    return limiter_wait(l, 0, timeout_s);
}

int limiter_wait_inserted(struct limiter *l, uint64_t n, double timeout_s)
{
    assert(n > 0);
    return limiter_wait(l, n, timeout_s);
}

void limiter_hold(struct limiter *l, bool held)
{
    pthread_mutex_lock(&l->lock);
    if (held)
        wait_begin(l, LIMITER_WAIT_SAMPLES, clock_now());
    else
        wait_end(l, LIMITER_WAIT_SAMPLES, clock_now());
    pthread_mutex_unlock(&l->lock);
}

// ------ telling

void limiter_read(struct limiter *l, struct limiter_state *state)
{
    double now = clock_now();
    pthread_mutex_lock(&l->lock);
    state->inserted = l->inserted;
    state->updates = l->updates;
    for (size_t i = 0; i < LIMITER_REASONS; i++)
        state->waited[i] = l->waited[i] + (l->since[i] > 0.0 ? now - l->since[i] : 0.0);
    pthread_mutex_unlock(&l->lock);
    state->ratio = state->inserted > l->config.start
                       ? (double)state->updates / (double)(state->inserted - l->config.start)
                       : (double)NAN;
}
