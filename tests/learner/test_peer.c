// Who has which slot, and which rows of it count.
#include "learner/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ACTORS = 3 };

static struct peer_table table;

static int table_make(void **state)
{
    (void)state;
    return peer_table_init(&table, ACTORS, NULL);
}

static int table_free(void **state)
{
    (void)state;
    peer_table_free(&table);
    return 0;
}

// ------ slots

static struct hello hello(const char *name, enum message_role role)
{
    struct hello h = {.protocol = MESSAGE_PROTOCOL, .role = (uint64_t)role};
    snprintf(h.name, sizeof h.name, "%s", name);
    return h;
}

// takes the slot as a learner would: a new process of that name
static struct peer *come(const char *name, enum peer_claim expected)
{
    struct hello h = hello(name, ROLE_ACTOR);
    struct peer *p = NULL;
    assert_int_equal(peer_claim(&table, &h, false, &p), expected);
    if (p == NULL)
        return NULL;
    snprintf(p->name, sizeof p->name, "%s", name);
    p->used = p->live = true;
    p->incarnation++;
    return p;
}

static void a_name_keeps_its_slot(void **state)
{
    (void)state;
    struct peer *a = come("a", PEER_NEW), *b = come("b", PEER_NEW);
    assert_int_equal(a->slot, 0);
    assert_int_equal(b->slot, 1);
    a->live = false;
    assert_ptr_equal(come("c", PEER_NEW), &table.peers[2]);
    assert_ptr_equal(come("a", PEER_RESTARTED), a);
    // a second process of a name that is here takes its place
    assert_ptr_equal(come("b", PEER_RESTARTED), b);
}

static void a_slot_changes_hands_only_when_none_is_unused_and_its_process_is_gone(void **state)
{
    (void)state;
    struct peer *a = come("a", PEER_NEW), *b = come("b", PEER_NEW), *c = come("c", PEER_NEW);
    assert_null(come("d", PEER_FULL));
    a->live = c->live = false;
    a->last_seen = 20.0;
    c->last_seen = 10.0;
    assert_ptr_equal(come("d", PEER_NEW), c);
    assert_ptr_equal(come("e", PEER_NEW), a);
    assert_null(come("f", PEER_FULL));
    assert_true(b->live);
}

static void evaluators_have_slots_above_all_actors(void **state)
{
    (void)state;
    struct hello h = hello("a", ROLE_EVALUATOR);
    struct peer *p, *a = come("a", PEER_NEW);
    assert_int_equal(peer_claim(&table, &h, false, &p), PEER_NEW);
    assert_int_equal(p->slot, ACTORS);
    assert_int_equal(a->slot, 0);
}

static void the_process_that_had_a_slot_gets_it_back_by_its_incarnation(void **state)
{
    (void)state;
    struct peer *a = come("a", PEER_NEW), *p;
    struct hello h = hello("a", ROLE_ACTOR);
    a->incarnation = h.incarnation = 7;
    a->live = false;
    assert_int_equal(peer_claim(&table, &h, true, &p), PEER_RESUMED);
    assert_ptr_equal(p, a);
    // the same numbers of another run say nothing
    assert_int_equal(peer_claim(&table, &h, false, &p), PEER_RESTARTED);
    // an older process of the name, whether the newer one is here or on its way back
    a->incarnation = 8;
    for (int live = 0; live < 2; live++) {
        a->live = live;
        assert_int_equal(peer_claim(&table, &h, true, &p), PEER_REPLACED);
        assert_null(p);
    }
    // numbers beyond the table are those of nobody
    h.slot = ACTORS;
    assert_int_equal(peer_claim(&table, &h, true, &p), PEER_RESTARTED);
}

static void slots_of_an_earlier_learner_go_to_their_names_in_any_order(void **state)
{
    (void)state;
    const struct replay_mark marks[ACTORS] = {{12, 500, "east"}, {3, 40, "west"}};
    for (size_t i = 0; i < ACTORS; i++)
        peer_restore(&table.peers[i], &marks[i]);
    assert_int_equal(come("north", PEER_NEW)->slot, 2);
    assert_int_equal(come("west", PEER_RESTARTED)->slot, 1);
    assert_int_equal(come("east", PEER_RESTARTED)->slot, 0);
}

static void a_process_that_outlived_its_learner_goes_on_where_its_rows_end(void **state)
{
    (void)state;
    const struct replay_mark mark = {12, 500, "east"};
    struct hello             h = hello("east", ROLE_ACTOR);
    struct peer             *p;
    uint64_t                 skip = 0;
    peer_restore(&table.peers[1], &mark);
    h.slot = 1;
    h.incarnation = 12;
    assert_int_equal(peer_claim(&table, &h, true, &p), PEER_RESUMED);
    assert_int_equal(p->slot, 1);
    // nothing is on its way before it is granted anew
    assert_int_equal(p->granted - p->in - p->staged, 0);
    peer_revoke(p);
    p->granted += 32;
    assert_int_equal(peer_judge(p, 12, 490, 20, 0, &skip), PEER_ACCEPT);
    assert_int_equal(skip, 11);
    assert_int_equal(peer_judge(p, 12, 480, 21, 0, &skip), PEER_DUPLICATE);
    assert_int_equal(p->lost, 0);
}

static void connections_are_found_by_name_and_forgotten(void **state)
{
    (void)state;
    struct link_peer one = {{1, 2}, 2}, two = {{1, 3}, 2}, longer = {{1, 2, 0}, 3};
    struct peer     *a = &table.peers[0], *b = &table.peers[1];
    peer_bind(&table, a, &one);
    peer_bind(&table, b, &two);
    assert_ptr_equal(peer_find(&table, &one), a);
    assert_ptr_equal(peer_find(&table, &two), b);
    assert_null(peer_find(&table, &longer));
    // a connection is one peer's only
    peer_bind(&table, b, &one);
    assert_ptr_equal(peer_find(&table, &one), b);
    assert_null(peer_find(&table, &two));
    assert_false(a->bound);
    peer_unbind(&table, b);
    peer_unbind(&table, b);
    assert_null(peer_find(&table, &one));
}

static void names_are_such_that_files_can_have_them(void **state)
{
    (void)state;
    const char *good[] = {"a", "actor-7", "node3.actor_1", "A-Z"};
    const char *bad[] = {"", ".", "..", "../x", "a/b", "a b", "\xc3\xa4", "a\n", ".hidden"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(peer_name_valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(peer_name_valid(bad[i]));
}

// ------ sequences

// an actor that has 10 rows in and may send up to row 100
static struct peer sender(void)
{
    return (struct peer){.incarnation = 5, .in = 10, .granted = 100};
}

static enum peer_verdict judge(struct peer *p, uint64_t first, uint64_t n, double now,
                               uint64_t *skip)
{
    *skip = 0;
    enum peer_verdict verdict = peer_judge(p, 5, first, n, now, skip);
    if (verdict == PEER_ACCEPT)
        p->in += n - *skip;
    return verdict;
}

static void rows_in_order_are_taken(void **state)
{
    (void)state;
    struct peer p = sender();
    uint64_t    skip;
    assert_int_equal(judge(&p, 11, 30, 0, &skip), PEER_ACCEPT);
    assert_int_equal(judge(&p, 41, 60, 0, &skip), PEER_ACCEPT);
    assert_int_equal(skip, 0);
    assert_int_equal(p.in, 100);
    assert_int_equal(p.lost + p.duplicates, 0);
}

static void rows_that_are_in_are_duplicates(void **state)
{
    (void)state;
    struct peer p = sender();
    uint64_t    skip;
    assert_int_equal(judge(&p, 1, 10, 0, &skip), PEER_DUPLICATE);
    assert_int_equal(p.duplicates, 10);
    assert_int_equal(judge(&p, 10, 1, 0, &skip), PEER_DUPLICATE);
    assert_int_equal(p.duplicates, 11);
    assert_int_equal(p.in, 10);
}

static void of_an_overlap_the_new_rows_are_taken(void **state)
{
    (void)state;
    struct peer p = sender();
    uint64_t    skip;
    assert_int_equal(judge(&p, 6, 10, 0, &skip), PEER_ACCEPT);
    assert_int_equal(skip, 5);
    assert_int_equal(p.in, 15);
    assert_int_equal(p.duplicates, 5);
    // rows that wait for the learner's schedule count as in
    p.staged = 5;
    assert_int_equal(judge(&p, 16, 8, 0, &skip), PEER_ACCEPT);
    assert_int_equal(skip, 5);
}

static void a_gap_is_asked_for_again_and_only_then_lost(void **state)
{
    (void)state;
    struct peer p = sender();
    uint64_t    skip;
    double      now = 0;
    for (unsigned i = 0; i < PEER_REWINDS; i++, now += 1.5) {
        assert_int_equal(judge(&p, 21, 5, now, &skip), PEER_GAP);
        assert_true(p.resend);
        // what was in flight meanwhile
        assert_int_equal(judge(&p, 26, 5, now + 0.1, &skip), PEER_DROP);
    }
    assert_int_equal(p.lost, 0);
    assert_int_equal(judge(&p, 21, 5, now, &skip), PEER_ACCEPT);
    assert_int_equal(p.lost, 10);
    assert_int_equal(p.in, 25);
    // from here on everything is in order again
    assert_int_equal(judge(&p, 26, 5, now, &skip), PEER_ACCEPT);
    assert_int_equal(p.lost, 10);
}

static void a_repeat_fills_the_gap_and_loses_nothing(void **state)
{
    (void)state;
    struct peer p = sender();
    uint64_t    skip;
    assert_int_equal(judge(&p, 21, 5, 0.0, &skip), PEER_GAP);
    assert_int_equal(judge(&p, 26, 5, 0.1, &skip), PEER_DROP);
    assert_int_equal(judge(&p, 11, 10, 0.2, &skip), PEER_ACCEPT);
    assert_int_equal(judge(&p, 21, 10, 0.2, &skip), PEER_ACCEPT);
    assert_int_equal(p.in, 30);
    assert_int_equal(p.lost + p.duplicates, 0);
    assert_int_equal(p.rewinds, 0);
}

static void another_incarnation_is_stale(void **state)
{
    (void)state;
    struct peer p = sender();
    uint64_t    skip = 0;
    assert_int_equal(peer_judge(&p, 4, 11, 1, 0, &skip), PEER_STALE);
    assert_int_equal(peer_judge(&p, 6, 11, 1, 0, &skip), PEER_STALE);
    assert_int_equal(p.in, 10);
}

static void rows_beyond_the_credit_are_an_offence(void **state)
{
    (void)state;
    struct peer p = sender();
    uint64_t    skip;
    assert_int_equal(judge(&p, 91, 11, 0, &skip), PEER_OVER);
    assert_int_equal(judge(&p, 0, 5, 0, &skip), PEER_OVER);
    assert_int_equal(judge(&p, UINT64_MAX, 2, 0, &skip), PEER_OVER);
    assert_int_equal(judge(&p, UINT64_MAX - 1, 1, 0, &skip), PEER_OVER);
    // unless the credit was taken back while they were on their way
    peer_revoke(&p);
    assert_int_equal(p.granted, 10);
    assert_int_equal(judge(&p, 11, 5, 0, &skip), PEER_DROP);
    assert_int_equal(judge(&p, 0, 5, 0, &skip), PEER_OVER);
    p.granted = 40;
    assert_int_equal(judge(&p, 11, 5, 0, &skip), PEER_ACCEPT);
    assert_int_equal(p.lost + p.duplicates, 0);
}

// ------ pace

static void the_window_is_two_blocks_or_twice_a_round_trip(void **state)
{
    (void)state;
    struct peer p = {0};
    assert_int_equal(peer_window(&p, 32, 256), 64);
    p.rows_per_s = 1000;
    p.rtt_s = 0.01;
    assert_int_equal(peer_window(&p, 32, 256), 64);
    p.rtt_s = 0.05;
    assert_int_equal(peer_window(&p, 32, 256), 100);
    p.rtt_s = 5;
    assert_int_equal(peer_window(&p, 32, 256), 256);
    p.rows_per_s = 1e300;
    assert_int_equal(peer_window(&p, 32, 256), 256);
    // a large block does not widen it beyond the most either
    assert_int_equal(peer_window(&p, 512, 256), 256);
}

static void the_rate_is_of_the_last_second(void **state)
{
    (void)state;
    struct peer p = {.rate_since = 10.0};
    peer_rate(&p, 300, 10.5);
    assert_true(p.rows_per_s == 0);
    peer_rate(&p, 300, 12.0);
    assert_true(p.rows_per_s == 300);
    peer_rate(&p, 0, 14.0);
    assert_true(p.rows_per_s == 0);
}

static void a_flood_is_more_messages_than_a_second_may_have(void **state)
{
    (void)state;
    struct peer p = {0};
    for (int i = 0; i < PEER_CONTROL_PER_S; i++)
        assert_false(peer_floods(&p, 5.0));
    assert_true(peer_floods(&p, 5.9));
    assert_false(peer_floods(&p, 6.1));
}

#define WITH_TABLE(test) cmocka_unit_test_setup_teardown(test, table_make, table_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_TABLE(a_name_keeps_its_slot),
        WITH_TABLE(a_slot_changes_hands_only_when_none_is_unused_and_its_process_is_gone),
        WITH_TABLE(evaluators_have_slots_above_all_actors),
        WITH_TABLE(the_process_that_had_a_slot_gets_it_back_by_its_incarnation),
        WITH_TABLE(slots_of_an_earlier_learner_go_to_their_names_in_any_order),
        WITH_TABLE(a_process_that_outlived_its_learner_goes_on_where_its_rows_end),
        WITH_TABLE(connections_are_found_by_name_and_forgotten),
        cmocka_unit_test(names_are_such_that_files_can_have_them),
        cmocka_unit_test(rows_in_order_are_taken),
        cmocka_unit_test(rows_that_are_in_are_duplicates),
        cmocka_unit_test(of_an_overlap_the_new_rows_are_taken),
        cmocka_unit_test(a_gap_is_asked_for_again_and_only_then_lost),
        cmocka_unit_test(a_repeat_fills_the_gap_and_loses_nothing),
        cmocka_unit_test(another_incarnation_is_stale),
        cmocka_unit_test(rows_beyond_the_credit_are_an_offence),
        cmocka_unit_test(the_window_is_two_blocks_or_twice_a_round_trip),
        cmocka_unit_test(the_rate_is_of_the_last_second),
        cmocka_unit_test(a_flood_is_more_messages_than_a_second_may_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
