#include "actor/transition_state.h"
#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void event_raise(struct transition_send *s, enum send_event event, const char *text)
{
    s->events |= 1u << event;
    if (text != NULL)
        snprintf(s->text, sizeof s->text, "%s", text);
}

static bool span_copy(void **to, size_t *to_size, const struct span *from)
{
    char *copy = malloc(from->size + 1);
    if (copy == NULL)
        return false;
    if (from->size > 0)
        memcpy(copy, from->data, from->size);
    copy[from->size] = '\0';
    free(*to);
    *to = copy;
    *to_size = from->size;
    return true;
}

// the learner knows this process: rows that it has not got go out again
static bool rows_resume(struct transition_send *s, const struct welcome *w)
{
    uint64_t acked = s->base + w->acknowledged;
    if (acked < s->acked || acked > s->top)
        return false;
    s->acked = s->sent = s->granted = acked;
    return true;
}

// the learner took this process for a new one: what was sent may be in, only the rest is new
static void rows_restart(struct transition_send *s)
{
    if (s->top > s->acked) {
        s->dropped += s->top - s->acked;
        log_warn("wire", "a new incarnation: %llu rows without an answer are given up",
                 (unsigned long long)(s->top - s->acked));
    }
    s->base = s->acked = s->sent = s->granted = s->top;
}

static void take_welcome(struct transition_send *s, const struct welcome *w)
{
    struct transition_send_welcome *mine = &s->welcome;
    if (s->welcomed && w->run_id != mine->run_id) {
        event_raise(s, SEND_NEW_RUN, "another run is at this address");
        return;
    }
    bool  same = s->welcomed && w->slot == mine->slot && w->incarnation == mine->incarnation;
    void *spec = mine->spec;
    if (!span_copy(&spec, &mine->spec_size, &w->spec) ||
        !span_copy(&mine->assets, &mine->assets_size, &w->assets)) {
        event_raise(s, SEND_REFUSED, "no memory for the spec");
        return;
    }
    mine->spec = spec;
    if (same && !rows_resume(s, w)) {
        event_raise(s, SEND_REFUSED, "the learner acknowledges rows that were not sent");
        return;
    }
    if (!same)
        rows_restart(s);
    if (s->welcomed && w->learner_incarnation != mine->learner_incarnation)
        event_raise(s, SEND_LEARNER, NULL);
    mine->run_id = w->run_id;
    mine->learner_incarnation = w->learner_incarnation;
    mine->slot = w->slot;
    mine->incarnation = w->incarnation;
    mine->seed = w->seed;
    s->block = w->max_rows > 0 ? (size_t)w->max_rows : 1;
    if (s->has_task && s->block * 4 * s->shape.words > MESSAGE_ROWS_MAX)
        s->block = MESSAGE_ROWS_MAX / (4 * s->shape.words);
    s->welcomed = s->open = true;
    if (s->has_task)
        transition_send_sizes(s);
}

static void take_credit(struct transition_send *s, const struct credit *c)
{
    uint64_t acked = s->base + c->acknowledged;
    if (!s->open)
        return;
    if (acked > s->acked && acked <= s->top)
        s->acked = acked;
    if (c->resend || s->sent < s->acked)
        s->sent = s->acked;
    s->granted = s->base + c->granted;
    s->min_version = c->min_version;
    s->epoch = c->epoch;
}

static void take_refused(struct transition_send *s, const struct refused *r)
{
    if (r->code != REFUSED_UNKNOWN) {
        event_raise(s, SEND_REFUSED, r->reason);
        return;
    }
    // a restarted learner, or one that had given up on this connection
    s->open = false;
    s->hello_at = 0.0;
}

static void take_eval(struct transition_send *s, const struct eval_request *r)
{
    if (r->weights.size > s->eval_capacity) {
        float *grown = realloc(s->eval_floats, r->weights.size);
        if (grown == NULL)
            return;
        s->eval_floats = grown;
        s->eval_capacity = r->weights.size;
    }
    memcpy(s->eval_floats, r->weights.data, r->weights.size);
    s->eval = (struct transition_send_eval){
        .version = r->version,
        .timesteps = r->timesteps,
        .episodes = r->episodes,
        .seed = r->seed,
        .floats = s->eval_floats,
        .n = r->weights.size / sizeof(float),
    };
    event_raise(s, SEND_EVAL, NULL);
}

static void take_message(struct transition_send *s, const struct message *m)
{
    struct message reply = {.kind = MESSAGE_HEARTBEAT};
    switch (m->kind) {
    case MESSAGE_WELCOME:
        take_welcome(s, &m->welcome);
        break;
    case MESSAGE_REFUSED:
        take_refused(s, &m->refused);
        break;
    case MESSAGE_CREDIT:
        take_credit(s, &m->credit);
        break;
    case MESSAGE_EVAL_REQUEST:
        take_eval(s, &m->eval_request);
        break;
    case MESSAGE_HEARTBEAT:
        reply.heartbeat = (struct heartbeat){.stamp = m->heartbeat.stamp, .answer = true};
        if (!m->heartbeat.answer)
            transition_send_message(s, &reply);
        break;
    case MESSAGE_BYE_ACK:
        s->acked = s->base + m->bye_ack.last > s->top ? s->top : s->base + m->bye_ack.last;
        s->left = true;
        event_raise(s, SEND_LEFT, NULL);
        break;
    case MESSAGE_STOP:
        s->returns = m->stop.returns;
        event_raise(s, SEND_STOP, m->stop.reason);
        break;
    default:
        break;
    }
}

void transition_take_all(struct transition_send *s, double now)
{
    struct link_frame frame;
    while (link_recv(s->link, &frame)) {
        struct message m;
        struct error   err;
        if (frame.odd || message_decode(&m, frame.data, frame.size, &err) < 0)
            continue;
        s->heard_at = now;
        take_message(s, &m);
    }
}
