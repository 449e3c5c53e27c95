#include "actor/transition_state.h"

#include "common/clock.h"
#include "common/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HELLO_S 0.5         // between two HELLOs
#define HELLO_RETRY_S 0.01  // while there is no connection
#define RENEW_S 3.0         // without a connection, before another socket tries
#define REPORT_S 0.5        // between two EPISODES
#define DEFAULT_FLUSH_S 0.02
#define SPARE_ROWS 256  // that may wait beyond the window: a step of many environments

// ------ opening

// A new socket in place of the one that is there. libzmq tries again after a lost connection, but not
// after a refused key, and somebody may let it in meanwhile.
static int link_renew(struct transition_send *s, struct error *err)
{
    struct link_options options = {
        .max_message = MESSAGE_WEIGHTS_MAX + MESSAGE_OVERHEAD,
        .send_queue = 64,
        .recv_queue = 0,
        .heartbeat_s = s->config.heartbeat_s,
        .heartbeat_timeout_s = s->config.timeout_s,
        .linger_s = 1.0,
    };
    keys_apply(s->config.keys, &options);
    struct link *link = link_open(s->config.hub, LINK_DEALER, &options, err);
    if (link == NULL || link_connect(link, s->config.address, err) < 0) {
        link_close(link);
        return ERR_SYSTEM;
    }
    link_close(s->link);
    s->link = link;
    s->renewed_at = clock_now();
    return 0;
}

static struct transition_send *send_fail(struct transition_send *s)
{
    transition_send_close(s, 0.0);
    return NULL;
}

struct transition_send *transition_send_open(const struct transition_send_config *config,
                                             struct error                        *err)
{
    struct transition_send *s = calloc(1, sizeof *s);
    if (s == NULL || strlen(config->name) >= MESSAGE_NAME) {
        error_set(err, ERR_SPEC, "name %s: at most %d characters", config->name, MESSAGE_NAME - 1);
        free(s);
        return NULL;
    }
    s->config = *config;
    if (s->config.flush_s <= 0.0)
        s->config.flush_s = DEFAULT_FLUSH_S;
    snprintf(s->name, sizeof s->name, "%s", config->name);
    s->out_size = MESSAGE_OVERHEAD + MESSAGE_EPISODES_MAX * sizeof(struct episode);
    s->out = malloc(s->out_size);
    if (s->out == NULL || link_renew(s, err) < 0)
        return send_fail(s);
    s->heard_at = clock_now();
    return s;
}

const struct transition_send_welcome *transition_send_welcome(const struct transition_send *s)
{
    return &s->welcome;
}

const char *transition_send_text(const struct transition_send *s)
{
    return s->text;
}

bool transition_send_returns(const struct transition_send *s)
{
    return s->returns;
}

uint64_t transition_send_min_version(const struct transition_send *s)
{
    return s->min_version;
}

uint64_t transition_send_epoch(const struct transition_send *s)
{
    return s->epoch;
}

void transition_send_discard(struct transition_send *s)
{
    s->added = s->top;
}

const struct transition_send_eval *transition_send_eval(const struct transition_send *s)
{
    return &s->eval;
}

// ------ sending

int transition_send_message(struct transition_send *s, const struct message *m)
{
    size_t size = message_encode(s->out, s->out_size, m);
    assert(size > 0);
    return link_send(s->link, NULL, s->out, size);
}

static void send_hello(struct transition_send *s, double now)
{
    struct message m = {.kind = MESSAGE_HELLO};
    m.hello = (struct hello){
        .protocol = MESSAGE_PROTOCOL,
        .role = (uint64_t)s->config.role,
        .run_id = s->welcome.run_id,
        .slot = s->welcome.slot,
        .incarnation = s->welcome.incarnation,
    };
    memcpy(m.hello.name, s->name, sizeof m.hello.name);
    if (gethostname(m.hello.host, sizeof m.hello.host - 1) != 0)
        m.hello.host[0] = '\0';
    // a connection that is not there yet will be in a moment, or never
    bool sent = transition_send_message(s, &m) == LINK_SENT;
    s->hello_at = sent ? now : now - HELLO_S + HELLO_RETRY_S;
    if (sent)
        s->renewed_at = now;
    else if (now - s->renewed_at > RENEW_S)
        link_renew(s, NULL);
}

void transition_send_sizes(struct transition_send *s)
{
    struct message m = {.kind = MESSAGE_READY};
    m.ready = s->ready;
    transition_send_message(s, &m);
}

// one block, as long as the ring does not wrap in it; says whether it went out
static bool send_block(struct transition_send *s, uint64_t n)
{
    size_t         at = (size_t)(s->sent % s->capacity), bytes = 4 * s->shape.words;
    struct message m = {.kind = MESSAGE_TRANSITIONS};
    if (n > s->capacity - at)
        n = s->capacity - at;
    m.transitions = (struct transitions){
        .slot = s->welcome.slot,
        .incarnation = s->welcome.incarnation,
        .first = s->sent - s->base + 1,
        .n = n,
        .rows = {s->ring + at * bytes, (size_t)n * bytes},
    };
    if (transition_send_message(s, &m) != LINK_SENT)
        return false;
    s->sent += n;
    if (s->sent > s->top)
        s->top = s->sent;
    return true;
}

// all: do not wait for a block to fill
static void send_blocks(struct transition_send *s, bool all, double now)
{
    uint64_t limit = s->granted < s->added ? s->granted : s->added;
    while (s->open && s->has_task && s->sent < limit) {
        uint64_t n = limit - s->sent;
        // what is short of a block waits for more, unless credit or time is at its end
        bool due = all || n >= s->block || limit == s->granted || s->sent < s->top ||
                   now - s->waiting_since >= s->config.flush_s;
        if (!due || !send_block(s, n < s->block ? n : s->block))
            break;
        s->waiting_since = now;
    }
}

static void send_episodes(struct transition_send *s, double now)
{
    struct message m = {.kind = MESSAGE_EPISODES};
    m.episodes.list = (struct span){s->episodes, s->n_episodes * sizeof s->episodes[0]};
    if (transition_send_message(s, &m) == LINK_SENT)
        s->n_episodes = 0;
    s->report_at = now;
}

static void send_result(struct transition_send *s)
{
    struct message m = {.kind = MESSAGE_EVAL_RESULT};
    m.eval_result = (struct eval_result){
        .version = s->eval.version,
        .timesteps = s->eval.timesteps,
        .seed = s->eval.seed,
        .list = {s->result, s->n_result * sizeof s->result[0]},
    };
    s->has_result = transition_send_message(s, &m) != LINK_SENT;
}

static void send_bye(struct transition_send *s, double now)
{
    struct message m = {.kind = MESSAGE_BYE};
    m.bye.last = s->top - s->base;
    if (transition_send_message(s, &m) == LINK_SENT)
        s->bye_at = now;
}

static void send_heartbeat(struct transition_send *s, double now)
{
    struct message m = {.kind = MESSAGE_HEARTBEAT};
    m.heartbeat.stamp = (uint64_t)(now * 1e9);
    s->beat_at = now;
    transition_send_message(s, &m);
    if (!s->has_stats)
        return;
    m.kind = MESSAGE_STATS;
    m.stats = s->stats;
    s->has_stats = transition_send_message(s, &m) != LINK_SENT;
}

// ------ moving

// Greets, receives, reports; rows are sent by the caller.
static void pump(struct transition_send *s, double now)
{
    transition_take_all(s, now);
    // a learner that is silent for too long may not know this connection any more
    if (s->open && now - s->heard_at > s->config.timeout_s) {
        s->open = false;
        log_warn("wire", "the learner is silent for %.0f s, greeting it again", now - s->heard_at);
    }
    if (!s->open && now - s->hello_at >= HELLO_S)
        send_hello(s, now);
    if (!s->open || !s->has_task)
        return;
    if (s->n_episodes > 0 &&
        (s->leaving || now - s->report_at >= REPORT_S || s->n_episodes > TRANSITION_EPISODES / 2))
        send_episodes(s, now);
    if (s->has_result)
        send_result(s);
    if (now - s->beat_at >= s->config.heartbeat_s)
        send_heartbeat(s, now);
}

static enum send_event event_next(struct transition_send *s)
{
    static const enum send_event order[] = {SEND_REFUSED, SEND_NEW_RUN, SEND_STOP,
                                            SEND_LEFT,    SEND_LEARNER, SEND_EVAL};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if ((s->events & 1u << order[i]) == 0)
            continue;
        s->events &= ~(1u << order[i]);
        return order[i];
    }
    return SEND_NONE;
}

enum send_event transition_send_poll(struct transition_send *s, double timeout_s)
{
    double now = clock_now();
    if (timeout_s > 0.0 && s->events == 0) {
        // what waits for its block to fill must not wait for the learner
        send_blocks(s, true, now);
        link_poll(&s->link, 1, -1, timeout_s);
        now = clock_now();
    }
    pump(s, now);
    send_blocks(s, s->leaving, now);
    if (s->leaving && !s->left && s->open && now - s->bye_at >= HELLO_S)
        send_bye(s, now);
    return event_next(s);
}

int transition_send_handshake(struct transition_send *s, double timeout_s, const volatile int *stop,
                              struct error *err)
{
    double           deadline = clock_now() + timeout_s;
    struct log_limit limit = {.next = clock_now() + 5.0};
    while (!s->open) {
        unsigned long long held;
        enum send_event    event = transition_send_poll(s, HELLO_RETRY_S);
        if (event == SEND_REFUSED)
            return error_set(err, ERR_VERSION, "%s refuses: %s", s->config.address, s->text);
        if (event == SEND_STOP || (stop != NULL && *stop))
            return error_set(err, ERR_STOPPED, "%s",
                             event == SEND_STOP ? s->text : "stopped while waiting for a learner");
        if (clock_now() > deadline)
            return error_set(err, ERR_TIMEOUT, "no learner answers at %s", s->config.address);
        if (log_limit_pass(&limit, &held)) {
            log_info("wire", "waiting for a learner at %s", s->config.address);
            limit.next = clock_now() + 10.0;
        }
    }
    return 0;
}

int transition_send_ready(struct transition_send *s, const struct transition_send_task *task,
                          size_t window, struct error *err)
{
    size_t bounds = task->discrete ? 0 : task->action * sizeof(double);
    assert(task->discrete || task->action <= MESSAGE_NAME);
    s->ready = (struct ready){
        .obs = task->obs,
        .action = task->action,
        .discrete = task->discrete,
        .spec_hash = task->spec_hash,
        .max_steps = task->max_steps,
        .threshold = task->threshold,
        .low = {s->low, bounds},
        .high = {s->high, bounds},
    };
    snprintf(s->ready.task, sizeof s->ready.task, "%s", task->name);
    if (!task->discrete) {
        memcpy(s->low, task->low, bounds);
        memcpy(s->high, task->high, bounds);
    }
    s->shape = row_shape_make(task->obs, task->discrete ? 1 : task->action);
    if (s->block * 4 * s->shape.words > MESSAGE_ROWS_MAX)
        s->block = MESSAGE_ROWS_MAX / (4 * s->shape.words);
    s->capacity = window + SPARE_ROWS;
    s->ring = malloc(s->capacity * 4 * s->shape.words);
    free(s->out);
    s->out_size = MESSAGE_OVERHEAD + MESSAGE_ROWS_MAX;
    s->out = malloc(s->out_size);
    if (s->ring == NULL || s->out == NULL)
        return error_set(err, ERR_MEMORY, "no memory for %zu rows on their way", s->capacity);
    s->has_task = true;
    s->beat_at = s->report_at = clock_now();
    transition_send_sizes(s);
    return 0;
}

// ------ rows and reports

size_t transition_send_room(const struct transition_send *s)
{
    // rows beyond the credit may wait here, but nobody steps on without any credit
    if (!s->open || s->leaving || s->added >= s->granted)
        return 0;
    return s->capacity - (size_t)(s->added - s->acked);
}

uint64_t transition_send_credit(const struct transition_send *s)
{
    return transition_send_room(s) > 0 ? s->granted - s->added : 0;
}

void transition_send_add(struct transition_send *s, const void *rows, size_t n)
{
    const uint8_t *from = rows;
    size_t         bytes = 4 * s->shape.words;
    assert(n <= s->capacity - (size_t)(s->added - s->acked));
    if (s->added == s->top && n > 0)
        s->waiting_since = clock_now();
    while (n > 0) {
        size_t at = (size_t)(s->added % s->capacity);
        size_t part = n < s->capacity - at ? n : s->capacity - at;
        memcpy(s->ring + at * bytes, from, part * bytes);
        s->added += part;
        from += part * bytes;
        n -= part;
    }
}

void transition_send_episode(struct transition_send *s, const struct episode *episode)
{
    // a learner that is away for so long loses the oldest reports, never rows
    if (s->n_episodes == TRANSITION_EPISODES) {
        s->n_episodes--;
        memmove(s->episodes, s->episodes + 1, s->n_episodes * sizeof s->episodes[0]);
    }
    s->episodes[s->n_episodes++] = *episode;
}

void transition_send_stats(struct transition_send *s, const struct stats *stats)
{
    s->stats = *stats;
    s->has_stats = true;
}

void transition_send_eval_result(struct transition_send *s, const struct episode *list, size_t n)
{
    assert(n <= MESSAGE_EPISODES_MAX);
    memcpy(s->result, list, n * sizeof list[0]);
    s->n_result = n;
    s->has_result = true;
}

// ------ leaving

void transition_send_leave(struct transition_send *s)
{
    if (s->leaving)
        return;
    // what has no credit by now will never be sent: BYE says where this process ends
    send_blocks(s, true, clock_now());
    s->added = s->top;
    s->leaving = true;
}

uint64_t transition_send_drain(struct transition_send *s, double drain_s)
{
    double deadline = clock_now() + drain_s;
    while (s->welcomed && s->has_task && !s->left && clock_now() < deadline) {
        transition_send_leave(s);
        enum send_event event = transition_send_poll(s, 0.05);
        if (event == SEND_REFUSED || event == SEND_NEW_RUN)
            break;
    }
    // what was given up lies below acked, too
    return s->acked - s->dropped;
}

uint64_t transition_send_close(struct transition_send *s, double drain_s)
{
    if (s == NULL)
        return 0;
    transition_send_drain(s, drain_s);
    uint64_t open = s->top - s->acked + s->dropped;
    link_close(s->link);
    free(s->welcome.spec);
    free(s->welcome.assets);
    free(s->eval_floats);
    free(s->ring);
    free(s->out);
    free(s);
    return open;
}
