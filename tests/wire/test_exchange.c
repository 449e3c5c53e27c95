// Learner and actors in one process over ipc: the whole exchange on real sockets.

#include "actor/transition_send.h"
#include "actor/weights_recv.h"
#include "common/clock.h"
#include "learner/transition_recv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { O = 3, A = 1, WINDOW = 256, BLOCK = 32, ACTORS = 4, SLOTS = 8 };

struct rig {
    char                    address[64];
    struct limiter          limiter;
    struct replay           replay;
    struct transition_recv *recv;
    struct link_hub        *hub;
    uint64_t                max_frame;
    uint64_t                tolerance;  // of the limiter
};

static const double low[A] = {-2.0}, high[A] = {2.0};

static struct transition_recv_config rig_config(struct rig *rig)
{
    struct transition_recv_config c = {.n_bind = 1};
    c.bind[0] = rig->address;
    c.reception = (struct reception_config){
        .run_id = 77,
        .incarnation = 1,
        .seed = 5,
        .task = "Pendulum-v1",
        .spec_text = "spec: text",
        .spec_size = 10,
        .spec_hash = 1234,
        .max_actors = SLOTS,
        .credit_window = WINDOW,
        .block_rows = BLOCK,
        .heartbeat_s = 0.2,
        .timeout_s = 1.0,
    };
    return c;
}

static void rig_start(struct rig *rig, const struct transition_recv_config *config)
{
    struct error err = {0};
    rig->recv = transition_recv_start(config, &err);
    if (rig->recv == NULL)
        fail_msg("%s", err.text);
}

static void rig_open(struct rig *rig, uint64_t max_frame, uint64_t p)
{
    struct error          err = {0};
    struct reception_task task;
    struct limiter_config lc = {.p = p,
                                .q = 1,
                                .start = 100,
                                .tolerance = rig->tolerance,
                                .max_frame = max_frame,
                                .insert_block = BLOCK,
                                .sample_block = 1};
    assert_int_equal(transition_recv_wait_task(rig->recv, &task, 5.0), 0);
    assert_int_equal(task.obs, O);
    assert_string_equal(task.name, "Pendulum-v1");
    assert_true(task.high[0] == 2.0);
    assert_int_equal(limiter_init(&rig->limiter, &lc, &err), 0);
    assert_int_equal(
        replay_init(&rig->replay, row_shape_make(O, A), 100000, SLOTS, 0, NULL, false, &err), 0);
    assert_int_equal(transition_recv_open(rig->recv, &rig->replay, &rig->limiter, &err), 0);
}

static void rig_stop(struct rig *rig)
{
    transition_recv_stop(rig->recv, "done", 2.0);
    limiter_free(&rig->limiter);
    replay_free(&rig->replay);
    link_hub_close(rig->hub);
    unlink(rig->address + 6);
}

static void rig_init(struct rig *rig)
{
    static int   n;
    struct error err = {0};
    memset(rig, 0, sizeof *rig);
    rig->tolerance = 1000;
    snprintf(rig->address, sizeof rig->address, "ipc:///tmp/crossfleet-test-%d-%d", (int)getpid(),
             n++);
    rig->hub = link_hub_open(64, &err);
    assert_non_null(rig->hub);
}

static struct transition_send *actor_open(struct rig *rig, const char *name)
{
    struct error                  err = {0};
    struct transition_send_config c = {.address = rig->address,
                                       .name = name,
                                       .role = ROLE_ACTOR,
                                       .heartbeat_s = 0.2,
                                       .timeout_s = 1.0,
                                       .hub = rig->hub};
    struct transition_send       *s = transition_send_open(&c, &err);
    if (s == NULL || transition_send_handshake(s, 5.0, NULL, &err) < 0)
        fail_msg("%s", err.text);
    return s;
}

static void actor_ready(struct transition_send *s)
{
    struct error                err = {0};
    struct transition_send_task task = {.name = "Pendulum-v1",
                                        .obs = O,
                                        .action = A,
                                        .low = low,
                                        .high = high,
                                        .max_steps = 200,
                                        .spec_hash = 1234};
    assert_int_equal(transition_send_ready(s, &task, WINDOW, &err), 0);
}

// a row that says which actor made it and when
static void row_make(float *row, size_t actor, size_t k)
{
    struct row_shape s = row_shape_make(O, A);
    memset(row, 0, s.words * sizeof *row);
    row[0] = (float)actor;
    row[1] = (float)k;
}

// every actor makes rows until the learner says stop or `each` are made
static void actors_run(struct transition_send **s, size_t n, size_t each, size_t *made)
{
    float  row[16];
    double deadline = clock_now() + 20.0;
    bool   busy = true;
    while (busy && clock_now() < deadline) {
        busy = false;
        for (size_t i = 0; i < n; i++) {
            if (s[i] == NULL || made[i] >= each)
                continue;
            busy = true;
            if (transition_send_poll(s[i], 0.0) == SEND_STOP) {
                transition_send_close(s[i], 2.0);
                s[i] = NULL;
                continue;
            }
            while (made[i] < each && transition_send_room(s[i]) > 0) {
                row_make(row, i, made[i]++);
                transition_send_add(s[i], row, 1);
                if (made[i] % 10 == 0)
                    break;
            }
        }
    }
    assert_false(busy);
}

// each actor's rows are there once, in order, and nothing else
static void replay_check(struct rig *rig, const size_t *expected, size_t n)
{
    size_t           seen[SLOTS] = {0};
    struct row_shape shape = row_shape_make(O, A);
    for (uint64_t i = 0; i < rig->replay.inserted; i++) {
        const float *row = rig->replay.rows + i * shape.words;
        size_t       actor = (size_t)row[0];
        assert_true(actor < n);
        assert_int_equal((size_t)row[1], seen[actor]);
        seen[actor]++;
    }
    for (size_t i = 0; i < n; i++)
        assert_int_equal(seen[i], expected[i]);
}

static void every_row_arrives_once_and_in_order(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    struct transition_recv_config config = rig_config(&rig);
    rig_start(&rig, &config);
    struct transition_send *actors[ACTORS];
    size_t                  made[ACTORS] = {0}, expected[ACTORS];
    for (size_t i = 0; i < ACTORS; i++) {
        char name[16];
        snprintf(name, sizeof name, "actor-%zu", i);
        actors[i] = actor_open(&rig, name);
        assert_int_equal(transition_send_welcome(actors[i])->slot, i);
        assert_string_equal(transition_send_welcome(actors[i])->spec, "spec: text");
        actor_ready(actors[i]);
        expected[i] = 5001;
    }
    rig_open(&rig, 100000, 0);
    actors_run(actors, ACTORS, 5001, made);
    for (size_t i = 0; i < ACTORS; i++)
        assert_int_equal(transition_send_close(actors[i], 5.0), 0);
    struct transition_recv_counters c;
    transition_recv_read(rig.recv, &c, false);
    assert_int_equal(c.rows, 4 * 5001);
    assert_int_equal(c.lost, 0);
    assert_int_equal(c.duplicates, 0);
    assert_int_equal(c.in_flight, 0);
    assert_int_equal(c.actors, 0);
    replay_check(&rig, expected, ACTORS);
    rig_stop(&rig);
}

static void exactly_max_frame_rows_are_inserted(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    struct transition_recv_config config = rig_config(&rig);
    rig_start(&rig, &config);
    struct transition_send *actors[2];
    for (size_t i = 0; i < 2; i++) {
        actors[i] = actor_open(&rig, i == 0 ? "a" : "b");
        actor_ready(actors[i]);
    }
    rig_open(&rig, 3333, 0);
    float  row[16];
    size_t made[2] = {0};
    double deadline = clock_now() + 10.0;
    bool   asked = false;
    while ((actors[0] != NULL || actors[1] != NULL) && clock_now() < deadline) {
        for (size_t i = 0; i < 2; i++) {
            if (actors[i] == NULL)
                continue;
            if (transition_send_poll(actors[i], 0.001) == SEND_STOP) {
                transition_send_close(actors[i], 2.0);
                actors[i] = NULL;
                continue;
            }
            while (transition_send_room(actors[i]) >= 8)
                for (size_t k = 0; k < 8; k++) {
                    row_make(row, i, made[i]++);
                    transition_send_add(actors[i], row, 1);
                }
        }
        if (!asked && limiter_wait_inserted(&rig.limiter, 3333, 0.0) == 0) {
            transition_recv_stop_actors(rig.recv, "max_frame");
            asked = true;
        }
    }
    assert_null(actors[0]);
    assert_null(actors[1]);
    assert_int_equal(rig.replay.inserted, 3333);
    rig_stop(&rig);
}

static void a_closed_limiter_withholds_credit_and_an_update_gives_it_back(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    struct transition_recv_config config = rig_config(&rig);
    rig_start(&rig, &config);
    struct transition_send *s = actor_open(&rig, "a");
    actor_ready(s);
    rig_open(&rig, 100000, 1);
    float  row[16];
    size_t made = 0;
    double deadline = clock_now() + 10.0;
    // warm-up 100 and tolerance 1000, then one row an update; less than a block may be held back
    while (limiter_wait_inserted(&rig.limiter, 1101 - BLOCK, 0.0) != 0 && clock_now() < deadline) {
        transition_send_poll(s, 0.001);
        while (transition_send_room(s) > 0 && made < 5000) {
            row_make(row, 0, made++);
            transition_send_add(s, row, 1);
        }
    }
    for (int i = 0; i < 50; i++)
        transition_send_poll(s, 0.005);
    assert_in_range(replay_inserted(&rig.replay), 1101 - BLOCK, 1100);
    struct limiter_state ls;
    limiter_read(&rig.limiter, &ls);
    assert_true(ls.waited[LIMITER_WAIT_SAMPLES] > 0.0);
    limiter_updated(&rig.limiter, 400);
    deadline = clock_now() + 10.0;
    while (limiter_wait_inserted(&rig.limiter, 1501 - BLOCK, 0.0) != 0 && clock_now() < deadline) {
        transition_send_poll(s, 0.001);
        while (transition_send_room(s) > 0 && made < 5000) {
            row_make(row, 0, made++);
            transition_send_add(s, row, 1);
        }
    }
    for (int i = 0; i < 50; i++)
        transition_send_poll(s, 0.005);
    assert_in_range(replay_inserted(&rig.replay), 1501 - BLOCK, 1500);
    transition_send_close(s, 2.0);
    rig_stop(&rig);
}

static void actors_of_a_slow_learner_get_equal_shares(void **state)
{
    (void)state;
    enum { N = 3 };
    struct rig rig;
    rig_init(&rig);
    rig.tolerance = 100;
    struct transition_recv_config config = rig_config(&rig);
    rig_start(&rig, &config);
    struct transition_send *s[N];
    for (size_t i = 0; i < N; i++) {
        char name[16];
        snprintf(name, sizeof name, "actor-%zu", i);
        s[i] = actor_open(&rig, name);
        actor_ready(s[i]);
    }
    rig_open(&rig, 100000, 1);
    float  row[16];
    size_t made[N] = {0}, at_start[N] = {0};
    bool   tight = false;
    double deadline = clock_now() + 20.0;
    // 200 rows fill the limiter's band; from there on each update makes room for one row
    while (limiter_wait_inserted(&rig.limiter, 2200, 0.0) != 0 && clock_now() < deadline) {
        for (size_t i = 0; i < N; i++) {
            transition_send_poll(s[i], 0.0005);
            while (transition_send_room(s[i]) > 0) {
                row_make(row, i, made[i]++);
                transition_send_add(s[i], row, 1);
            }
        }
        if (!tight && limiter_wait_inserted(&rig.limiter, 201 - BLOCK, 0.0) == 0) {
            memcpy(at_start, made, sizeof made);
            tight = true;
        }
        if (tight)
            limiter_updated(&rig.limiter, 1);
    }
    assert_true(tight);
    for (size_t i = 0; i < N; i++)
        assert_in_range(made[i] - at_start[i], 2000 / N / 2, 2000 / N * 2);
    for (size_t i = 0; i < N; i++)
        transition_send_close(s[i], 2.0);
    rig_stop(&rig);
}

// one actor makes rows until the replay holds `until`
static void actor_fill(struct rig *rig, struct transition_send *s, size_t *made, uint64_t until)
{
    float  row[16];
    double deadline = clock_now() + 10.0;
    while (replay_inserted(&rig->replay) < until && clock_now() < deadline) {
        transition_send_poll(s, 0.001);
        while (transition_send_room(s) > 0) {
            row_make(row, 0, (*made)++);
            transition_send_add(s, row, 1);
        }
    }
    assert_int_equal(replay_inserted(&rig->replay), until);
}

static void an_actor_goes_on_with_a_restarted_learner(void **state)
{
    (void)state;
    struct rig            rig;
    struct replay_mark    marks[SLOTS];
    struct reception_task task;
    struct error          err = {0};
    size_t                made = 0;
    rig_init(&rig);
    struct transition_recv_config config = rig_config(&rig);
    rig_start(&rig, &config);
    struct transition_send *s = actor_open(&rig, "a");
    actor_ready(s);
    rig_open(&rig, 2000, 0);
    actor_fill(&rig, s, &made, 2000);
    transition_recv_stop(rig.recv, "killed", 0.0);
    // the next learner of the run; it may take 500 rows more than the first
    for (size_t i = 0; i < SLOTS; i++)
        marks[i] = replay_mark(&rig.replay, i);
    assert_int_equal(marks[0].sequence, 2000);
    config.reception.incarnation = 2;
    config.reception.marks = marks;
    rig_start(&rig, &config);
    for (int i = 0; i < 1000 && transition_recv_wait_task(rig.recv, &task, 0.0) != 0; i++)
        transition_send_poll(s, 0.01);
    struct limiter_config lc = rig.limiter.config;
    limiter_free(&rig.limiter);
    lc.max_frame = 2500;
    assert_int_equal(limiter_init(&rig.limiter, &lc, &err), 0);
    limiter_restore(&rig.limiter, 2000, 0);
    assert_int_equal(transition_recv_open(rig.recv, &rig.replay, &rig.limiter, &err), 0);
    actor_fill(&rig, s, &made, 2500);
    assert_int_equal(transition_send_welcome(s)->learner_incarnation, 2);
    assert_int_equal(transition_send_welcome(s)->incarnation, marks[0].incarnation);
    struct transition_recv_counters c;
    transition_recv_read(rig.recv, &c, false);
    assert_int_equal(c.lost, 0);
    assert_int_equal(c.in_flight, 0);
    replay_check(&rig, (size_t[]){2500}, 1);
    transition_send_close(s, 2.0);
    rig_stop(&rig);
}

static void weights_reach_early_and_late_subscribers(void **state)
{
    (void)state;
    struct rig   rig;
    struct error err = {0};
    float        sent[10], got[10];
    uint64_t     version = 0;
    rig_init(&rig);
    struct transition_recv_config config = rig_config(&rig);
    rig_start(&rig, &config);
    for (uint64_t v = 1; v <= 100; v++) {
        for (size_t i = 0; i < 10; i++)
            sent[i] = (float)(v * 10 + i);
        assert_int_equal(transition_recv_publish(rig.recv, v, sent, 10, &err), 0);
    }
    struct weights_recv *w = weights_recv_open(rig.hub, rig.address, NULL, 10, 0.2, 1.0, &err);
    assert_non_null(w);
    weights_recv_expect(w, 77, 1);
    double deadline = clock_now() + 5.0;
    while (!weights_recv_poll(w, got, &version) && clock_now() < deadline)
        weights_recv_wait(w, 0.1);
    assert_int_equal(version, 100);
    assert_memory_equal(got, sent, sizeof got);
    // of several the newest counts
    for (uint64_t v = 101; v <= 150; v++) {
        sent[0] = (float)v;
        assert_int_equal(transition_recv_publish(rig.recv, v, sent, 10, &err), 0);
    }
    while (version != 150 && clock_now() < deadline) {
        weights_recv_wait(w, 0.1);
        weights_recv_poll(w, got, &version);
    }
    assert_int_equal(version, 150);
    assert_true(got[0] == 150.0f);
    weights_recv_close(w);
    transition_recv_stop(rig.recv, "done", 0.0);
    link_hub_close(rig.hub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_arrives_once_and_in_order),
        cmocka_unit_test(exactly_max_frame_rows_are_inserted),
        cmocka_unit_test(a_closed_limiter_withholds_credit_and_an_update_gives_it_back),
        cmocka_unit_test(actors_of_a_slow_learner_get_equal_shares),
        cmocka_unit_test(an_actor_goes_on_with_a_restarted_learner),
        cmocka_unit_test(weights_reach_early_and_late_subscribers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
