// HELLO and READY: who gets in, where, and why others do not.
#include "tests/learner/reception_rig.h"

#include <math.h>

static struct rig rig;

static int rig_make(void **state)
{
    (void)state;
    struct reception_config config = rig_config();
    rig_init(&rig, &config);
    return 0;
}

static int rig_end(void **state)
{
    (void)state;
    rig_free(&rig);
    return 0;
}

// the actor is refused with a code and a reason that holds both parts, and counted
static void refused(struct link *actor, enum refused_code code, enum reject_reason reason,
                    const char *part, const char *other)
{
    struct message m = actor_hear(actor, MESSAGE_REFUSED);
    assert_int_equal(m.refused.code, code);
    if (strstr(m.refused.reason, part) == NULL || strstr(m.refused.reason, other) == NULL)
        fail_msg("\"%s\" does not say \"%s\" and \"%s\"", m.refused.reason, part, other);
    assert_int_equal(rig.r.rejected[reason], 1);
}

// ------ HELLO

static void welcome_says_all_that_an_actor_needs(void **state)
{
    (void)state;
    struct link   *actor = actor_connect(&rig);
    struct message hello = hello_make("a");
    actor_say(&rig, actor, &hello);
    struct welcome w = actor_hear(actor, MESSAGE_WELCOME).welcome;
    assert_int_equal(w.run_id, 77);
    assert_int_equal(w.learner_incarnation, 2);
    assert_int_equal(w.slot, 0);
    assert_int_equal(w.incarnation, (2 << 20) + 1);
    assert_int_equal(w.acknowledged, 0);
    assert_int_equal(w.max_rows, RIG_BLOCK);
    assert_int_equal(w.spec.size, 10);
    assert_memory_equal(w.spec.data, "spec: text", 10);
    link_close(actor);
}

static void two_processes_of_one_slot_differ_in_incarnation_and_seed(void **state)
{
    (void)state;
    struct welcome one, two, other;
    struct link   *first = actor_join(&rig, "a", &one);
    struct link   *second = actor_join(&rig, "a", &two);
    struct link   *third = actor_join(&rig, "b", &other);
    assert_int_equal(two.slot, one.slot);
    assert_true(two.incarnation > one.incarnation);
    assert_int_not_equal(two.seed, one.seed);
    assert_int_not_equal(other.slot, one.slot);
    struct message m = actor_hear(first, MESSAGE_REFUSED);
    assert_int_equal(m.refused.code, REFUSED_REPLACED);
    assert_int_equal(rig.r.live, 2);
    link_close(first);
    link_close(second);
    link_close(third);
}

static void a_process_that_comes_back_keeps_its_slot_and_its_rows(void **state)
{
    (void)state;
    struct welcome w, again;
    struct link   *before = actor_join(&rig, "a", &w);
    rig_open(&rig, 0, 0, 1000);
    reception_settle(&rig.r, true);
    actor_rows(&rig, before, &w, 1, 5, 0);
    link_close(before);
    struct link   *after = actor_connect(&rig);
    struct message hello = hello_make("a");
    hello.hello.run_id = w.run_id;
    hello.hello.slot = w.slot;
    hello.hello.incarnation = w.incarnation;
    actor_say(&rig, after, &hello);
    again = actor_hear(after, MESSAGE_WELCOME).welcome;
    assert_int_equal(again.slot, w.slot);
    assert_int_equal(again.incarnation, w.incarnation);
    assert_int_equal(again.seed, w.seed);
    assert_int_equal(again.acknowledged, 5);
    assert_int_equal(rig.r.live, 1);
    link_close(after);
}

static void a_learner_of_marks_knows_the_processes_of_the_one_before(void **state)
{
    (void)state;
    const struct replay_mark marks[3] = {{(1 << 20) + 1, 400, "a"}};
    struct reception_config  config = rig_config();
    rig_free(&rig);
    config.marks = marks;
    rig_init(&rig, &config);
    struct link   *actor = actor_connect(&rig);
    struct message hello = hello_make("a");
    hello.hello.run_id = 77;
    hello.hello.incarnation = (1 << 20) + 1;
    actor_say(&rig, actor, &hello);
    struct welcome w = actor_hear(actor, MESSAGE_WELCOME).welcome;
    assert_int_equal(w.acknowledged, 400);
    assert_int_equal(w.incarnation, (1 << 20) + 1);
    link_close(actor);
}

static void another_protocol_is_refused_with_both_versions(void **state)
{
    (void)state;
    struct link   *actor = actor_connect(&rig);
    struct message hello = hello_make("a");
    char           ours[32];
    snprintf(ours, sizeof ours, "speaks %d", MESSAGE_PROTOCOL);
    hello.hello.protocol = 99;
    actor_say(&rig, actor, &hello);
    refused(actor, REFUSED_PROTOCOL, REJECT_PROTOCOL, "protocol 99", ours);
    link_close(actor);
}

static void an_unknown_role_is_refused_with_both_values(void **state)
{
    (void)state;
    struct link   *actor = actor_connect(&rig);
    struct message hello = hello_make("a");
    hello.hello.role = 7;
    actor_say(&rig, actor, &hello);
    refused(actor, REFUSED_INVALID, REJECT_MALFORMED, "role is 7", "at most 1");
    link_close(actor);
}

static void a_bad_name_is_refused_with_what_is_allowed(void **state)
{
    (void)state;
    struct link   *actor = actor_connect(&rig);
    struct message hello = hello_make("../../etc");
    actor_say(&rig, actor, &hello);
    refused(actor, REFUSED_NAME, REJECT_NAME, "A-Z a-z 0-9", "dot");
    assert_int_equal(rig.r.live, 0);
    link_close(actor);
}

static void a_full_learner_says_how_many_it_takes(void **state)
{
    (void)state;
    struct link   *actors[4];
    struct welcome w;
    actors[0] = actor_join(&rig, "a", &w);
    actors[1] = actor_join(&rig, "b", &w);
    actors[2] = actor_join(&rig, "c", &w);
    actors[3] = actor_connect(&rig);
    struct message hello = hello_make("d");
    actor_say(&rig, actors[3], &hello);
    refused(actors[3], REFUSED_FULL, REJECT_FULL, "all 3 slots", "cluster.max_actors");
    for (size_t i = 0; i < 4; i++)
        link_close(actors[i]);
}

static void a_connection_that_greets_as_another_leaves_its_slot(void **state)
{
    (void)state;
    struct welcome w;
    struct link   *actor = actor_join(&rig, "a", &w);
    struct message hello = hello_make("b");
    actor_say(&rig, actor, &hello);
    assert_int_equal(actor_hear(actor, MESSAGE_WELCOME).welcome.slot, 1);
    assert_int_equal(rig.r.live, 1);
    assert_false(rig.r.peers.peers[0].live);
    link_close(actor);
}

static void a_welcome_is_not_sent_again_before_it_is_answered(void **state)
{
    (void)state;
    struct link   *actor = actor_connect(&rig);
    struct message hello = hello_make("a"), ready = ready_make();
    struct peer   *p = &rig.r.peers.peers[0];
    actor_say(&rig, actor, &hello);
    for (int i = 0; i < 10; i++, rig.now += 0.5)
        actor_say(&rig, actor, &hello);
    assert_int_equal(p->welcomes, 1);
    // it was alive all the while, and one WELCOME a time-out goes out
    reception_tick(&rig.r, rig.now);
    assert_true(p->live);
    rig.now += 10;
    actor_say(&rig, actor, &hello);
    assert_int_equal(p->welcomes, 2);
    actor_say(&rig, actor, &ready);
    assert_int_equal(p->welcomes, 0);
    rig.now += 1;
    actor_say(&rig, actor, &hello);
    assert_int_equal(p->welcomes, 1);
    // one that takes WELCOMEs and never answers is cut
    for (int i = 0; i < 4; i++) {
        rig.now += 11;
        actor_say(&rig, actor, &hello);
    }
    assert_int_equal(rig.r.rejected[REJECT_SLOW], 1);
    link_close(actor);
}

static void too_many_hellos_are_a_flood(void **state)
{
    (void)state;
    struct link   *actor = actor_connect(&rig);
    struct message hello = hello_make("a");
    for (int i = 0; i < PEER_CONTROL_PER_S + 2; i++)
        actor_say(&rig, actor, &hello);
    assert_int_equal(rig.r.rejected[REJECT_FLOOD], 1);
    assert_int_equal(rig.r.live, 0);
    link_close(actor);
}

static bool nobody(void *context, const char *key)
{
    (void)key;
    return *(bool *)context;
}

static void a_key_that_was_removed_is_cut_and_cannot_greet(void **state)
{
    (void)state;
    struct welcome w;
    bool           allowed = true;
    rig.r.config.allow = nobody;
    rig.r.config.allow_context = &allowed;
    struct link *actor = actor_join(&rig, "a", &w), *other = actor_connect(&rig);
    reception_recheck(&rig.r, rig.now);
    assert_int_equal(rig.r.live, 1);
    allowed = false;
    reception_recheck(&rig.r, rig.now);
    assert_int_equal(rig.r.live, 0);
    refused(actor, REFUSED_INVALID, REJECT_HANDSHAKE, "key", "not allowed");
    struct message hello = hello_make("b");
    actor_say(&rig, other, &hello);
    actor_hear(other, MESSAGE_REFUSED);
    assert_int_equal(rig.r.live, 0);
    link_close(actor);
    link_close(other);
}

// ------ READY

// a second actor whose READY differs in what `change` does is refused
static void mismatch(void (*change)(struct ready *), const char *theirs, const char *ours)
{
    struct welcome w;
    struct link   *good = actor_join(&rig, "a", &w), *bad = actor_connect(&rig);
    struct message hello = hello_make("b"), ready = ready_make();
    actor_hear(good, MESSAGE_CREDIT);
    actor_say(&rig, bad, &hello);
    change(&ready.ready);
    actor_say(&rig, bad, &ready);
    refused(bad, REFUSED_MISMATCH, REJECT_MISMATCH, theirs, ours);
    assert_int_equal(rig.r.live, 1);
    link_close(good);
    link_close(bad);
}

static void other_task(struct ready *ready)
{
    snprintf(ready->task, sizeof ready->task, "Hopper-v5");
}

static void another_task_is_refused_with_both_names(void **state)
{
    (void)state;
    mismatch(other_task, "task Hopper-v5", "(learner: Pendulum-v1)");
}

static void other_hash(struct ready *ready)
{
    ready->spec_hash = 0xabcd;
}

static void another_spec_is_refused_with_both_hashes(void **state)
{
    (void)state;
    mismatch(other_hash, "spec hash 0000abcd", "(learner: 000004d2)");
}

static void other_sizes(struct ready *ready)
{
    ready->obs = 4;
}

static void other_sizes_are_refused_with_both(void **state)
{
    (void)state;
    mismatch(other_sizes, "observation 4, action 1", "(learner: observation 3, action 1");
}

static void other_kind(struct ready *ready)
{
    ready->discrete = true;
    ready->low.size = ready->high.size = 0;
}

static void discrete_actions_are_no_continuous_ones(void **state)
{
    (void)state;
    mismatch(other_kind, "discrete", "continuous");
}

static const double wide[RIG_A] = {3.0};

static void other_bounds(struct ready *ready)
{
    ready->high.data = wide;
}

static void other_bounds_are_refused(void **state)
{
    (void)state;
    mismatch(other_bounds, "bounds differ", "learner");
}

static void the_first_ready_must_be_of_a_task_that_can_be(void **state)
{
    (void)state;
    static const double bad[RIG_A] = {NAN}, below[RIG_A] = {-2.5};
    struct ready        changed[6];
    for (size_t i = 0; i < 6; i++)
        changed[i] = ready_make().ready;
    changed[0].obs = 0;
    changed[1].action = 0;
    changed[2].obs = UINT32_MAX;
    changed[3].high.size = 4;
    changed[4].high.data = bad;
    changed[5].high.data = below;
    for (size_t i = 0; i < 6; i++) {
        struct link   *actor = actor_connect(&rig);
        struct message hello = hello_make("a"), ready = {.kind = MESSAGE_READY};
        actor_say(&rig, actor, &hello);
        ready.ready = changed[i];
        actor_say(&rig, actor, &ready);
        rig.r.rejected[REJECT_MISMATCH] -= i;
        refused(actor, REFUSED_MISMATCH, REJECT_MISMATCH, "READY does not fit", "that no task has");
        rig.r.rejected[REJECT_MISMATCH] += i;
        assert_false(rig.r.task.known);
        link_close(actor);
    }
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_make, rig_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(welcome_says_all_that_an_actor_needs),
        WITH_RIG(two_processes_of_one_slot_differ_in_incarnation_and_seed),
        WITH_RIG(a_process_that_comes_back_keeps_its_slot_and_its_rows),
        WITH_RIG(a_learner_of_marks_knows_the_processes_of_the_one_before),
        WITH_RIG(another_protocol_is_refused_with_both_versions),
        WITH_RIG(an_unknown_role_is_refused_with_both_values),
        WITH_RIG(a_bad_name_is_refused_with_what_is_allowed),
        WITH_RIG(a_full_learner_says_how_many_it_takes),
        WITH_RIG(a_connection_that_greets_as_another_leaves_its_slot),
        WITH_RIG(a_welcome_is_not_sent_again_before_it_is_answered),
        WITH_RIG(too_many_hellos_are_a_flood),
        WITH_RIG(a_key_that_was_removed_is_cut_and_cannot_greet),
        WITH_RIG(another_task_is_refused_with_both_names),
        WITH_RIG(another_spec_is_refused_with_both_hashes),
        WITH_RIG(other_sizes_are_refused_with_both),
        WITH_RIG(discrete_actions_are_no_continuous_ones),
        WITH_RIG(other_bounds_are_refused),
        WITH_RIG(the_first_ready_must_be_of_a_task_that_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
