#include "learner/reception.h"

#include "common/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOOMED_BYTES (1u << 16)

static const char *const reject_names[REJECT_REASONS] = {
    "malformed", "handshake", "stranger", "protocol",   "name",  "full", "mismatch",
    "stale",     "credit",    "rows",     "unexpected", "flood", "slow",
};

const char *reject_name(enum reject_reason reason)
{
    return reject_names[reason];
}

int reception_init(struct reception *r, const struct reception_config *config, struct error *err)
{
    memset(r, 0, sizeof *r);
    r->config = *config;
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&r->changed, &attr);
    pthread_condattr_destroy(&attr);
    r->out_size = MESSAGE_OVERHEAD + config->spec_size + config->assets_size;
    r->out = malloc(r->out_size);
    if (r->out == NULL)
        return error_set(err, ERR_MEMORY, "no memory for answers of %zu bytes", r->out_size);
    int code = peer_table_init(&r->peers, config->max_actors, err);
    for (size_t i = 0; code == 0 && config->marks != NULL && i < config->max_actors; i++)
        peer_restore(&r->peers.peers[i], &config->marks[i]);
    return code;
}

void reception_free(struct reception *r)
{
    peer_table_free(&r->peers);
    free(r->eval.frame);
    free(r->out);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
}

// a peer that is held to rows in lock-step keeps them here until the learner's schedule takes them
static int stage_make(struct reception *r, struct peer *p, struct error *err)
{
    size_t bytes = r->config.credit_window * r->shape.words * sizeof(float);
    p->stage = malloc(bytes);
    return p->stage != NULL ? 0
                            : error_set(err, ERR_MEMORY, "no memory for %zu staged bytes", bytes);
}

int reception_open(struct reception *r, struct replay *replay, struct limiter *limiter,
                   struct error *err)
{
    size_t columns = r->task.discrete ? 1 : (size_t)r->task.action;
    r->shape = row_shape_make((size_t)r->task.obs, columns);
    for (size_t i = 0; r->config.lockstep && i < r->peers.actors; i++)
        if (stage_make(r, &r->peers.peers[i], err) < 0)
            return err->code;
    // whoever came before the replay was there
    for (size_t i = 0; i < r->peers.actors; i++) {
        const struct replay_mark mark = peer_mark(&r->peers.peers[i]);
        if (replay_mark(replay, i).incarnation != mark.incarnation)
            replay_claim(replay, i, &mark);
    }
    r->replay = replay;
    r->limiter = limiter;
    return 0;
}

// ------ answers

static void say(struct reception *r, enum reject_reason reason, const char *who, const char *what)
{
    unsigned long long held;
    if (!log_limit_pass(&r->limits[reason], &held))
        return;
    if (held > 0)
        log_warn("wire", "%s: %s: %s (and %llu more)", reject_names[reason], who, what, held);
    else
        log_warn("wire", "%s: %s: %s", reject_names[reason], who, what);
}

void reception_reject(struct reception *r, enum reject_reason reason, const char *who,
                      const char *what)
{
    r->rejected[reason]++;
    say(r, reason, who, what);
}

void reception_doom(struct reception *r, struct link_connection connection, double now)
{
    for (size_t i = 0; i < r->n_doomed; i++)
        if (r->doomed[i].connection.inode == connection.inode)
            return;
    if (r->n_doomed == RECEPTION_DOOMED) {
        link_cut(connection);
        return;
    }
    r->doomed[r->n_doomed].bytes = 0;
    r->doomed[r->n_doomed].at = now + 0.2;
    r->doomed[r->n_doomed++].connection = connection;
}

bool reception_doomed(struct reception *r, const struct link_frame *frame)
{
    for (size_t i = 0; i < r->n_doomed; i++) {
        struct link_connection c = r->doomed[i].connection;
        if (c.fd < 0 || c.fd != frame->fd ||
            link_connection(frame->fd, frame->address).inode != c.inode)
            continue;
        r->doomed[i].bytes += frame->size + 64;
        if (r->doomed[i].bytes > DOOMED_BYTES)
            link_cut(c);
        return true;
    }
    return false;
}

void reception_refuse(struct reception *r, const struct link_peer *link, enum refused_code code,
                      const char *what)
{
    struct message m = {.kind = MESSAGE_REFUSED};
    m.refused.code = (uint64_t)code;
    snprintf(m.refused.reason, sizeof m.refused.reason, "%s", what);
    size_t size = message_encode(r->out, r->out_size, &m);
    link_send(r->router, link, r->out, size);
}

void reception_expel(struct reception *r, const struct link_frame *frame, struct peer *p,
                     enum reject_reason reason, enum refused_code code, const char *what)
{
    char who[160];
    snprintf(who, sizeof who, "%s %s", p != NULL ? p->name : "?", frame->address);
    reception_reject(r, reason, who, what);
    reception_refuse(r, &frame->peer, code, what);
    reception_doom(r, link_connection(frame->fd, frame->address), clock_now());
    if (p != NULL)
        reception_leave(r, p, what);
}

void reception_send(struct reception *r, struct peer *p, const struct message *m)
{
    if (!p->bound)
        return;
    size_t size = message_encode(r->out, r->out_size, m);
    int    code = link_send(r->router, &p->link, r->out, size);
    if (code == LINK_GONE)
        reception_leave(r, p, "connection lost");
    if (code != LINK_FULL)
        return;
    reception_reject(r, REJECT_SLOW, p->name, "does not read what it is sent");
    link_cut(p->connection);
    reception_leave(r, p, "does not read");
}

static void stop_role(struct reception *r, uint64_t role)
{
    struct message m = {.kind = MESSAGE_STOP};
    m.stop = r->stop;
    r->stopping[role] = true;
    for (size_t i = 0; i < r->peers.n; i++)
        if (r->peers.peers[i].live && r->peers.peers[i].role == role)
            reception_send(r, &r->peers.peers[i], &m);
}

// ------ credits

static uint64_t peer_open_rows(const struct peer *p)
{
    return p->granted - p->in - p->staged;
}

void reception_tell(struct reception *r, struct peer *p)
{
    struct message m = {.kind = MESSAGE_CREDIT};
    m.credit = (struct credit){
        .granted = p->granted,
        .acknowledged = p->in,
        .resend = p->resend,
        .min_version = p->min_version,
        .epoch = p->epoch,
    };
    p->told = p->in;
    p->resend = false;
    reception_send(r, p, &m);
}

void reception_grant(struct reception *r, struct peer *p, uint64_t n)
{
    uint64_t lag = r->config.max_policy_lag;
    // once there are weights nobody goes on with random actions
    if (!r->config.lockstep)
        p->min_version = lag > 0 && r->version > lag ? r->version - lag : r->version > 0;
    p->granted += n;
    r->in_flight += n;
    reception_tell(r, p);
}

void reception_revoke(struct reception *r, struct peer *p)
{
    // a schedule's round is not over because a connection broke
    if (r->config.lockstep)
        return;
    r->in_flight -= peer_open_rows(p);
    peer_revoke(p);
}

void reception_leave(struct reception *r, struct peer *p, const char *why)
{
    if (p->leaving && p->leaving_last > p->in + p->staged) {
        p->given_up = p->leaving_last - p->in - p->staged;
        p->lost += p->given_up;
    }
    reception_revoke(r, p);
    peer_unbind(&r->peers, p);
    if (p->live)
        log_info("wire", "%s (slot %llu) is gone: %s", p->name, (unsigned long long)p->slot, why);
    r->live -= p->live && p->role == ROLE_ACTOR;
    p->live = p->ready = p->leaving = false;
    if (r->eval.asked && r->eval.slot == p->slot)
        r->eval.asked = false;
    pthread_cond_broadcast(&r->changed);
}

// Fewest rows worth a message: not so many that a starved learner could not be fed.
static uint64_t credit_quantum(const struct reception *r, uint64_t window)
{
    uint64_t quantum = r->limiter->config.tolerance / (4 * (r->live + 1));
    quantum = quantum < window / 2 ? quantum : window / 2;
    quantum = quantum < r->config.block_rows ? quantum : r->config.block_rows;
    return quantum > 0 ? quantum : 1;
}

// Rows that one actor may have in flight: its own window, within what all together may hold.
static uint64_t credit_window(const struct reception *r, const struct peer *p)
{
    uint64_t window = peer_window(p, r->config.block_rows, r->config.credit_window);
    uint64_t share = RECEPTION_IN_FLIGHT / (4 * r->shape.words) / (r->live + 1);
    window = window < share ? window : share;
    return window > 1 ? window : 2;
}

// One actor's turn; *room is what the limiter leaves. Says whether its window is full.
static bool credit_peer(struct reception *r, struct peer *p, uint64_t *room, bool last)
{
    uint64_t window = credit_window(r, p);
    uint64_t open = peer_open_rows(p);
    if (open <= window / 2) {
        uint64_t want = window - open;
        uint64_t n = want < *room ? want : *room;
        if (n > 0 && (n == want || last || n >= credit_quantum(r, window))) {
            *room -= n;
            reception_grant(r, p, n);
            return n == want;
        }
    }
    // an actor keeps rows until it knows that they are in
    if (p->in - p->told >= window / 2 || (p->resend && open > 0))
        reception_tell(r, p);
    return open > window / 2;
}

static bool credit_due(const struct reception *r, const struct peer *p)
{
    return p->live && p->ready && p->role == ROLE_ACTOR && !r->stopping[ROLE_ACTOR];
}

void reception_settle(struct reception *r, bool all)
{
    if (r->limiter == NULL || r->config.lockstep) {
        r->n_dirty = 0;
        return;
    }
    bool     last;
    uint64_t allowance = limiter_insert_allowance(r->limiter, &last);
    uint64_t room = allowance > r->in_flight ? allowance - r->in_flight : 0;
    size_t   n = all ? r->peers.actors : r->n_dirty;
    bool     starved = false, passed_over = false;
    size_t   turn = r->turn;
    for (size_t i = 0; i < n; i++) {
        size_t       slot = all ? (turn + i) % n : r->dirty[i];
        struct peer *p = &r->peers.peers[slot];
        uint64_t     before = room;
        if (!credit_due(r, p) || credit_peer(r, p, &room, last))
            continue;
        starved = true;
        // whoever comes away with nothing is first in the next round, not who got a part
        if (!passed_over && room == before) {
            r->turn = slot;
            passed_over = true;
        }
    }
    r->n_dirty = 0;
    r->starved = all ? starved : r->starved || starved;
    limiter_hold(r->limiter, r->starved && !(last && room == 0));
}

// ------ tick

static void heartbeat(struct reception *r, struct peer *p, double now)
{
    struct message m = {.kind = MESSAGE_HEARTBEAT};
    m.heartbeat.stamp = (uint64_t)(now * 1e9);
    p->beat_at = now;
    if (p->in != p->told && p->ready)
        reception_tell(r, p);
    reception_send(r, p, &m);
}

static void eval_dispatch(struct reception *r)
{
    for (size_t i = r->peers.actors; i < r->peers.n && !r->eval.asked; i++) {
        struct peer *p = &r->peers.peers[i];
        if (!p->live || !p->ready)
            continue;
        r->eval.asked =
            link_send(r->router, &p->link, r->eval.frame, r->eval.frame_size) == LINK_SENT;
        r->eval.slot = i;
    }
}

void reception_errands(struct reception *r)
{
    for (uint64_t role = ROLE_ACTOR; role <= ROLE_EVALUATOR; role++)
        if (r->stop_asked[role] && !r->stopping[role])
            stop_role(r, role);
    for (size_t i = 0; i < r->peers.actors && r->untold; i++) {
        struct peer *p = &r->peers.peers[i];
        if (p->untold)
            reception_tell(r, p);
        p->untold = false;
    }
    r->untold = false;
    if (r->eval.busy && !r->eval.asked)
        eval_dispatch(r);
}

static void doom_fulfil(struct reception *r, double now)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->n_doomed; i++) {
        if (now >= r->doomed[i].at)
            link_cut(r->doomed[i].connection);
        else
            r->doomed[kept++] = r->doomed[i];
    }
    r->n_doomed = kept;
}

void reception_tick(struct reception *r, double now)
{
    doom_fulfil(r, now);
    for (size_t i = 0; i < r->peers.n; i++) {
        struct peer *p = &r->peers.peers[i];
        peer_rate(p, 0, now);
        if (p->live && now - p->last_seen > r->config.timeout_s)
            reception_leave(r, p, "not heard of for too long");
        else if (p->live && now - p->beat_at >= r->config.heartbeat_s)
            heartbeat(r, p, now);
    }
    reception_errands(r);
    reception_failures(r, link_failures(r->router));
    reception_settle(r, true);
}

void reception_failures(struct reception *r, uint64_t failures)
{
    if (failures == 0)
        return;
    r->rejected[REJECT_HANDSHAKE] += failures;
    say(r, REJECT_HANDSHAKE, "?", "a connection that speaks no ZMTP or has no fitting key");
}

void reception_recheck(struct reception *r, double now)
{
    static const char what[] = "its key is not allowed any more";
    for (size_t i = 0; i < r->peers.n && r->config.allow != NULL; i++) {
        struct peer *p = &r->peers.peers[i];
        if (!p->live || !p->bound || r->config.allow(r->config.allow_context, p->key))
            continue;
        reception_reject(r, REJECT_HANDSHAKE, p->name, what);
        reception_refuse(r, &p->link, REFUSED_INVALID, what);
        reception_doom(r, p->connection, now);
        reception_leave(r, p, what);
    }
}
