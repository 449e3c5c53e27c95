// Peers that break the rules, on real sockets: each is counted by reason and cut, a good actor's rows go
// on to arrive, and the learner's memory stays what it was.
#include "actor/weights_recv.h"
#include "common/rng.h"
#include "tests/wire/learner_rig.h"

#include <errno.h>
#include <math.h>

// beyond what buffers of a few connections take; sanitizers keep what was freed for a while
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GROWTH_MB 512.0
#else
#define GROWTH_MB 48.0
#endif

static struct rig rig;
static double     rss_before;

static int rig_make(void **state)
{
    (void)state;
    rig_start(&rig, NULL, NULL, "spec: text", 6.0);
    rig_goes_on(&rig);
    rss_before = rss_mb();
    return 0;
}

static int rig_end(void **state)
{
    (void)state;
    double grown = rss_mb() - rss_before;
    if (grown > GROWTH_MB)
        fail_msg("memory grew by %.0f MB", grown);
    rig_stop(&rig);
    return 0;
}

// ------ bytes that are no messages

static void random_bytes_do_no_harm(void **state)
{
    (void)state;
    struct rng rng;
    int        fd[20];
    rng_init(&rng, 1, RNG_TEST, 0);
    for (int i = 0; i < 20; i++) {
        uint8_t bytes[16384];
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (uint8_t)rng_next(&rng);
        fd[i] = raw_connect(rig.port + i % 2);
        // the learner may cut before it has read everything
        raw_write(fd[i], bytes, sizeof bytes);
    }
    rig_goes_on(&rig);
    for (int i = 0; i < 20; i++)
        close(fd[i]);
}

static void a_greeting_of_something_else_is_counted(void **state)
{
    (void)state;
    // a mechanism that nobody has
    rig_refuses_mechanism(&rig, "XXXX");
}

static void frames_that_are_no_messages_are_counted_and_cut(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t      size;
    } frames[] = {
        {"", 0},
        {"\x00", 1},
        {"hello, learner", 14},
        {"\x98\x01\x02\xa1", 4},              // HELLO, cut
        {"\x91\xc0\xc0", 3},                  // more than the array
        {"\x91\x63", 2},                      // no such kind
        {"\xdd\xff\xff\xff\xff\x01", 6},      // array of 2^32 - 1
        {"\xdc\xff\xff\x01", 4},              // array of 2^16 - 1
        {"\xdf\xff\xff\xff\xff\x01", 6},      // map of 2^32 - 1
        {"\x92\x06\xc6\xff\xff\xff\xff", 7},  // bin of 2^32 - 1
        {"\x92\x07\xdb\xff\xff\xff\xff", 7},  // str of 2^32 - 1
        {"\x92\x07\xc9\xff\xff\xff\xff\x01", 8},
        {"\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x01", 11},
    };
    size_t n = sizeof frames / sizeof frames[0];
    for (size_t i = 0; i < n; i++) {
        int fd = raw_open(rig.port, "DEALER");
        assert_true(raw_frame(fd, 0, frames[i].bytes, frames[i].size));
        rig_rejects(&rig, REJECT_MALFORMED, i + 1);
        raw_cut(fd);
    }
    assert_int_equal(rig_read(&rig).rejected[REJECT_MALFORMED], n);
}

static void a_message_of_several_parts_is_none(void **state)
{
    (void)state;
    int            fd = raw_open(rig.port, "DEALER");
    struct message hello = raw_hello("bad");
    assert_true(raw_frame(fd, RAW_MORE, "x", 1));
    assert_true(raw_say(fd, &hello));
    rig_rejects(&rig, REJECT_MALFORMED, 1);
    raw_cut(fd);
}

static void a_frame_longer_than_any_message_cuts_its_peer_before_it_is_read(void **state)
{
    (void)state;
    const uint64_t sizes[] = {MESSAGE_ROWS_MAX + MESSAGE_OVERHEAD + 1, 1u << 31, UINT64_MAX};
    struct welcome w;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int fd = raw_join(&rig, "huge", &w);
        assert_true(raw_head(fd, 0, sizes[i]));
        raw_cut(fd);
        rig_actors(&rig, 1);
    }
    // subscriptions are short
    int fd = raw_open(rig.port + 1, "SUB");
    assert_true(raw_head(fd, 0, 1u << 20));
    raw_cut(fd);
}

// ------ rows

static void bad_rows(const char        *name, void (*change)(struct transitions *, float *),
                     enum reject_reason reason)
{
    struct welcome w;
    float          rows[2 * WORDS] = {0};
    struct message m = {.kind = MESSAGE_TRANSITIONS}, refused;
    int            fd = raw_join(&rig, name, &w);
    uint64_t       before = rig_read(&rig).rejected[reason];
    m.transitions = (struct transitions){.slot = w.slot,
                                         .incarnation = w.incarnation,
                                         .first = 1,
                                         .n = 2,
                                         .rows = {rows, sizeof rows}};
    change(&m.transitions, rows);
    assert_true(raw_say(fd, &m));
    refused = raw_hear(fd, MESSAGE_REFUSED);
    assert_true(refused.refused.code == REFUSED_INVALID ||
                refused.refused.code == REFUSED_REPLACED);
    rig_rejects(&rig, reason, before + 1);
    raw_cut(fd);
    rig_actors(&rig, 1);
}

static void one_is_nan(struct transitions *t, float *rows)
{
    (void)t;
    rows[WORDS + 1] = NAN;
}

static void one_is_infinite(struct transitions *t, float *rows)
{
    (void)t;
    rows[O + A] = -INFINITY;
}

static void one_is_short(struct transitions *t, float *rows)
{
    (void)rows;
    t->rows.size -= 4;
}

static void number_is_huge(struct transitions *t, float *rows)
{
    (void)rows;
    t->n = UINT32_MAX;
}

static void incarnation_is_old(struct transitions *t, float *rows)
{
    (void)rows;
    t->incarnation--;
}

static void sequence_is_far(struct transitions *t, float *rows)
{
    (void)rows;
    t->first = UINT64_MAX;
}

static void slot_is_the_good_ones(struct transitions *t, float *rows)
{
    (void)rows;
    t->slot = 0;
}

static void bad_rows_cut_their_actor_and_none_is_taken(void **state)
{
    (void)state;
    bad_rows("nan", one_is_nan, REJECT_ROWS);
    bad_rows("inf", one_is_infinite, REJECT_ROWS);
    bad_rows("short", one_is_short, REJECT_ROWS);
    bad_rows("huge", number_is_huge, REJECT_ROWS);
    bad_rows("old", incarnation_is_old, REJECT_STALE);
    bad_rows("far", sequence_is_far, REJECT_CREDIT);
    bad_rows("other", slot_is_the_good_ones, REJECT_STALE);
}

// ------ too much, or too slow

static void a_flood_of_small_messages_is_cut(void **state)
{
    (void)state;
    struct welcome w;
    struct message beat = {.kind = MESSAGE_HEARTBEAT};
    int            fd = raw_join(&rig, "flood", &w);
    while (raw_say(fd, &beat))
        continue;
    rig_rejects(&rig, REJECT_FLOOD, 1);
    raw_cut(fd);
    rig_actors(&rig, 1);
}

static void a_flood_before_hello_is_cut(void **state)
{
    (void)state;
    struct message beat = {.kind = MESSAGE_HEARTBEAT};
    int            fd = raw_open(rig.port, "DEALER");
    while (raw_say(fd, &beat))
        continue;
    rig_rejects(&rig, REJECT_STRANGER, PEER_CONTROL_PER_S);
    rig_rejects(&rig, REJECT_FLOOD, 1);
    raw_cut(fd);
}

static void a_flood_of_large_frames_is_cut(void **state)
{
    (void)state;
    static uint8_t frame[MESSAGE_ROWS_MAX];
    struct message m = {.kind = MESSAGE_TRANSITIONS};
    // no message at all, then what only a stranger says
    int fd = raw_open(rig.port, "DEALER");
    while (raw_frame(fd, 0, frame, sizeof frame))
        continue;
    rig_rejects(&rig, REJECT_MALFORMED, 1);
    raw_cut(fd);
    m.transitions = (struct transitions){.n = 1, .rows = {frame, sizeof frame}};
    // frames of the first that are still in the queue may cut the second, which has its descriptor
    double deadline = clock_now() + PATIENCE_S;
    while (rig_read(&rig).rejected[REJECT_FLOOD] == 0 && clock_now() < deadline) {
        fd = raw_open(rig.port, "DEALER");
        while (raw_say(fd, &m))
            continue;
        raw_cut(fd);
    }
    rig_rejects(&rig, REJECT_FLOOD, 1);
}

static void a_flood_of_hellos_is_cut(void **state)
{
    (void)state;
    struct message hello = raw_hello("again");
    int            fd = raw_open(rig.port, "DEALER");
    while (raw_say(fd, &hello))
        continue;
    rig_rejects(&rig, REJECT_FLOOD, 1);
    raw_cut(fd);
}

static void a_flood_of_connections_does_no_harm(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++)
        close(raw_open(rig.port, "DEALER"));
    for (int i = 0; i < 200; i++)
        close(raw_connect(rig.port));
}

static void an_actor_that_falls_silent_and_never_reads_is_cut(void **state)
{
    (void)state;
    struct welcome w;
    int            fd = raw_join(&rig, "deaf", &w);
    rig_actors(&rig, 2);
    rig_actors(&rig, 1);
    assert_true(rig_read(&rig).in_flight <= WINDOW);
    raw_cut(fd);
}

// a WELCOME that fits a connection's buffers a few times
static char large[100001];

static void one_that_greets_and_never_reads_is_cut(void **state)
{
    (void)state;
    struct rig mine;
    memset(large, '#', sizeof large - 1);
    rig_start(&mine, NULL, NULL, large, 2.0);
    int            fd = raw_open(mine.port, "DEALER");
    struct message hello = raw_hello("deaf");
    double         rss = rss_mb(), deadline = clock_now() + PATIENCE_S;
    // it stays alive by greeting, and reads nothing of the WELCOMEs; the kernel may be the first to cut it
    bool open = true;
    while (open && rig_read(&mine).rejected[REJECT_SLOW] == 0 && clock_now() < deadline) {
        open = raw_say(fd, &hello);
        clock_sleep(0.05);
    }
    assert_true(!open || rig_read(&mine).rejected[REJECT_SLOW] == 1);
    assert_true(rss_mb() - rss < GROWTH_MB / 3);
    raw_cut(fd);
    rig_stop(&mine);
}

// ------ weights

enum { FLOATS = 250000, VERSIONS = 100 };

static float floats[FLOATS], got[FLOATS];

static void publish(uint64_t version)
{
    assert_int_equal(transition_recv_publish(rig.recv, version, floats, FLOATS, NULL), 0);
}

static void newest_arrives(struct weights_recv *w, uint64_t newest)
{
    uint64_t version = 0;
    double   deadline = clock_now() + PATIENCE_S;
    while (version != newest && clock_now() < deadline) {
        weights_recv_wait(w, 0.1);
        weights_recv_poll(w, got, &version);
    }
    assert_int_equal(version, newest);
}

static void a_subscriber_that_stops_reading_holds_nobody_up_and_is_cut(void **state)
{
    (void)state;
    struct error         err = {0};
    uint8_t              part[1000];
    struct weights_recv *w = weights_recv_open(rig.hub, rig.address, NULL, FLOATS, 1.0, 6.0, &err);
    assert_non_null(w);
    weights_recv_expect(w, 77, 1);
    publish(1);
    newest_arrives(w, 1);
    int fd = raw_open(rig.port + 1, "SUB");
    assert_true(raw_frame(fd, 0, "\1", 1));
    // the beginning of a frame of a megabyte, and no more
    assert_true(raw_read(fd, part, sizeof part));
    for (uint64_t v = 2; v <= VERSIONS; v++) {
        publish(v);
        clock_sleep(0.005);
    }
    newest_arrives(w, VERSIONS);
    // its end is not seen by reading: the learner's side resets the connection
    double deadline = clock_now() + PATIENCE_S;
    while (send(fd, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 && clock_now() < deadline)
        clock_sleep(0.05);
    assert_true(clock_now() < deadline);
    close(fd);
    weights_recv_close(w);
}

static void a_flood_of_subscriptions_is_cut(void **state)
{
    (void)state;
    struct error         err = {0};
    struct weights_recv *w = weights_recv_open(rig.hub, rig.address, NULL, FLOATS, 1.0, 6.0, &err);
    assert_non_null(w);
    weights_recv_expect(w, 77, 1);
    publish(1);
    newest_arrives(w, 1);
    int fd = raw_open(rig.port + 1, "SUB");
    for (uint32_t i = 0; i < 100000; i++) {
        char topic[16];
        int  n = snprintf(topic, sizeof topic, "\1%u", i);
        if (!raw_frame(fd, 0, topic, (size_t)n))
            break;
    }
    rig_rejects(&rig, REJECT_FLOOD, 1);
    raw_cut(fd);
    // who was cut with it comes back
    publish(2);
    newest_arrives(w, 2);
    weights_recv_close(w);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_make, rig_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(random_bytes_do_no_harm),
        WITH_RIG(a_greeting_of_something_else_is_counted),
        WITH_RIG(frames_that_are_no_messages_are_counted_and_cut),
        WITH_RIG(a_message_of_several_parts_is_none),
        WITH_RIG(a_frame_longer_than_any_message_cuts_its_peer_before_it_is_read),
        WITH_RIG(bad_rows_cut_their_actor_and_none_is_taken),
        WITH_RIG(a_flood_of_small_messages_is_cut),
        WITH_RIG(a_flood_before_hello_is_cut),
        WITH_RIG(a_flood_of_large_frames_is_cut),
        WITH_RIG(a_flood_of_hellos_is_cut),
        WITH_RIG(a_flood_of_connections_does_no_harm),
        WITH_RIG(an_actor_that_falls_silent_and_never_reads_is_cut),
        cmocka_unit_test(one_that_greets_and_never_reads_is_cut),
        WITH_RIG(a_subscriber_that_stops_reading_holds_nobody_up_and_is_cut),
        WITH_RIG(a_flood_of_subscriptions_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
