// When an actor may choose actions: its weights are heard of, and as new as its learner wants them.
#include "actor/session.h"
#include "common/clock.h"
#include "proto/message.h"
#include "proto/weights.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { N = 4, FRAME = 2 * MESSAGE_OVERHEAD };

static char                 address[64];
static struct actor_options options;
static struct link_hub     *hub;
static struct link         *router, *publisher;
static struct session       session;
static float                floats[N];

// ------ a learner that says what the test wants

static void learner_say(const struct link_peer *to, const struct message *m)
{
    uint8_t out[FRAME];
    size_t  size = message_encode(out, sizeof out, m);
    assert_int_equal(link_send(router, to, out, size), LINK_SENT);
}

static struct link_peer actor;

// answers the actor's HELLO
static void learner_welcome(void)
{
    struct message    m = {.kind = MESSAGE_WELCOME};
    struct link_frame frame;
    double            deadline = clock_now() + 20.0;
    while (!link_recv(router, &frame) && clock_now() < deadline)
        transition_send_poll(session.send, 0.01);
    assert_true(clock_now() < deadline);
    actor = frame.peer;
    m.welcome = (struct welcome){.run_id = 77, .learner_incarnation = 1, .max_rows = 8};
    learner_say(&actor, &m);
    while (transition_send_welcome(session.send)->run_id != 77 && clock_now() < deadline)
        transition_send_poll(session.send, 0.01);
}

static void learner_wants(uint64_t version)
{
    const struct message m = {.kind = MESSAGE_CREDIT, .credit = {.min_version = version}};
    double               deadline = clock_now() + 20.0;
    learner_say(&actor, &m);
    while (transition_send_min_version(session.send) != version && clock_now() < deadline)
        transition_send_poll(session.send, 0.01);
    assert_int_equal(transition_send_min_version(session.send), version);
}

static void learner_publishes(uint64_t version)
{
    uint8_t              frame[FRAME];
    const float          values[N] = {1, 2, 3, 4};
    const struct weights w = {
        .run_id = 77, .incarnation = 1, .version = version, .floats = values, .n = N};
    double deadline = clock_now() + 20.0, age = weights_recv_age(session.weights);
    link_send(publisher, NULL, frame, weights_encode(frame, sizeof frame, &w));
    while (weights_recv_age(session.weights) >= age && clock_now() < deadline) {
        weights_recv_wait(session.weights, 0.1);
        session_weights(&session);
    }
    assert_int_equal(session.version, version);
}

static int open_all(void **state)
{
    (void)state;
    static int                n;
    const struct link_options link = {.max_message = FRAME, .send_queue = 16, .recv_queue = 16};
    struct error              err = {0};
    struct link_frame         frame;
    char                      weights[LINK_ADDRESS];
    snprintf(address, sizeof address, "ipc:///tmp/test-session-%d-%d", (int)getpid(), n++);
    options.connect = address;
    hub = link_hub_open(8, &err);
    router = link_open(hub, LINK_ROUTER, &link, &err);
    publisher = link_open(hub, LINK_XPUB, &link, &err);
    if (router == NULL || publisher == NULL || link_bind(router, address, &err) < 0 ||
        link_weights_address(weights, address, &err) < 0 || link_bind(publisher, weights, &err) < 0)
        return -1;
    const struct transition_send_config config = {
        .address = address, .name = "a", .heartbeat_s = 2.0, .timeout_s = 60.0, .hub = hub};
    session = (struct session){.options = &options};
    session.policy.floats = floats;
    session.spec.cluster.heartbeat_timeout_s = 1e6;
    session.send = transition_send_open(&config, &err);
    session.weights = weights_recv_open(hub, address, NULL, N, 2.0, 10.0, &err);
    if (session.send == NULL || session.weights == NULL)
        return -1;
    weights_recv_expect(session.weights, 77, 1);
    double deadline = clock_now() + 20.0;
    while (!link_recv(publisher, &frame) && clock_now() < deadline)
        link_poll(&publisher, 1, -1, 0.1);
    learner_welcome();
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    transition_send_close(session.send, 0.0);
    weights_recv_close(session.weights);
    link_close(router);
    link_close(publisher);
    link_hub_close(hub);
    unlink(address + strlen("ipc://"));
    return 0;
}

// ------ tests

static void before_the_first_weights_actions_are_random(void **state)
{
    (void)state;
    learner_wants(0);
    assert_true(session_weights_good(&session));
    // however long the warm-up takes
    clock_sleep(0.02);
    session.spec.cluster.heartbeat_timeout_s = 0.001;
    assert_true(session_weights_good(&session));
    assert_false(session.warned);
}

static void an_actor_waits_for_the_first_weights_once_there_are_some(void **state)
{
    (void)state;
    learner_wants(1);
    assert_false(session_weights_good(&session));
    assert_false(session.warned);
    // it warns when they do not come: the second port may be closed
    session.spec.cluster.heartbeat_timeout_s = 0.001;
    clock_sleep(0.01);
    assert_false(session_weights_good(&session));
    assert_true(session.warned);
    session.spec.cluster.heartbeat_timeout_s = 1e6;
    learner_publishes(1);
    assert_true(session_weights_good(&session));
    assert_false(session.warned);
}

static void an_actor_that_lags_too_far_waits_for_newer_weights(void **state)
{
    (void)state;
    learner_publishes(5);
    learner_wants(5);
    assert_true(session_weights_good(&session));
    learner_wants(8);
    assert_false(session_weights_good(&session));
    learner_publishes(7);
    assert_false(session_weights_good(&session));
    learner_publishes(8);
    assert_true(session_weights_good(&session));
}

static void without_weights_an_actor_warns_and_then_pauses(void **state)
{
    (void)state;
    learner_publishes(5);
    assert_true(session_weights_good(&session));
    clock_sleep(0.5);
    // late, and less than three times the limit
    session.spec.cluster.heartbeat_timeout_s = 0.9 * weights_recv_age(session.weights);
    assert_true(session_weights_good(&session));
    assert_true(session.warned);
    session.spec.cluster.heartbeat_timeout_s = 0.1 * weights_recv_age(session.weights);
    assert_false(session_weights_good(&session));
    // the same weights again say that the learner is there
    session.spec.cluster.heartbeat_timeout_s = 1e6;
    learner_publishes(5);
    assert_true(session_weights_good(&session));
    assert_false(session.warned);
}

#define WITH_ALL(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ALL(before_the_first_weights_actions_are_random),
        WITH_ALL(an_actor_waits_for_the_first_weights_once_there_are_some),
        WITH_ALL(an_actor_that_lags_too_far_waits_for_newer_weights),
        WITH_ALL(without_weights_an_actor_warns_and_then_pauses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
