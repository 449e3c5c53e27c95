#include "learner/transition_state.h"

#include "common/clock.h"
#include "common/log.h"
#include "learner/intake.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TICK_S 0.1
#define FAREWELL_S 0.3
#define TOPICS 64
#define BATCH 256  // frames between two rounds of credits

// ------ the network thread

// an actor whose key was removed is cut, and everyone who listens to weights has to show a key again
static void keys_check(struct transition_recv *tr, double now)
{
    keys_refresh(tr->keys, now);
    if (tr->keys->removals == tr->removals)
        return;
    tr->removals = tr->keys->removals;
    reception_recheck(&tr->reception, now);
    link_cut_all(tr->publisher);
}

// each topic takes memory until its subscriber is gone, and cannot be told whose it is
static void topics_check(struct transition_recv *tr)
{
    if (tr->weights.topics < TOPICS)
        return;
    tr->weights.topics = 0;
    reception_reject(&tr->reception, REJECT_FLOOD, "?", "too many subscriptions to weights");
    link_cut_all(tr->publisher);
}

static void network_tick(struct transition_recv *tr, double now)
{
    reception_tick(&tr->reception, now);
    reception_failures(&tr->reception, link_failures(tr->publisher));
    if (tr->keys != NULL)
        keys_check(tr, now);
    topics_check(tr);
}

static void network_round(struct transition_recv *tr, bool tick)
{
    struct reception *r = &tr->reception;
    struct link_frame frame;
    double            now = clock_now();
    pthread_mutex_lock(&r->lock);
    for (int i = 0; i < BATCH && link_recv(tr->router, &frame); i++)
        intake_frame(r, &frame, now);
    reception_errands(r);
    reception_settle(r, r->starved);
    if (tick)
        network_tick(tr, now);
    pthread_mutex_unlock(&r->lock);
    weights_send_service(&tr->weights, now);
    if (tr->zap != NULL)
        link_zap_serve(tr->zap);
}

static void *network_main(void *context)
{
    struct transition_recv *tr = context;
    struct link *const      links[] = {tr->router, tr->publisher, tr->zap};
    double                  next = clock_now();
    while (!atomic_load(&tr->quit)) {
        double wait = next - clock_now();
        link_poll(links, 3, tr->wake_fd, wait > 0.0 ? wait : 0.0);
        link_wake_clear(tr->wake_fd);
        bool tick = clock_now() >= next;
        if (tick)
            next = clock_now() + TICK_S;
        network_round(tr, tick);
    }
    return NULL;
}

static void on_limiter_open(void *context)
{
    struct transition_recv *tr = context;
    link_wake(tr->wake_fd);
}

// ------ start

static int addresses_check(const struct transition_recv_config *c, struct error *err)
{
    static const char risk[] =
        "anyone who reaches the port can read the policy and write into the replay memory";
    for (size_t i = 0; i < c->n_bind; i++) {
        if (link_address_is_local(c->bind[i]) || c->keys != NULL)
            continue;
        if (!c->insecure)
            return error_set(err, ERR_SPEC,
                             "%s can be reached from other machines: give --keys DIR (make one "
                             "with keygen), or --insecure, with which %s",
                             c->bind[i], risk);
        log_warn("wire", "--insecure at %s: %s", c->bind[i], risk);
    }
    return 0;
}

static int sockets_open(struct transition_recv *tr, const struct transition_recv_config *c,
                        struct error *err)
{
    struct link_options options = {
        .max_message = MESSAGE_ROWS_MAX + MESSAGE_OVERHEAD,
        .send_queue = 256,
        // what may be under way is bound by credits, and who sends more is cut
        .recv_queue = 0,
        .heartbeat_s = c->reception.heartbeat_s,
        .heartbeat_timeout_s = c->reception.timeout_s,
        .linger_s = 3.0,
    };
    keys_apply(c->keys, &options);
    if (c->keys != NULL) {
        tr->zap = link_zap_open(tr->hub, keys_allow, c->keys, err);
        if (tr->zap == NULL)
            return err->code;
    }
    tr->router = link_open(tr->hub, LINK_ROUTER, &options, err);
    // subscriptions are small, CURVE's handshake is not quite; of weights only the newest count
    options.max_message = 2048;
    options.send_queue = 2;
    tr->publisher = link_open(tr->hub, LINK_XPUB, &options, err);
    return tr->router != NULL && tr->publisher != NULL ? 0 : err->code;
}

static int sockets_bind(struct transition_recv *tr, const struct transition_recv_config *c,
                        struct error *err)
{
    char weights[LINK_ADDRESS];
    int  code = 0;
    for (size_t i = 0; i < c->n_bind && code == 0; i++) {
        code = link_weights_address(weights, c->bind[i], err);
        if (code == 0)
            code = link_bind(tr->router, c->bind[i], err);
        if (code == 0)
            code = link_bind(tr->publisher, weights, err);
    }
    return code;
}

static int recv_open(struct transition_recv *tr, const struct transition_recv_config *c,
                     struct error *err)
{
    int code = addresses_check(c, err);
    tr->wake_fd = -1;
    if (code < 0 || (code = reception_init(&tr->reception, &c->reception, err)) < 0)
        return code;
    tr->has_reception = true;
    tr->keys = c->keys;
    if (c->keys != NULL) {
        tr->removals = c->keys->removals;
        tr->reception.config.allow = keys_allow;
        tr->reception.config.allow_context = c->keys;
    }
    tr->wake_fd = link_wake_open(err);
    tr->hub = link_hub_open(8, err);
    if (tr->wake_fd < 0 || tr->hub == NULL)
        return err->code;
    code = sockets_open(tr, c, err);
    tr->reception.router = tr->router;
    weights_send_init(&tr->weights, c->reception.run_id, c->reception.incarnation, tr->publisher,
                      tr->wake_fd);
    if (code == 0)
        code = sockets_bind(tr, c, err);
    if (code == 0 && pthread_create(&tr->thread, NULL, network_main, tr) != 0)
        code = error_set(err, ERR_SYSTEM, "cannot start the network thread");
    tr->running = code == 0;
    return code;
}

static void recv_free(struct transition_recv *tr)
{
    if (tr->running) {
        atomic_store(&tr->quit, true);
        link_wake(tr->wake_fd);
        pthread_join(tr->thread, NULL);
    }
    link_close(tr->router);
    link_close(tr->publisher);
    link_close(tr->zap);
    link_hub_close(tr->hub);
    link_wake_close(tr->wake_fd);
    weights_send_free(&tr->weights);
    if (tr->has_reception)
        reception_free(&tr->reception);
    free(tr);
}

struct transition_recv *transition_recv_start(const struct transition_recv_config *config,
                                              struct error                        *err)
{
    struct error            local;
    struct transition_recv *tr = calloc(1, sizeof *tr);
    err = err == NULL ? &local : err;
    if (tr == NULL) {
        error_set(err, ERR_MEMORY, "no memory for the wire");
        return NULL;
    }
    if (recv_open(tr, config, err) < 0) {
        recv_free(tr);
        return NULL;
    }
    return tr;
}

// ------ stop

static void stop_ask(struct transition_recv *tr, uint64_t role, const char *reason)
{
    struct reception *r = &tr->reception;
    pthread_mutex_lock(&r->lock);
    snprintf(r->stop.reason, sizeof r->stop.reason, "%s", reason);
    r->stop_asked[role] = true;
    pthread_mutex_unlock(&r->lock);
    link_wake(tr->wake_fd);
}

void transition_recv_stop_actors(struct transition_recv *tr, const char *reason)
{
    stop_ask(tr, ROLE_ACTOR, reason);
}

void transition_recv_pause(struct transition_recv *tr)
{
    if (tr == NULL)
        return;
    pthread_mutex_lock(&tr->reception.lock);
    tr->reception.stop.returns = true;
    pthread_mutex_unlock(&tr->reception.lock);
}

void transition_recv_stop(struct transition_recv *tr, const char *reason, double drain_s)
{
    if (tr == NULL)
        return;
    struct reception *r = &tr->reception;
    struct timespec   deadline = clock_deadline(drain_s);
    stop_ask(tr, ROLE_ACTOR, reason);
    stop_ask(tr, ROLE_EVALUATOR, reason);
    pthread_mutex_lock(&r->lock);
    while (transition_live(r, ROLE_ACTOR, false) + transition_live(r, ROLE_EVALUATOR, false) > 0)
        if (pthread_cond_timedwait(&r->changed, &r->lock, &deadline) != 0)
            break;
    pthread_mutex_unlock(&r->lock);
    // a connection that is closed with something unread takes the last answers down with it
    clock_sleep(FAREWELL_S);
    recv_free(tr);
}

// ------ opening, weights

int transition_recv_wait_task(struct transition_recv *tr, struct reception_task *task,
                              double timeout_s)
{
    struct reception *r = &tr->reception;
    struct timespec   deadline = clock_deadline(timeout_s);
    int               code = 0;
    pthread_mutex_lock(&r->lock);
    while (!r->task.known && code == 0)
        code = pthread_cond_timedwait(&r->changed, &r->lock, &deadline) == 0 ? 0 : ERR_TIMEOUT;
    if (r->task.known) {
        *task = r->task;
        code = 0;
    }
    pthread_mutex_unlock(&r->lock);
    return code;
}

int transition_recv_open(struct transition_recv *tr, struct replay *replay, struct limiter *limiter,
                         struct error *err)
{
    struct reception *r = &tr->reception;
    limiter_on_open(limiter, on_limiter_open, tr);
    pthread_mutex_lock(&r->lock);
    int code = reception_open(r, replay, limiter, err);
    pthread_mutex_unlock(&r->lock);
    link_wake(tr->wake_fd);
    return code;
}

int transition_recv_publish(struct transition_recv *tr, uint64_t version, const float *floats,
                            size_t n, struct error *err)
{
    int code = weights_send_publish(&tr->weights, version, floats, n, err);
    if (code < 0)
        return code;
    pthread_mutex_lock(&tr->reception.lock);
    tr->reception.version = version;
    pthread_mutex_unlock(&tr->reception.lock);
    return 0;
}

// ------ lock-step

int transition_recv_wait_actors(struct transition_recv *tr, size_t n, double timeout_s)
{
    struct reception *r = &tr->reception;
    struct timespec   deadline = clock_deadline(timeout_s);
    int               code = 0;
    pthread_mutex_lock(&r->lock);
    while (transition_live(r, ROLE_ACTOR, true) < n && code == 0)
        code = pthread_cond_timedwait(&r->changed, &r->lock, &deadline) == 0 ? 0 : ERR_TIMEOUT;
    if (transition_live(r, ROLE_ACTOR, true) >= n)
        code = 0;
    pthread_mutex_unlock(&r->lock);
    return code;
}

int transition_recv_grant(struct transition_recv *tr, size_t slot, uint64_t rows,
                          uint64_t min_version, uint64_t epoch, struct error *err)
{
    struct reception *r = &tr->reception;
    struct peer      *p = &r->peers.peers[slot];
    int               code = 0;
    assert(slot < r->peers.actors && r->config.lockstep);
    pthread_mutex_lock(&r->lock);
    if (p->live && p->ready) {
        p->granted += rows;
        r->in_flight += rows;
        p->min_version = min_version;
        p->epoch = epoch;
        p->untold = r->untold = true;
        assert(p->granted - p->in <= r->config.credit_window);
    } else {
        code = error_set(err, ERR_SYSTEM, "the actor of slot %zu is gone", slot);
    }
    pthread_mutex_unlock(&r->lock);
    link_wake(tr->wake_fd);
    return code;
}

int transition_recv_collect(struct transition_recv *tr, size_t slot, uint64_t n, double timeout_s,
                            struct error *err)
{
    struct reception *r = &tr->reception;
    struct peer      *p = &r->peers.peers[slot];
    struct timespec   deadline = clock_deadline(timeout_s);
    int               code = 0;
    assert(slot < r->peers.actors && r->config.lockstep);
    pthread_mutex_lock(&r->lock);
    while (p->staged < n && code == 0)
        if (pthread_cond_timedwait(&r->changed, &r->lock, &deadline) != 0)
            code = error_set(err, ERR_TIMEOUT, "slot %zu: no rows in %g s%s", slot, timeout_s,
                             p->live ? "" : ", its actor is gone");
    if (code == 0)
        intake_unstage(r, p, n);
    pthread_mutex_unlock(&r->lock);
    link_wake(tr->wake_fd);
    return code;
}
