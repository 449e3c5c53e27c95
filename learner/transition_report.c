#include "learner/transition_state.h"

#include "common/clock.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// ------ evaluation

static bool eval_prepare(struct reception_eval *eval, size_t floats)
{
    size_t capacity = MESSAGE_OVERHEAD + floats * sizeof(float);
    if (eval->busy || eval->done)
        return false;
    if (eval->frame_capacity < capacity) {
        free(eval->frame);
        eval->frame = malloc(capacity);
        eval->frame_capacity = eval->frame == NULL ? 0 : capacity;
    }
    return eval->frame != NULL;
}

bool transition_recv_evaluate(struct transition_recv *tr, uint64_t version, uint64_t timesteps,
                              uint64_t episodes, uint64_t seed, const float *floats, size_t n)
{
    struct reception *r = &tr->reception;
    struct message    m = {.kind = MESSAGE_EVAL_REQUEST};
    assert(episodes <= MESSAGE_EPISODES_MAX);
    m.eval_request = (struct eval_request){
        .version = version,
        .timesteps = timesteps,
        .episodes = episodes,
        .seed = seed,
        .weights = {floats, n * sizeof(float)},
    };
    pthread_mutex_lock(&r->lock);
    bool taken = eval_prepare(&r->eval, n);
    if (taken) {
        r->eval.frame_size = message_encode(r->eval.frame, r->eval.frame_capacity, &m);
        r->eval.version = version;
        r->eval.timesteps = timesteps;
        r->eval.episodes = episodes;
        r->eval.seed = seed;
        r->eval.busy = true;
        r->eval.asked = false;
    }
    pthread_mutex_unlock(&r->lock);
    link_wake(tr->wake_fd);
    return taken;
}

bool transition_recv_take_eval(struct transition_recv *tr, struct transition_recv_eval *eval)
{
    struct reception *r = &tr->reception;
    pthread_mutex_lock(&r->lock);
    bool done = r->eval.done;
    if (done) {
        eval->version = r->eval.version;
        eval->timesteps = r->eval.timesteps;
        eval->seed = r->eval.seed;
        eval->n = r->eval.n;
        memcpy(eval->list, r->eval.list, eval->n * sizeof eval->list[0]);
        r->eval.done = false;
    }
    pthread_mutex_unlock(&r->lock);
    return done;
}

// ------ reports

size_t transition_live(const struct reception *r, uint64_t role, bool ready)
{
    size_t n = 0;
    for (size_t i = 0; i < r->peers.n; i++) {
        const struct peer *p = &r->peers.peers[i];
        n += p->live && p->role == role && (p->ready || !ready);
    }
    return n;
}

bool transition_recv_take_episode(struct transition_recv *tr, struct reception_event *event)
{
    struct reception *r = &tr->reception;
    pthread_mutex_lock(&r->lock);
    bool some = r->n_events > 0;
    if (some) {
        *event = r->events[r->event_first];
        r->event_first = (r->event_first + 1) % RECEPTION_EVENTS;
        r->n_events--;
    }
    pthread_mutex_unlock(&r->lock);
    return some;
}

static double lag_quantile(const struct reception *r, double q)
{
    if (r->lag_rows == 0)
        return (double)NAN;
    uint64_t rank = (uint64_t)ceil(q * (double)r->lag_rows), seen = 0;
    size_t   lag = 0;
    for (; lag < RECEPTION_LAGS - 1; lag++) {
        seen += r->lag[lag];
        if (seen >= rank)
            break;
    }
    return (double)lag;
}

void transition_recv_read(struct transition_recv *tr, struct transition_recv_counters *c,
                          bool reset_lag)
{
    struct reception *r = &tr->reception;
    memset(c, 0, sizeof *c);
    pthread_mutex_lock(&r->lock);
    c->rows = r->rows;
    c->episodes = r->episodes;
    c->lost = r->lost;
    c->duplicates = r->duplicates;
    for (size_t i = 0; i < r->peers.actors; i++) {
        c->lost += r->peers.peers[i].lost;
        c->duplicates += r->peers.peers[i].duplicates;
    }
    memcpy(c->rejected, r->rejected, sizeof c->rejected);
    c->actors = transition_live(r, ROLE_ACTOR, true);
    c->evaluators = transition_live(r, ROLE_EVALUATOR, true);
    c->version = r->version;
    c->in_flight = r->in_flight;
    c->lag_p50 = lag_quantile(r, 0.5);
    c->lag_p99 = lag_quantile(r, 0.99);
    c->lag_max = lag_quantile(r, 1.0);
    if (reset_lag) {
        memset(r->lag, 0, sizeof r->lag);
        r->lag_rows = 0;
    }
    pthread_mutex_unlock(&r->lock);
}

static void peer_copy(struct transition_recv_peer *out, const struct peer *p, uint64_t version,
                      double now)
{
    *out = (struct transition_recv_peer){
        .slot = p->slot,
        .incarnation = p->incarnation,
        .restarts = p->restarts,
        .role = p->role,
        .live = p->live,
        .ready = p->ready,
        .rows = p->rows,
        .lost = p->lost,
        .duplicates = p->duplicates,
        .in_flight = p->granted - p->in - p->staged,
        .rows_per_s = p->rows_per_s,
        .steps_per_s = p->stats.steps_per_s,
        .rtt_s = p->rtt_s,
        .last_seen_s = now - p->last_seen,
        .weights_age_s = p->stats.weights_age_s,
        .lag_versions = version > p->stats.version ? version - p->stats.version : 0,
        .env_broken = p->stats.env_broken,
        .wait_ms = p->stats.wait_ms,
        .weights_bad = p->stats.weights_bad,
    };
    memcpy(out->name, p->name, sizeof out->name);
    memcpy(out->host, p->host, sizeof out->host);
    memcpy(out->address, p->address, sizeof out->address);
}

size_t transition_recv_peers(struct transition_recv *tr, struct transition_recv_peer *peers,
                             size_t n)
{
    struct reception *r = &tr->reception;
    size_t            filled = 0;
    double            now = clock_now();
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->peers.n && filled < n; i++)
        if (r->peers.peers[i].used)
            peer_copy(&peers[filled++], &r->peers.peers[i], r->version, now);
    pthread_mutex_unlock(&r->lock);
    return filled;
}
