#include "learner/intake.h"

#include "common/log.h"
#include "learner/handshake.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// ------ rows

static void lag_count(struct reception *r, const uint8_t *rows, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        uint64_t version = row_word(rows + 4 * i * r->shape.words, r->shape.version);
        uint64_t lag = r->version > version ? r->version - version : 0;
        // version 0 is a random action: no weights were behind it
        if (version == 0)
            continue;
        r->lag[lag < RECEPTION_LAGS ? lag : RECEPTION_LAGS - 1]++;
        r->lag_rows++;
    }
}

static void rows_insert(struct reception *r, struct peer *p, const uint8_t *rows, uint64_t n)
{
    p->in += n;
    const struct replay_mark mark = peer_mark(p);
    replay_insert(r->replay, rows, (size_t)n, (size_t)p->slot, &mark);
    limiter_inserted(r->limiter, n);
    lag_count(r, rows, n);
    p->rows += n;
    r->rows += n;
    r->in_flight -= n;
}

void intake_unstage(struct reception *r, struct peer *p, uint64_t n)
{
    size_t bytes = 4 * (size_t)n * r->shape.words;
    p->staged -= n;
    rows_insert(r, p, p->stage, n);
    memmove(p->stage, p->stage + bytes, 4 * (size_t)p->staged * r->shape.words);
    p->untold = r->untold = true;
}

static void rows_stage(struct reception *r, struct peer *p, const uint8_t *rows, uint64_t n)
{
    memcpy(p->stage + 4 * (size_t)p->staged * r->shape.words, rows, 4 * (size_t)n * r->shape.words);
    p->staged += n;
    pthread_cond_broadcast(&r->changed);
}

static void bye_finish(struct reception *r, struct peer *p)
{
    struct message m = {.kind = MESSAGE_BYE_ACK};
    m.bye_ack.last = p->in + p->staged;
    reception_send(r, p, &m);
    reception_leave(r, p, "left");
}

static void rows_take(struct reception *r, struct peer *p, const struct transitions *t,
                      uint64_t skip, double now)
{
    const uint8_t *rows = (const uint8_t *)t->rows.data + 4 * skip * r->shape.words;
    uint64_t       n = t->n - skip;
    if (r->config.lockstep)
        rows_stage(r, p, rows, n);
    else
        rows_insert(r, p, rows, n);
    peer_rate(p, n, now);
    if (p->leaving && p->in + p->staged >= p->leaving_last)
        bye_finish(r, p);
    else if (r->n_dirty < sizeof r->dirty / sizeof r->dirty[0])
        r->dirty[r->n_dirty++] = (size_t)p->slot;
}

// NULL when a block may be judged by its numbers
static const char *block_check(const struct reception *r, const struct peer *p,
                               const struct transitions *t, enum reject_reason *reason)
{
    *reason = REJECT_UNEXPECTED;
    if (p->role != ROLE_ACTOR || !p->ready || r->replay == NULL)
        return "TRANSITIONS from a peer that has no credit";
    *reason = REJECT_ROWS;
    if (t->n == 0 || t->n > r->config.block_rows || t->rows.size != 4 * t->n * r->shape.words)
        return "TRANSITIONS whose size is not rows x words";
    *reason = REJECT_STALE;
    if (t->slot != p->slot)
        return "TRANSITIONS of another slot";
    *reason = REJECT_ROWS;
    return rows_check(t->rows.data, (size_t)t->n, r->shape,
                      r->task.discrete ? (size_t)r->task.action : 0);
}

static void take_transitions(struct reception *r, const struct link_frame *frame, struct peer *p,
                             const struct transitions *t, double now)
{
    enum reject_reason reason;
    const char        *what = block_check(r, p, t, &reason);
    if (what != NULL) {
        reception_expel(r, frame, p, reason, REFUSED_INVALID, what);
        return;
    }
    uint64_t skip = 0, open = p->granted - p->in - p->staged, lost = p->lost;
    switch (peer_judge(p, t->incarnation, t->first, t->n, now, &skip)) {
    case PEER_ACCEPT:
        // rows that will never come need no credit any more
        r->in_flight -= open - (p->granted - p->in - p->staged);
        if (p->lost > lost)
            log_warn("wire", "%s: %llu rows are lost", p->name,
                     (unsigned long long)(p->lost - lost));
        rows_take(r, p, t, skip, now);
        break;
    case PEER_GAP:
        reception_tell(r, p);
        break;
    case PEER_STALE:
        reception_expel(r, frame, p, REJECT_STALE, REFUSED_REPLACED,
                        "TRANSITIONS of another incarnation");
        break;
    case PEER_OVER:
        reception_expel(r, frame, p, REJECT_CREDIT, REFUSED_INVALID,
                        "TRANSITIONS beyond what was granted");
        break;
    default:
        if (peer_floods(p, now))
            reception_expel(r, frame, p, REJECT_FLOOD, REFUSED_INVALID, "too many repeated rows");
    }
}

// ------ reports

static void event_push(struct reception *r, const struct peer *p, const struct episode *episode)
{
    r->episodes++;
    if (r->n_events == RECEPTION_EVENTS) {
        r->events_dropped++;
        return;
    }
    struct reception_event *e = &r->events[(r->event_first + r->n_events++) % RECEPTION_EVENTS];
    e->slot = p->slot;
    e->episode = *episode;
    memcpy(e->name, p->name, sizeof e->name);
}

// says whether a span is whole, finite episodes
static bool episodes_check(const struct span *list)
{
    if (list->size % sizeof(struct episode) != 0)
        return false;
    for (size_t at = 0; at < list->size; at += sizeof(struct episode)) {
        struct episode e;
        memcpy(&e, (const uint8_t *)list->data + at, sizeof e);
        if (!isfinite(e.ret) || !isfinite(e.seconds))
            return false;
    }
    return true;
}

static const char *take_episodes(struct reception *r, const struct peer *p,
                                 const struct episodes *m)
{
    if (!episodes_check(&m->list))
        return "EPISODES that are not";
    for (size_t at = 0; at < m->list.size; at += sizeof(struct episode)) {
        struct episode e;
        memcpy(&e, (const uint8_t *)m->list.data + at, sizeof e);
        event_push(r, p, &e);
    }
    return NULL;
}

static const char *take_stats(struct peer *p, const struct stats *m)
{
    if (!isfinite(m->steps_per_s) || !isfinite(m->weights_age_s))
        return "STATS that are not finite";
    p->stats = *m;
    return NULL;
}

static const char *take_eval(struct reception *r, const struct peer *p, const struct eval_result *m)
{
    struct reception_eval *eval = &r->eval;
    if (p->role != ROLE_EVALUATOR || !episodes_check(&m->list))
        return "EVAL_RESULT that is none";
    // the answer to a question that was asked again elsewhere is good, an older one is not
    if (!eval->busy || m->version != eval->version || m->timesteps != eval->timesteps ||
        m->seed != eval->seed || m->list.size != eval->episodes * sizeof(struct episode))
        return NULL;
    eval->n = (size_t)eval->episodes;
    memcpy(eval->list, m->list.data, m->list.size);
    eval->busy = eval->asked = false;
    eval->done = true;
    return NULL;
}

static void take_heartbeat(struct reception *r, struct peer *p, const struct heartbeat *m,
                           double now)
{
    if (!m->answer) {
        struct message reply = {.kind = MESSAGE_HEARTBEAT};
        reply.heartbeat = (struct heartbeat){.stamp = m->stamp, .answer = true};
        reception_send(r, p, &reply);
        return;
    }
    double rtt = now - 1e-9 * (double)m->stamp;
    if (rtt >= 0.0 && rtt < r->config.timeout_s)
        p->rtt_s = p->rtt_s == 0.0 ? rtt : 0.75 * p->rtt_s + 0.25 * rtt;
}

static void take_bye(struct reception *r, struct peer *p, const struct bye *m)
{
    if (m->last <= p->in + p->staged) {
        bye_finish(r, p);
        return;
    }
    // rows before BYE are missing: they were on a connection that broke, and so was their credit
    uint64_t want = m->last > p->granted && r->limiter != NULL ? m->last - p->granted : 0;
    uint64_t room = want > 0 ? limiter_insert_allowance(r->limiter, NULL) : 0;
    room = room > r->in_flight ? room - r->in_flight : 0;
    p->leaving = true;
    p->leaving_last = m->last;
    p->rewinding = p->resend = true;
    reception_grant(r, p, want < room ? want : room);
}

// ------ dispatch

#define STRANGER_BYTES 65536  // count as one more message

// a connection without a HELLO: after a restart of the learner, or a stranger
static void take_stranger(struct reception *r, const struct link_frame *frame, double now)
{
    size_t n = sizeof r->strangers / sizeof r->strangers[0], oldest = 0;
    for (size_t i = 0; i < n; i++) {
        const struct link_peer *link = &r->strangers[i].link;
        if (link->size == frame->peer.size && memcmp(link->id, frame->peer.id, link->size) == 0) {
            oldest = i;
            break;
        }
        oldest = r->strangers[i].since < r->strangers[oldest].since ? i : oldest;
    }
    struct link_peer *link = &r->strangers[oldest].link;
    bool              known =
        link->size == frame->peer.size && memcmp(link->id, frame->peer.id, link->size) == 0;
    if (!known || now - r->strangers[oldest].since > 1.0) {
        *link = frame->peer;
        r->strangers[oldest].since = now;
        r->strangers[oldest].n = 0;
    }
    reception_reject(r, REJECT_STRANGER, frame->address, "a message before HELLO");
    bool first = r->strangers[oldest].n == 0;
    r->strangers[oldest].n += 1 + (unsigned)(frame->size / STRANGER_BYTES);
    if (r->strangers[oldest].n > PEER_CONTROL_PER_S) {
        reception_reject(r, REJECT_FLOOD, frame->address, "too many messages before HELLO");
        link_cut(link_connection(frame->fd, frame->address));
    } else if (first) {
        reception_refuse(r, &frame->peer, REFUSED_UNKNOWN, "say HELLO first");
    }
}

static void take_report(struct reception *r, const struct link_frame *frame, struct peer *p,
                        const struct message *m, double now)
{
    const char *what = NULL;
    switch (m->kind) {
    case MESSAGE_EPISODES:
        what = take_episodes(r, p, &m->episodes);
        break;
    case MESSAGE_STATS:
        what = take_stats(p, &m->stats);
        break;
    case MESSAGE_EVAL_RESULT:
        what = take_eval(r, p, &m->eval_result);
        break;
    case MESSAGE_HEARTBEAT:
        take_heartbeat(r, p, &m->heartbeat, now);
        break;
    case MESSAGE_BYE:
        take_bye(r, p, &m->bye);
        break;
    default:
        what = "a message that only a learner sends";
    }
    if (what != NULL)
        reception_expel(r, frame, p, REJECT_UNEXPECTED, REFUSED_INVALID, what);
}

static void take_message(struct reception *r, const struct link_frame *frame, struct peer *p,
                         const struct message *m, double now)
{
    p->last_seen = now;
    if (m->kind == MESSAGE_TRANSITIONS) {
        take_transitions(r, frame, p, &m->transitions, now);
        return;
    }
    if (peer_floods(p, now))
        reception_expel(r, frame, p, REJECT_FLOOD, REFUSED_INVALID, "too many messages");
    else if (m->kind == MESSAGE_READY)
        handshake_ready(r, frame, p, &m->ready);
    else
        take_report(r, frame, p, m, now);
}

// the peer of a frame; a ZeroMQ name says nothing when another connection took it
static struct peer *peer_of(struct reception *r, const struct link_frame *frame)
{
    struct peer *p = peer_find(&r->peers, &frame->peer);
    if (p == NULL || p->connection.fd < 0 || p->connection.fd == frame->fd)
        return p;
    reception_leave(r, p, "another connection took its name");
    return NULL;
}

void intake_frame(struct reception *r, const struct link_frame *frame, double now)
{
    struct message m;
    struct error   err;
    if (reception_doomed(r, frame))
        return;
    int          code = message_decode(&m, frame->data, frame->size, &err);
    struct peer *p = peer_of(r, frame);
    if (frame->odd || (code < 0 && code != ERR_VERSION)) {
        reception_expel(r, frame, p, REJECT_MALFORMED, REFUSED_INVALID,
                        frame->odd ? "a message of several parts" : err.text);
    } else if (code == ERR_VERSION) {
        reception_expel(r, frame, p, REJECT_PROTOCOL, REFUSED_PROTOCOL, err.text);
    } else if (m.kind == MESSAGE_HELLO) {
        handshake_hello(r, frame, &m.hello, now);
    } else if (p == NULL) {
        take_stranger(r, frame, now);
    } else {
        take_message(r, frame, p, &m, now);
    }
}
