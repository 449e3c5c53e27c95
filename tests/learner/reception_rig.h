// A reception with real sockets and a clock that the test moves: what actors send is judged in the
// test's own thread, and what they are answered can be read.
#ifndef TESTS_RECEPTION_RIG_H
#define TESTS_RECEPTION_RIG_H

#include "common/clock.h"
#include "learner/handshake.h"
#include "learner/intake.h"
#include "learner/reception.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { RIG_O = 3, RIG_A = 1, RIG_WORDS = 2 * RIG_O + RIG_A + 4, RIG_WINDOW = 64, RIG_BLOCK = 8 };

static const double rig_low[RIG_A] = {-2.0}, rig_high[RIG_A] = {2.0};

struct rig {
    struct reception r;
    struct replay    replay;
    struct limiter   limiter;
    struct link_hub *hub;
    char             address[64];
    double           now;
};

static inline struct reception_config rig_config(void)
{
    return (struct reception_config){.run_id = 77,
                                     .incarnation = 2,
                                     .seed = 5,
                                     .task = "Pendulum-v1",
                                     .spec_text = "spec: text",
                                     .spec_size = 10,
                                     .spec_hash = 1234,
                                     .max_actors = 3,
                                     .credit_window = RIG_WINDOW,
                                     .block_rows = RIG_BLOCK,
                                     .heartbeat_s = 2.0,
                                     .timeout_s = 10.0};
}

static const struct link_options rig_link = {
    .max_message = MESSAGE_ROWS_MAX + MESSAGE_OVERHEAD, .send_queue = 64, .recv_queue = 64};

static inline void rig_init(struct rig *rig, const struct reception_config *config)
{
    static int   n;
    struct error err = {0};
    memset(rig, 0, sizeof *rig);
    rig->now = 100.0;
    snprintf(rig->address, sizeof rig->address, "ipc:///tmp/test-reception-%d-%d", (int)getpid(),
             n++);
    rig->hub = link_hub_open(16, &err);
    assert_int_equal(reception_init(&rig->r, config, &err), 0);
    rig->r.router = link_open(rig->hub, LINK_ROUTER, &rig_link, &err);
    assert_non_null(rig->r.router);
    assert_int_equal(link_bind(rig->r.router, rig->address, &err), 0);
}

static inline void rig_free(struct rig *rig)
{
    link_close(rig->r.router);
    link_hub_close(rig->hub);
    reception_free(&rig->r);
    limiter_free(&rig->limiter);
    replay_free(&rig->replay);
    unlink(rig->address + strlen("ipc://"));
}

// After the first READY: rows can come, p/q updates a row.
static inline void rig_open(struct rig *rig, uint64_t p, uint64_t tolerance, uint64_t max_frame)
{
    struct error                err = {0};
    const struct limiter_config lc = {.p = p,
                                      .q = 1,
                                      .start = 10,
                                      .tolerance = tolerance,
                                      .max_frame = max_frame,
                                      .insert_block = RIG_BLOCK,
                                      .sample_block = 1};
    assert_int_equal(limiter_init(&rig->limiter, &lc, &err), 0);
    assert_int_equal(
        replay_init(&rig->replay, row_shape_make(RIG_O, RIG_A), 1000, 3, 0, NULL, false, &err), 0);
    assert_int_equal(reception_open(&rig->r, &rig->replay, &rig->limiter, &err), 0);
}

// ------ an actor's side

static inline struct link *actor_connect(struct rig *rig)
{
    struct error err = {0};
    struct link *actor = link_open(rig->hub, LINK_DEALER, &rig_link, &err);
    assert_non_null(actor);
    assert_int_equal(link_connect(actor, rig->address, &err), 0);
    return actor;
}

// Sends a message and lets the learner judge it.
static inline void actor_say(struct rig *rig, struct link *actor, const struct message *m)
{
    static uint8_t    out[MESSAGE_OVERHEAD + MESSAGE_ROWS_MAX];
    struct link_frame frame;
    size_t            size = message_encode(out, sizeof out, m);
    double            deadline = clock_now() + 20.0;
    while (link_send(actor, NULL, out, size) != LINK_SENT && clock_now() < deadline)
        clock_sleep(0.001);
    while (!link_recv(rig->r.router, &frame) && clock_now() < deadline)
        link_poll(&rig->r.router, 1, -1, 0.1);
    assert_true(clock_now() < deadline);
    intake_frame(&rig->r, &frame, rig->now);
}

// Takes the next answer of a kind; others before it are passed over. m borrows from the link.
static inline struct message actor_hear(struct link *actor, enum message_kind kind)
{
    struct link_frame frame;
    struct message    m = {.kind = MESSAGE_KINDS};
    struct error      err = {0};
    double            deadline = clock_now() + 20.0;
    while (m.kind != kind && clock_now() < deadline) {
        link_poll(&actor, 1, -1, 0.1);
        if (link_recv(actor, &frame) && message_decode(&m, frame.data, frame.size, &err) < 0)
            fail_msg("%s", err.text);
    }
    if (m.kind != kind)
        fail_msg("no %s came", message_name(kind));
    return m;
}

static inline struct message hello_make(const char *name)
{
    struct message m = {.kind = MESSAGE_HELLO};
    m.hello = (struct hello){.protocol = MESSAGE_PROTOCOL, .host = "node"};
    snprintf(m.hello.name, sizeof m.hello.name, "%s", name);
    return m;
}

static inline struct message ready_make(void)
{
    struct message m = {.kind = MESSAGE_READY};
    m.ready = (struct ready){.task = "Pendulum-v1",
                             .obs = RIG_O,
                             .action = RIG_A,
                             .spec_hash = 1234,
                             .max_steps = 200,
                             .low = {rig_low, sizeof rig_low},
                             .high = {rig_high, sizeof rig_high}};
    return m;
}

// HELLO and READY of a new actor; *w gets what WELCOME said.
static inline struct link *actor_join(struct rig *rig, const char *name, struct welcome *w)
{
    struct link   *actor = actor_connect(rig);
    struct message hello = hello_make(name), ready = ready_make();
    actor_say(rig, actor, &hello);
    *w = actor_hear(actor, MESSAGE_WELCOME).welcome;
    actor_say(rig, actor, &ready);
    return actor;
}

// Rows first ... first + n - 1, made with weights `version`; each says its number.
static inline void actor_rows(struct rig *rig, struct link *actor, const struct welcome *w,
                              uint64_t first, uint64_t n, uint32_t version)
{
    struct row_shape s = row_shape_make(RIG_O, RIG_A);
    float           *rows = calloc((size_t)n * s.words, sizeof *rows);
    struct message   m = {.kind = MESSAGE_TRANSITIONS};
    assert_non_null(rows);
    for (uint64_t i = 0; i < n; i++) {
        rows[i * s.words] = (float)(first + i);
        memcpy(&rows[i * s.words + s.version], &version, sizeof version);
    }
    m.transitions = (struct transitions){.slot = w->slot,
                                         .incarnation = w->incarnation,
                                         .first = first,
                                         .n = n,
                                         .rows = {rows, (size_t)n * s.words * sizeof *rows}};
    actor_say(rig, actor, &m);
    free(rows);
}

#endif
