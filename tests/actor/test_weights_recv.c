// Weights are taken when everything about them is right, and else the ones in use stay.
#include "actor/weights_recv.h"
#include "common/clock.h"
#include "proto/message.h"
#include "proto/weights.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { N = 8, FRAME = 2 * MESSAGE_OVERHEAD };

#define UNTOUCHED (-1.0f)

static char                 address[64];
static struct link_hub     *hub;
static struct link         *learner;
static struct weights_recv *recv;
static float                floats[N];

static int sockets_open(void **state)
{
    (void)state;
    static int                n;
    const struct link_options options = {.max_message = 256, .send_queue = 1000, .recv_queue = 16};
    struct error              err = {0};
    struct link_frame         subscription;
    char                      weights[LINK_ADDRESS];
    snprintf(address, sizeof address, "ipc:///tmp/test-weights-%d-%d", (int)getpid(), n++);
    hub = link_hub_open(4, &err);
    learner = link_open(hub, LINK_XPUB, &options, &err);
    if (learner == NULL || link_weights_address(weights, address, &err) < 0 ||
        link_bind(learner, weights, &err) < 0)
        return -1;
    recv = weights_recv_open(hub, address, NULL, N, 2.0, 10.0, &err);
    if (recv == NULL)
        return -1;
    weights_recv_expect(recv, 77, 2);
    double deadline = clock_now() + 20.0;
    while (!link_recv(learner, &subscription) && clock_now() < deadline)
        link_poll(&learner, 1, -1, 0.1);
    for (size_t i = 0; i < N; i++)
        floats[i] = UNTOUCHED;
    return clock_now() < deadline ? 0 : -1;
}

static int sockets_close(void **state)
{
    (void)state;
    weights_recv_close(recv);
    link_close(learner);
    link_hub_close(hub);
    char path[96];
    snprintf(path, sizeof path, "%s-weights", address + strlen("ipc://"));
    unlink(path);
    return 0;
}

// ------ frames

static size_t frame_make(uint8_t *frame, uint64_t run_id, uint64_t incarnation, uint64_t version,
                         const float *values, size_t n)
{
    const struct weights w = {
        .run_id = run_id, .incarnation = incarnation, .version = version, .floats = values, .n = n};
    return weights_encode(frame, FRAME, &w);
}

// Sends a frame and waits until it was judged.
static bool frame_taken(const uint8_t *frame, size_t size, uint64_t *version)
{
    uint64_t bad = weights_recv_bad(recv);
    double   deadline = clock_now() + 20.0;
    assert_int_equal(link_send(learner, NULL, frame, size), LINK_SENT);
    while (clock_now() < deadline) {
        double before = weights_recv_age(recv);
        weights_recv_wait(recv, 0.1);
        if (weights_recv_poll(recv, floats, version))
            return true;
        // a frame that was heard and one that was refused end the wait
        if (weights_recv_bad(recv) > bad || weights_recv_age(recv) < before)
            return false;
    }
    fail_msg("no frame came");
    return false;
}

static bool weights_taken(uint64_t run_id, uint64_t incarnation, uint64_t version, float value)
{
    uint8_t  frame[FRAME];
    float    values[N];
    uint64_t got = 0;
    for (size_t i = 0; i < N; i++)
        values[i] = value;
    size_t size = frame_make(frame, run_id, incarnation, version, values, N);
    bool   taken = frame_taken(frame, size, &got);
    if (taken)
        assert_int_equal(got, version);
    return taken;
}

static void in_use(float value)
{
    for (size_t i = 0; i < N; i++)
        assert_true(floats[i] == value);
}

// the frame counts as bad and changes nothing
static void refused(const uint8_t *frame, size_t size)
{
    uint64_t version = 0, bad = weights_recv_bad(recv);
    double   age = weights_recv_age(recv);
    assert_false(frame_taken(frame, size, &version));
    assert_int_equal(version, 0);
    assert_int_equal(weights_recv_bad(recv), bad + 1);
    assert_true(weights_recv_age(recv) >= age);
    in_use(UNTOUCHED);
}

// ------ tests

static void newer_weights_are_taken_and_older_ones_are_not(void **state)
{
    (void)state;
    assert_true(weights_taken(77, 2, 5, 5));
    in_use(5);
    assert_false(weights_taken(77, 2, 4, 4));
    in_use(5);
    // a repeat is a sign of life and no more
    assert_false(weights_taken(77, 2, 5, 6));
    in_use(5);
    assert_true(weights_taken(77, 2, 9, 9));
    in_use(9);
    assert_int_equal(weights_recv_bad(recv), 0);
}

static void a_restarted_learner_begins_anew_and_the_one_before_is_over(void **state)
{
    (void)state;
    assert_true(weights_taken(77, 2, 50, 1));
    // the new learner may be heard before it was greeted
    assert_true(weights_taken(77, 3, 10, 2));
    in_use(2);
    assert_false(weights_taken(77, 2, 51, 3));
    assert_int_equal(weights_recv_bad(recv), 1);
    weights_recv_expect(recv, 77, 3);
    assert_false(weights_taken(77, 2, 52, 3));
    assert_int_equal(weights_recv_bad(recv), 2);
    in_use(2);
    assert_true(weights_taken(77, 3, 11, 4));
    in_use(4);
}

static void a_changed_byte_anywhere_is_noticed(void **state)
{
    (void)state;
    uint8_t     frame[FRAME], changed[FRAME];
    const float values[N] = {1, 2, 3, 4, 5, 6, 7, 8};
    size_t      size = frame_make(frame, 77, 2, 5, values, N);
    for (size_t i = 0; i < size; i++) {
        memcpy(changed, frame, size);
        changed[i] ^= 0x01;
        refused(changed, size);
    }
}

static void weights_of_another_run_are_not_taken(void **state)
{
    (void)state;
    assert_false(weights_taken(78, 2, 5, 5));
    assert_int_equal(weights_recv_bad(recv), 1);
    in_use(UNTOUCHED);
}

static void weights_of_an_earlier_learner_are_not_taken(void **state)
{
    (void)state;
    assert_false(weights_taken(77, 1, 500, 5));
    assert_int_equal(weights_recv_bad(recv), 1);
    in_use(UNTOUCHED);
}

static void weights_without_a_version_are_not_taken(void **state)
{
    (void)state;
    assert_false(weights_taken(77, 2, 0, 5));
    assert_int_equal(weights_recv_bad(recv), 1);
    in_use(UNTOUCHED);
}

static void weights_of_a_wrong_size_are_not_taken(void **state)
{
    (void)state;
    uint8_t     frame[FRAME];
    const float values[N + 1] = {0};
    refused(frame, frame_make(frame, 77, 2, 5, values, N - 1));
    refused(frame, frame_make(frame, 77, 2, 5, values, N + 1));
    refused(frame, frame_make(frame, 77, 2, 5, values, 0));
}

static void a_frame_that_is_cut_is_not_taken(void **state)
{
    (void)state;
    uint8_t     frame[FRAME];
    const float values[N] = {0};
    size_t      size = frame_make(frame, 77, 2, 5, values, N);
    for (size_t cut = 1; cut < size; cut++)
        refused(frame, cut);
}

static void weights_that_are_not_finite_are_not_taken(void **state)
{
    (void)state;
    uint8_t     frame[FRAME];
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) {
        float values[N] = {0};
        values[N - 1] = bad[i];
        refused(frame, frame_make(frame, 77, 2, 5, values, N));
    }
}

static void another_message_is_no_weights(void **state)
{
    (void)state;
    uint8_t              frame[FRAME];
    const struct message m = {.kind = MESSAGE_STOP, .stop = {.reason = "stop"}};
    refused(frame, message_encode(frame, sizeof frame, &m));
}

#define WITH_SOCKETS(test) cmocka_unit_test_setup_teardown(test, sockets_open, sockets_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SOCKETS(newer_weights_are_taken_and_older_ones_are_not),
        WITH_SOCKETS(a_restarted_learner_begins_anew_and_the_one_before_is_over),
        WITH_SOCKETS(a_changed_byte_anywhere_is_noticed),
        WITH_SOCKETS(weights_of_another_run_are_not_taken),
        WITH_SOCKETS(weights_of_an_earlier_learner_are_not_taken),
        WITH_SOCKETS(weights_without_a_version_are_not_taken),
        WITH_SOCKETS(weights_of_a_wrong_size_are_not_taken),
        WITH_SOCKETS(a_frame_that_is_cut_is_not_taken),
        WITH_SOCKETS(weights_that_are_not_finite_are_not_taken),
        WITH_SOCKETS(another_message_is_no_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
