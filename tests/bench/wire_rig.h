// Both ends of a wire with simulated actors, for benchmarks: senders that add valid rows as fast as credits
// or a pace allow, and a learner that checks them and puts them into its replay.
#ifndef TESTS_BENCH_WIRE_RIG_H
#define TESTS_BENCH_WIRE_RIG_H

#include "actor/transition_send.h"
#include "common/clock.h"
#include "learner/transition_recv.h"
#include "tests/bench/measure.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { BLOCK = 512, CAPACITY = 1000000 };

struct wire {
    const char *bench;  // for messages
    size_t      actors, obs, act, window;
    bool        curve;
    char        address[64], keys[64];
    atomic_int *pace;  // rows a second of a sender process, < 0: no limit; NULL: none either
};

static inline int wire_fail(const struct wire *w, const char *what, const struct error *err)
{
    fprintf(stderr, "%s: %s: %s\n", w->bench, what, err->text);
    return 1;
}

// a process that ends with this one
static inline pid_t wire_fork(void)
{
    pid_t pid = fork();
    if (pid == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

// ------ senders

// a block of valid rows
static inline float *wire_rows(struct row_shape shape)
{
    float *rows = calloc(BLOCK * shape.words, sizeof *rows);
    for (size_t i = 0; rows != NULL && i < BLOCK * shape.words; i++)
        rows[i] = i % shape.words >= shape.flags ? 0.0f : 0.5f;
    return rows;
}

static inline struct transition_send *wire_sender(const struct wire *w, struct link_hub *hub,
                                                  const struct keys *keys, size_t i,
                                                  struct error *err)
{
    char   name[32];
    double bounds[MESSAGE_NAME];
    snprintf(name, sizeof name, "sim-%zu", i);
    for (size_t k = 0; k < MESSAGE_NAME; k++)
        bounds[k] = 1.0;
    struct transition_send_config c = {.address = w->address,
                                       .name = name,
                                       .keys = keys,
                                       .heartbeat_s = 2.0,
                                       .timeout_s = 10.0,
                                       .hub = hub};
    struct transition_send_task   task = {
          .name = "bench", .obs = w->obs, .action = w->act, .low = bounds, .high = bounds};
    struct transition_send *s = transition_send_open(&c, err);
    if (s == NULL || transition_send_handshake(s, 60.0, NULL, err) < 0 ||
        transition_send_ready(s, &task, w->window, err) < 0) {
        transition_send_close(s, 0.0);
        return NULL;
    }
    return s;
}

// rows that the pace lets go since it was last asked
static inline size_t wire_paced(const struct wire *w, double *since)
{
    int    pace = w->pace == NULL ? -1 : atomic_load(w->pace);
    double now = clock_now(), rows = (now - *since) * pace;
    if (pace < 0)
        return BLOCK;
    if (pace == 0)
        *since = now;
    if (rows < 1)
        return 0;
    size_t n = rows < BLOCK ? (size_t)rows : BLOCK;
    *since = rows < BLOCK ? *since + (double)n / pace : now;
    return n;
}

// sends in turn until every actor was told to stop; rows that nobody acknowledged
static inline uint64_t wire_send(const struct wire *w, struct transition_send **s, size_t n,
                                 const float *rows)
{
    uint64_t open = 0;
    double   since = clock_now();
    for (size_t left = n, turn = 0; left > 0; turn++) {
        bool   moved = false;
        size_t paced = wire_paced(w, &since);
        for (size_t j = 0; j < n; j++) {
            size_t i = (turn + j) % n;
            if (s[i] == NULL)
                continue;
            enum send_event event = transition_send_poll(s[i], 0.0);
            if (event == SEND_STOP)
                transition_send_leave(s[i]);
            if (event == SEND_LEFT) {
                open += transition_send_close(s[i], 0.0);
                s[i] = NULL;
                left--;
                continue;
            }
            size_t room = transition_send_room(s[i]), credit = (size_t)transition_send_credit(s[i]);
            size_t k = room < credit ? room : credit;
            k = k < paced ? k : paced;
            if (k > 0)
                transition_send_add(s[i], rows, k);
            // under a pace all actors together have it
            if (w->pace != NULL && atomic_load(w->pace) >= 0)
                paced -= k;
            moved |= k > 0;
        }
        if (!moved)
            clock_sleep(w->pace == NULL ? 0.0002 : 0.002);
    }
    return open;
}

// a process of n simulated actors
static inline int wire_sender_main(const struct wire *w, size_t first, size_t n)
{
    struct error             err = {0};
    struct keys              keys = {0};
    struct link_hub         *hub = link_hub_open((int)n, &err);
    struct transition_send **s = calloc(n, sizeof(struct transition_send *));
    float                   *rows = wire_rows(row_shape_make(w->obs, w->act));
    if (hub == NULL || s == NULL || rows == NULL)
        return wire_fail(w, "sender", &err);
    if (w->curve && keys_open_actor(&keys, w->keys, &err) < 0)
        return wire_fail(w, "keys", &err);
    for (size_t i = 0; i < n; i++) {
        s[i] = wire_sender(w, hub, w->curve ? &keys : NULL, first + i, &err);
        if (s[i] == NULL)
            return wire_fail(w, "sender", &err);
        // earlier ones must not fall silent while the later ones connect
        for (size_t k = 0; i % 16 == 0 && k < i; k++)
            transition_send_poll(s[k], 0.0);
    }
    uint64_t open = wire_send(w, s, n, rows);
    if (open > 0)
        fprintf(stderr, "%s: %llu rows without an answer\n", w->bench, (unsigned long long)open);
    link_hub_close(hub);
    keys_close(&keys);
    free(rows);
    free(s);
    return open > 0;
}

// ------ the learner

struct wire_learner {
    struct keys             keys;
    struct limiter          limiter;
    struct replay           replay;
    struct transition_recv *recv;
};

// waits until the senders are known, then lets rows flow
static inline int wire_learner_open(struct wire_learner *l, const struct wire *w, struct error *err)
{
    struct reception_task         task;
    struct transition_recv_config c = {.bind = {w->address}, .n_bind = 1};
    struct limiter_config         lc = {.q = 1, .max_frame = UINT64_MAX / 8};
    if (w->curve && keys_open_learner(&l->keys, w->keys, err) < 0)
        return err->code;
    c.keys = w->curve ? &l->keys : NULL;
    c.reception = (struct reception_config){.run_id = 1,
                                            .incarnation = 1,
                                            .task = "bench",
                                            .spec_text = "",
                                            .max_actors = w->actors,
                                            .credit_window = w->window,
                                            .block_rows = BLOCK,
                                            .heartbeat_s = 2.0,
                                            .timeout_s = 10.0};
    l->recv = transition_recv_start(&c, err);
    if (l->recv == NULL)
        return err->code;
    if (transition_recv_wait_task(l->recv, &task, 30.0) < 0)
        return error_set(err, ERR_TIMEOUT, "no actor came");
    if (replay_init(&l->replay, row_shape_make(w->obs, w->act), CAPACITY, w->actors, 0, NULL, false,
                    err) < 0 ||
        limiter_init(&l->limiter, &lc, err) < 0 ||
        transition_recv_open(l->recv, &l->replay, &l->limiter, err) < 0)
        return err->code;
    if (transition_recv_wait_actors(l->recv, w->actors, 60.0) < 0)
        return error_set(err, ERR_TIMEOUT, "not all actors came");
    return 0;
}

// tells the senders to stop and waits for their last rows
static inline void wire_learner_stop(struct wire_learner *l, struct transition_recv_counters *after)
{
    transition_recv_stop_actors(l->recv, "bench is over");
    transition_recv_read(l->recv, after, false);
    for (int i = 0; i < 100 && after->actors > 0; i++) {
        clock_sleep(0.1);
        transition_recv_read(l->recv, after, false);
    }
}

static inline void wire_learner_close(struct wire_learner *l)
{
    transition_recv_stop(l->recv, "bench is over", 1.0);
    limiter_free(&l->limiter);
    replay_free(&l->replay);
    keys_close(&l->keys);
}

#endif
