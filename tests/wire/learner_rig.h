// A learner on loopback with a good actor in a thread of its own, and raw peers that speak ZMTP 3.0 by
// hand, so that they can do what ZeroMQ would not.
#ifndef TESTS_LEARNER_RIG_H
#define TESTS_LEARNER_RIG_H

#include "actor/transition_send.h"
#include "common/clock.h"
#include "common/memory.h"
#include "learner/transition_recv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

enum { O = 3, A = 1, WORDS = 2 * O + A + 4, WINDOW = 256, BLOCK = 32, SLOTS = 8 };

#define PATIENCE_S 30.0  // ends a test that fails

static const double rig_low[A] = {-2.0}, rig_high[A] = {2.0};

// ------ the learner

struct rig {
    int                     port;
    char                    address[64];
    struct limiter          limiter;
    struct replay           replay;
    struct transition_recv *recv;
    struct link_hub        *hub;
    const struct keys      *actor_keys;  // of the good actor, NULL: none
    const char             *spec;
    double                  timeout_s;
    // the good actor
    pthread_t   thread;
    atomic_bool stop;
    uint64_t    made, open;  // rows; without an answer when it left
};

static struct transition_recv_config rig_config(struct rig *rig, struct keys *keys)
{
    struct transition_recv_config c = {.bind = {rig->address}, .n_bind = 1, .keys = keys};
    c.reception = (struct reception_config){.run_id = 77,
                                            .incarnation = 1,
                                            .seed = 5,
                                            .task = "Pendulum-v1",
                                            .spec_text = rig->spec,
                                            .spec_size = strlen(rig->spec),
                                            .spec_hash = 1234,
                                            .max_actors = SLOTS,
                                            .credit_window = WINDOW,
                                            .block_rows = BLOCK,
                                            .heartbeat_s = 1.0,
                                            .timeout_s = rig->timeout_s};
    return c;
}

static struct transition_send *rig_actor(struct rig *rig, const char *name, const struct keys *keys,
                                         double patience_s)
{
    struct error                  err = {0};
    struct transition_send_config c = {.address = rig->address,
                                       .name = name,
                                       .keys = keys,
                                       .heartbeat_s = 1.0,
                                       .timeout_s = rig->timeout_s,
                                       .hub = rig->hub};
    struct transition_send_task   task = {.name = "Pendulum-v1",
                                          .obs = O,
                                          .action = A,
                                          .low = rig_low,
                                          .high = rig_high,
                                          .max_steps = 200,
                                          .spec_hash = 1234};
    struct transition_send       *s = transition_send_open(&c, &err);
    if (s == NULL || transition_send_handshake(s, patience_s, NULL, &err) < 0 ||
        transition_send_ready(s, &task, WINDOW, &err) < 0) {
        transition_send_close(s, 0.0);
        return NULL;
    }
    return s;
}

// one row after the other, each with its number
static void *good_main(void *context)
{
    struct rig             *rig = context;
    struct transition_send *s = rig_actor(rig, "good", rig->actor_keys, PATIENCE_S);
    while (s != NULL && !atomic_load(&rig->stop)) {
        float row[WORDS] = {0};
        transition_send_poll(s, 0.001);
        for (int i = 0; i < 10 && transition_send_room(s) > 0; i++) {
            row[0] = (float)rig->made++;
            transition_send_add(s, row, 1);
        }
    }
    rig->open = s == NULL ? UINT64_MAX : transition_send_close(s, PATIENCE_S);
    return NULL;
}

static struct transition_recv_counters rig_read(struct rig *rig)
{
    struct transition_recv_counters c;
    transition_recv_read(rig->recv, &c, false);
    return c;
}

// Starts a learner on a free pair of ports, and its good actor. A busy machine may hold a thread up for
// seconds: timeout_s is beyond that where it is not what the test is about.
static void rig_start(struct rig *rig, struct keys *keys, const struct keys *actor_keys,
                      const char *spec, double timeout_s)
{
    struct error          err = {0};
    struct reception_task task;
    struct limiter_config lc = {.q = 1, .max_frame = UINT64_MAX / 8, .insert_block = BLOCK};
    memset(rig, 0, sizeof *rig);
    rig->spec = spec;
    rig->timeout_s = timeout_s;
    rig->actor_keys = actor_keys;
    rig->hub = link_hub_open(64, &err);
    for (rig->port = 21000 + (int)(getpid() % 400) * 2; rig->recv == NULL && rig->port < 22000;
         rig->port += 2) {
        snprintf(rig->address, sizeof rig->address, "tcp://127.0.0.1:%d", rig->port);
        struct transition_recv_config c = rig_config(rig, keys);
        rig->recv = transition_recv_start(&c, &err);
    }
    rig->port -= 2;
    if (rig->recv == NULL)
        fail_msg("%s", err.text);
    assert_int_equal(pthread_create(&rig->thread, NULL, good_main, rig), 0);
    assert_int_equal(transition_recv_wait_task(rig->recv, &task, PATIENCE_S), 0);
    assert_int_equal(limiter_init(&rig->limiter, &lc, &err), 0);
    assert_int_equal(
        replay_init(&rig->replay, row_shape_make(O, A), 10000, SLOTS, 0, NULL, false, &err), 0);
    assert_int_equal(transition_recv_open(rig->recv, &rig->replay, &rig->limiter, &err), 0);
}

// The good actor's rows go on to arrive.
static void rig_goes_on(struct rig *rig)
{
    uint64_t rows = rig_read(rig).rows;
    double   deadline = clock_now() + PATIENCE_S;
    while (rig_read(rig).rows < rows + 500 && clock_now() < deadline)
        clock_sleep(0.005);
    if (rig_read(rig).rows < rows + 500)
        fail_msg("the good actor is stuck");
}

// Waits until so many frames were rejected for a reason.
static void rig_rejects(struct rig *rig, enum reject_reason reason, uint64_t n)
{
    double deadline = clock_now() + PATIENCE_S;
    while (rig_read(rig).rejected[reason] < n && clock_now() < deadline)
        clock_sleep(0.005);
    if (rig_read(rig).rejected[reason] < n)
        fail_msg("%llu of %llu rejected as %s", (unsigned long long)rig_read(rig).rejected[reason],
                 (unsigned long long)n, reject_name(reason));
}

// Waits until so many actors are there.
static void rig_actors(struct rig *rig, size_t n)
{
    double deadline = clock_now() + PATIENCE_S;
    while (rig_read(rig).actors != n && clock_now() < deadline)
        clock_sleep(0.005);
    assert_int_equal(rig_read(rig).actors, n);
}

// Ends it: each row of the good actor is in, once.
static void rig_stop(struct rig *rig)
{
    rig_goes_on(rig);
    atomic_store(&rig->stop, true);
    pthread_join(rig->thread, NULL);
    assert_int_equal(rig->open, 0);
    struct transition_recv_counters c = rig_read(rig);
    assert_int_equal(c.rows, rig->made);
    assert_int_equal(c.lost, 0);
    transition_recv_stop(rig->recv, "done", 0.5);
    limiter_free(&rig->limiter);
    replay_free(&rig->replay);
    link_hub_close(rig->hub);
}

static inline double rss_mb(void)
{
    return (double)memory_resident() / 1e6;
}

// ------ raw peers

enum { RAW_MORE = 1, RAW_LONG = 2, RAW_COMMAND = 4 };

static int raw_connect(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval     patience = {.tv_sec = (time_t)PATIENCE_S};
    int                fd = socket(AF_INET, SOCK_STREAM, 0);
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

// says whether all went out
static bool raw_write(int fd, const void *data, size_t size)
{
    const uint8_t *at = data;
    while (size > 0) {
        ssize_t n = send(fd, at, size, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

static bool raw_head(int fd, int flags, uint64_t size)
{
    uint8_t head[9] = {(uint8_t)(flags | (size > 255 ? RAW_LONG : 0)), (uint8_t)size};
    for (int i = 0; size > 255 && i < 8; i++)
        head[1 + i] = (uint8_t)(size >> (56 - 8 * i));
    return raw_write(fd, head, size > 255 ? 9 : 2);
}

static bool raw_frame(int fd, int flags, const void *data, size_t size)
{
    return raw_head(fd, flags, size) && raw_write(fd, data, size);
}

static bool raw_read(int fd, void *data, size_t size)
{
    uint8_t *at = data;
    while (size > 0) {
        ssize_t n = recv(fd, at, size, 0);
        if (n <= 0)
            return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

// Takes a frame of at most `most` bytes; returns its size, SIZE_MAX at the end of the connection.
static size_t raw_take(int fd, uint8_t *data, size_t most, int *flags)
{
    uint8_t  head[9];
    uint64_t size = 0;
    if (!raw_read(fd, head, 2) || ((head[0] & RAW_LONG) != 0 && !raw_read(fd, head + 2, 7)))
        return SIZE_MAX;
    for (int i = 1; i < ((head[0] & RAW_LONG) != 0 ? 9 : 2); i++)
        size = size << 8 | head[i];
    *flags = head[0];
    return size <= most && raw_read(fd, data, (size_t)size) ? (size_t)size : SIZE_MAX;
}

// A connection past ZMTP's NULL handshake; type "DEALER" or "SUB".
static int raw_open(int port, const char *type)
{
    uint8_t greeting[64] = {0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0, 'N', 'U', 'L', 'L'};
    uint8_t ready[64] = "\5READY\13Socket-Type", answer[512];
    size_t  n = 6 + 12, length = strlen(type);
    int     fd = raw_connect(port), flags;
    ready[n + 3] = (uint8_t)length;
    memcpy(ready + n + 4, type, length);
    assert_true(raw_write(fd, greeting, sizeof greeting));
    assert_true(raw_read(fd, greeting, sizeof greeting));
    assert_true(raw_frame(fd, RAW_COMMAND, ready, n + 4 + length));
    assert_true(raw_take(fd, answer, sizeof answer, &flags) != SIZE_MAX);
    assert_memory_equal(answer, "\5READY", 6);
    return fd;
}

// Waits until the learner has cut the connection, and closes it.
static void raw_cut(int fd)
{
    uint8_t data[4096];
    ssize_t n;
    while ((n = recv(fd, data, sizeof data, 0)) > 0)
        continue;
    // a time-out is no cut
    assert_true(n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK));
    close(fd);
}

static bool raw_say(int fd, const struct message *m)
{
    static uint8_t out[MESSAGE_OVERHEAD + MESSAGE_ROWS_MAX];
    return raw_frame(fd, 0, out, message_encode(out, sizeof out, m));
}

// Both ports count and cut a connection whose greeting names a mechanism of four letters.
static inline void rig_refuses_mechanism(struct rig *rig, const char *mechanism)
{
    // a ZMTP signature, version 3.0
    uint8_t greeting[64] = {0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0};
    memcpy(greeting + 12, mechanism, 4);
    for (int port = 0; port < 2; port++) {
        int fd = raw_connect(rig->port + port);
        assert_true(raw_write(fd, greeting, sizeof greeting));
        rig_rejects(rig, REJECT_HANDSHAKE, (uint64_t)port + 1);
        raw_cut(fd);
    }
}

static struct message raw_hello(const char *name)
{
    struct message m = {.kind = MESSAGE_HELLO, .hello = {.protocol = MESSAGE_PROTOCOL}};
    snprintf(m.hello.name, sizeof m.hello.name, "%s", name);
    return m;
}

// Takes messages until one of a kind comes; it borrows from a buffer that the next call reuses.
static struct message raw_hear(int fd, enum message_kind kind)
{
    static uint8_t data[MESSAGE_OVERHEAD + MESSAGE_SPEC_MAX];
    struct message m = {.kind = MESSAGE_KINDS};
    int            flags;
    while (m.kind != kind) {
        size_t size = raw_take(fd, data, sizeof data, &flags);
        if (size == SIZE_MAX)
            fail_msg("no %s came", message_name(kind));
        if ((flags & RAW_COMMAND) == 0)
            assert_int_equal(message_decode(&m, data, size, NULL), 0);
    }
    return m;
}

// A raw actor that the learner gives credit to.
static inline int raw_join(struct rig *rig, const char *name, struct welcome *w)
{
    struct message hello = raw_hello(name), ready = {.kind = MESSAGE_READY};
    int            fd = raw_open(rig->port, "DEALER");
    ready.ready = (struct ready){.task = "Pendulum-v1",
                                 .obs = O,
                                 .action = A,
                                 .spec_hash = 1234,
                                 .max_steps = 200,
                                 .low = {rig_low, sizeof rig_low},
                                 .high = {rig_high, sizeof rig_high}};
    assert_true(raw_say(fd, &hello));
    *w = raw_hear(fd, MESSAGE_WELCOME).welcome;
    assert_true(raw_say(fd, &ready));
    while (raw_hear(fd, MESSAGE_CREDIT).credit.granted == 0)
        continue;
    return fd;
}

#endif
