// What an actor sends after its handshake: rows once each and in order, credits, reports, leaving.
#include "tests/learner/reception_rig.h"

#include <math.h>

static struct rig     rig;
static struct welcome session;
static struct link   *actor;

static struct peer *peer(void)
{
    return &rig.r.peers.peers[0];
}

// a learner with one actor that may send
static int rig_make(void **state)
{
    (void)state;
    struct reception_config config = rig_config();
    rig_init(&rig, &config);
    actor = actor_join(&rig, "a", &session);
    rig_open(&rig, 0, 0, 10000);
    reception_settle(&rig.r, true);
    return 0;
}

static int rig_end(void **state)
{
    (void)state;
    link_close(actor);
    rig_free(&rig);
    return 0;
}

// the replay holds rows 1 ... n of the actor and nothing else
static void replay_holds(uint64_t n)
{
    assert_int_equal(rig.replay.inserted, n);
    for (uint64_t i = 0; i < n; i++)
        assert_true(rig.replay.rows[i * RIG_WORDS] == (float)(i + 1));
    assert_int_equal(replay_mark(&rig.replay, 0).sequence, n);
    assert_int_equal(replay_mark(&rig.replay, 0).incarnation, session.incarnation);
}

// CREDITs until one asks for a repeat
static struct credit resend_heard(void)
{
    for (;;) {
        struct credit c = actor_hear(actor, MESSAGE_CREDIT).credit;
        if (c.resend)
            return c;
    }
}

// ------ rows

static void a_gap_is_asked_for_and_the_repeat_comes_in_once(void **state)
{
    (void)state;
    actor_rows(&rig, actor, &session, 1, 4, 0);
    resend_heard();
    actor_rows(&rig, actor, &session, 9, 2, 0);
    struct credit c = resend_heard();
    assert_int_equal(c.acknowledged, 4);
    replay_holds(4);
    // all that was sent since comes again, some of it twice
    actor_rows(&rig, actor, &session, 3, 6, 0);
    actor_rows(&rig, actor, &session, 9, 2, 0);
    actor_rows(&rig, actor, &session, 9, 2, 0);
    replay_holds(10);
    assert_int_equal(peer()->duplicates, 4);
    assert_int_equal(peer()->lost, 0);
    assert_int_equal(rig.r.in_flight, peer()->granted - 10);
}

static void rows_that_never_come_are_counted_as_lost(void **state)
{
    (void)state;
    actor_rows(&rig, actor, &session, 1, 4, 0);
    for (int i = 0; i < PEER_REWINDS + 1; i++, rig.now += 1.5)
        actor_rows(&rig, actor, &session, 8, 3, 0);
    assert_int_equal(peer()->lost, 3);
    assert_int_equal(peer()->in, 10);
    assert_int_equal(rig.replay.inserted, 7);
    assert_int_equal(rig.r.in_flight, peer()->granted - 10);
}

static void expect_refusal(enum refused_code code, enum reject_reason reason, const char *part)
{
    struct message m = actor_hear(actor, MESSAGE_REFUSED);
    assert_int_equal(m.refused.code, code);
    if (strstr(m.refused.reason, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", m.refused.reason, part);
    assert_int_equal(rig.r.rejected[reason], 1);
    assert_int_equal(rig.r.live, 0);
    assert_int_equal(rig.r.in_flight, 0);
    assert_int_equal(rig.replay.inserted, 0);
}

static void rows_of_an_older_incarnation_are_refused(void **state)
{
    (void)state;
    session.incarnation--;
    actor_rows(&rig, actor, &session, 1, 4, 0);
    expect_refusal(REFUSED_REPLACED, REJECT_STALE, "another incarnation");
}

static void rows_of_another_slot_are_refused(void **state)
{
    (void)state;
    session.slot = 2;
    actor_rows(&rig, actor, &session, 1, 4, 0);
    expect_refusal(REFUSED_INVALID, REJECT_STALE, "another slot");
}

static void rows_beyond_the_credit_are_refused(void **state)
{
    (void)state;
    // the first block after a handshake may be of a credit from before it
    actor_rows(&rig, actor, &session, 1, 1, 0);
    rig.replay.inserted = 0;
    actor_rows(&rig, actor, &session, peer()->granted, 2, 0);
    expect_refusal(REFUSED_INVALID, REJECT_CREDIT, "beyond what was granted");
}

static void more_rows_than_a_block_are_refused(void **state)
{
    (void)state;
    actor_rows(&rig, actor, &session, 1, RIG_BLOCK + 1, 0);
    expect_refusal(REFUSED_INVALID, REJECT_ROWS, "size");
}

// one row with a word that is not allowed
static void bad_word(size_t word, float value, const char *part)
{
    float          row[RIG_WORDS] = {0};
    struct message m = {.kind = MESSAGE_TRANSITIONS};
    row[word] = value;
    m.transitions = (struct transitions){.slot = session.slot,
                                         .incarnation = session.incarnation,
                                         .first = 1,
                                         .n = 1,
                                         .rows = {row, sizeof row}};
    actor_say(&rig, actor, &m);
    expect_refusal(REFUSED_INVALID, REJECT_ROWS, part);
}

static void a_reward_that_is_not_a_number_is_refused(void **state)
{
    (void)state;
    bad_word(row_shape_make(RIG_O, RIG_A).reward, NAN, "not finite");
}

static void an_infinite_observation_is_refused(void **state)
{
    (void)state;
    bad_word(row_shape_make(RIG_O, RIG_A).next_obs, INFINITY, "not finite");
}

static void an_action_out_of_bounds_is_refused(void **state)
{
    (void)state;
    bad_word(RIG_O, 1.5f, "outside [-1, 1]");
}

static void a_discount_above_one_is_refused(void **state)
{
    (void)state;
    bad_word(row_shape_make(RIG_O, RIG_A).discount, 1.5f, "discount");
}

static void what_only_a_learner_says_is_refused(void **state)
{
    (void)state;
    struct message m = {.kind = MESSAGE_CREDIT, .credit = {.granted = 1 << 20}};
    actor_say(&rig, actor, &m);
    expect_refusal(REFUSED_INVALID, REJECT_UNEXPECTED, "only a learner");
}

static void a_flood_of_reports_is_refused(void **state)
{
    (void)state;
    struct message m = {.kind = MESSAGE_STATS};
    for (int i = 0; i < PEER_CONTROL_PER_S + 1; i++)
        actor_say(&rig, actor, &m);
    expect_refusal(REFUSED_INVALID, REJECT_FLOOD, "too many messages");
}

static void strangers_are_told_to_greet_and_counted(void **state)
{
    (void)state;
    struct link   *stranger = actor_connect(&rig);
    struct message m = {.kind = MESSAGE_STATS};
    actor_say(&rig, stranger, &m);
    assert_int_equal(actor_hear(stranger, MESSAGE_REFUSED).refused.code, REFUSED_UNKNOWN);
    assert_int_equal(rig.r.rejected[REJECT_STRANGER], 1);
    for (int i = 0; i < PEER_CONTROL_PER_S; i++)
        actor_say(&rig, stranger, &m);
    assert_int_equal(rig.r.rejected[REJECT_FLOOD], 1);
    assert_int_equal(rig.r.live, 1);
    link_close(stranger);
}

// ------ credits

static uint64_t open_rows(void)
{
    return peer()->granted - peer()->in;
}

static void the_window_follows_block_and_round_trip(void **state)
{
    (void)state;
    assert_int_equal(open_rows(), 2 * RIG_BLOCK);
    // an answer to a heartbeat that took 50 ms, and 400 rows a second
    struct message answer = {.kind = MESSAGE_HEARTBEAT};
    answer.heartbeat = (struct heartbeat){.stamp = (uint64_t)((rig.now - 0.05) * 1e9), .answer = 1};
    actor_say(&rig, actor, &answer);
    assert_true(fabs(peer()->rtt_s - 0.05) < 1e-6);
    for (uint64_t first = 1; first <= 2 * RIG_BLOCK; first += RIG_BLOCK)
        actor_rows(&rig, actor, &session, first, RIG_BLOCK, 0);
    peer()->rows_per_s = 400;
    reception_settle(&rig.r, false);
    assert_in_range(open_rows(), 39, 40);
    // never more than cluster.credit_window, however slow the answers
    peer()->rows_per_s = 1e6;
    actor_rows(&rig, actor, &session, 2 * RIG_BLOCK + 1, RIG_BLOCK, 0);
    reception_settle(&rig.r, true);
    for (uint64_t first = 3 * RIG_BLOCK + 1; open_rows() > RIG_WINDOW / 2; first += RIG_BLOCK)
        actor_rows(&rig, actor, &session, first, RIG_BLOCK, 0);
    reception_settle(&rig.r, true);
    assert_int_equal(open_rows(), RIG_WINDOW);
    assert_int_equal(rig.r.in_flight, RIG_WINDOW);
}

static void an_echo_that_cannot_be_is_no_round_trip(void **state)
{
    (void)state;
    struct message answer = {.kind = MESSAGE_HEARTBEAT};
    answer.heartbeat = (struct heartbeat){.stamp = UINT64_MAX, .answer = true};
    actor_say(&rig, actor, &answer);
    answer.heartbeat.stamp = 0;
    actor_say(&rig, actor, &answer);
    assert_true(peer()->rtt_s == 0);
}

static void credit_that_a_silent_actor_holds_goes_back(void **state)
{
    (void)state;
    assert_true(rig.r.in_flight > 0);
    rig.now += rig_config().timeout_s + 1;
    reception_tick(&rig.r, rig.now);
    assert_int_equal(rig.r.live, 0);
    assert_int_equal(rig.r.in_flight, 0);
    // its rows, when it comes back, are those of a stranger until it greets
    actor_rows(&rig, actor, &session, 1, 4, 0);
    assert_int_equal(actor_hear(actor, MESSAGE_REFUSED).refused.code, REFUSED_UNKNOWN);
    assert_int_equal(rig.replay.inserted, 0);
}

static void memory_in_flight_is_bounded_over_all_actors(void **state)
{
    (void)state;
    // rows so large that the windows of all would be beyond it
    rig.r.shape.words = RECEPTION_IN_FLIGHT / 4 / 8;
    reception_revoke(&rig.r, peer());
    reception_settle(&rig.r, true);
    assert_int_equal(open_rows(), 4);
}

// ------ weights

static uint64_t least_version(uint64_t max_policy_lag, uint64_t version)
{
    rig.r.config.max_policy_lag = max_policy_lag;
    rig.r.version = version;
    reception_revoke(&rig.r, peer());
    reception_grant(&rig.r, peer(), 1);
    return peer()->min_version;
}

static void an_actor_that_lags_too_far_has_to_wait_for_weights(void **state)
{
    (void)state;
    assert_int_equal(least_version(0, 0), 0);
    // once there are weights nobody goes on with random actions
    assert_int_equal(least_version(0, 300), 1);
    assert_int_equal(least_version(10, 0), 0);
    assert_int_equal(least_version(10, 10), 1);
    assert_int_equal(least_version(10, 11), 1);
    assert_int_equal(least_version(10, 300), 290);
    while (actor_hear(actor, MESSAGE_CREDIT).credit.min_version != 290)
        continue;
}

static void lag_is_measured_for_each_row(void **state)
{
    (void)state;
    rig.r.version = 100;
    actor_rows(&rig, actor, &session, 1, 3, 0);
    actor_rows(&rig, actor, &session, 4, 4, 98);
    actor_rows(&rig, actor, &session, 8, 1, 40);
    // weights of a learner that was ahead before it was killed
    actor_rows(&rig, actor, &session, 9, 1, 120);
    assert_int_equal(rig.r.lag_rows, 6);
    assert_int_equal(rig.r.lag[0], 1);
    assert_int_equal(rig.r.lag[2], 4);
    assert_int_equal(rig.r.lag[60], 1);
    rig.r.version = UINT32_MAX;
    actor_rows(&rig, actor, &session, 10, 1, 1);
    assert_int_equal(rig.r.lag[RECEPTION_LAGS - 1], 1);
}

static void stats_of_an_actor_are_kept(void **state)
{
    (void)state;
    struct message m = {.kind = MESSAGE_STATS};
    m.stats = (struct stats){.steps_per_s = 50,
                             .env_broken = 1,
                             .version = 7,
                             .weights_age_s = 3,
                             .wait_ms = 1500,
                             .weights_bad = 2};
    actor_say(&rig, actor, &m);
    assert_true(peer()->stats.weights_age_s == 3);
    assert_int_equal(peer()->stats.weights_bad, 2);
    assert_int_equal(peer()->stats.wait_ms, 1500);
    m.stats.steps_per_s = NAN;
    actor_say(&rig, actor, &m);
    assert_int_equal(rig.r.rejected[REJECT_UNEXPECTED], 1);
}

// ------ leaving

static void bye(uint64_t last)
{
    struct message m = {.kind = MESSAGE_BYE, .bye = {.last = last}};
    actor_say(&rig, actor, &m);
}

static void bye_is_answered_when_the_last_row_is_in(void **state)
{
    (void)state;
    actor_rows(&rig, actor, &session, 1, 4, 0);
    bye(9);
    assert_int_equal(rig.r.live, 1);
    assert_int_equal(resend_heard().acknowledged, 0);
    actor_rows(&rig, actor, &session, 5, 5, 0);
    assert_int_equal(actor_hear(actor, MESSAGE_BYE_ACK).bye_ack.last, 9);
    assert_int_equal(rig.r.live, 0);
    assert_int_equal(rig.r.in_flight, 0);
    assert_int_equal(peer()->lost, 0);
    replay_holds(9);
}

static void rows_that_a_bye_promised_are_lost_until_they_come(void **state)
{
    (void)state;
    struct message hello = hello_make("a"), ready = ready_make();
    actor_rows(&rig, actor, &session, 1, 4, 0);
    bye(9);
    rig.now += rig_config().timeout_s + 1;
    reception_tick(&rig.r, rig.now);
    assert_int_equal(peer()->lost, 5);
    hello.hello.run_id = session.run_id;
    hello.hello.incarnation = session.incarnation;
    actor_say(&rig, actor, &hello);
    actor_say(&rig, actor, &ready);
    assert_int_equal(peer()->lost, 0);
    reception_settle(&rig.r, true);
    actor_rows(&rig, actor, &session, 5, 5, 0);
    bye(9);
    assert_int_equal(peer()->lost, 0);
    replay_holds(9);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_make, rig_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(a_gap_is_asked_for_and_the_repeat_comes_in_once),
        WITH_RIG(rows_that_never_come_are_counted_as_lost),
        WITH_RIG(rows_of_an_older_incarnation_are_refused),
        WITH_RIG(rows_of_another_slot_are_refused),
        WITH_RIG(rows_beyond_the_credit_are_refused),
        WITH_RIG(more_rows_than_a_block_are_refused),
        WITH_RIG(a_reward_that_is_not_a_number_is_refused),
        WITH_RIG(an_infinite_observation_is_refused),
        WITH_RIG(an_action_out_of_bounds_is_refused),
        WITH_RIG(a_discount_above_one_is_refused),
        WITH_RIG(what_only_a_learner_says_is_refused),
        WITH_RIG(a_flood_of_reports_is_refused),
        WITH_RIG(strangers_are_told_to_greet_and_counted),
        WITH_RIG(the_window_follows_block_and_round_trip),
        WITH_RIG(an_echo_that_cannot_be_is_no_round_trip),
        WITH_RIG(credit_that_a_silent_actor_holds_goes_back),
        WITH_RIG(memory_in_flight_is_bounded_over_all_actors),
        WITH_RIG(an_actor_that_lags_too_far_has_to_wait_for_weights),
        WITH_RIG(lag_is_measured_for_each_row),
        WITH_RIG(stats_of_an_actor_are_kept),
        WITH_RIG(bye_is_answered_when_the_last_row_is_in),
        WITH_RIG(rows_that_a_bye_promised_are_lost_until_they_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
