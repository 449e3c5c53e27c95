// The planner's arithmetic on numbers that one can do by head.
#include "learner/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// an actor makes 1000 steps/s, the learner 100 updates/s on one thread, a row is 100 bytes
static struct plan_input sample(void)
{
    return (struct plan_input){
        .actors = 4,
        .envs = 1,
        .cores = 100,
        .threads = 1,
        .p = 1,
        .q = 100,
        .step_s = 1e-3,
        .update_s = 1e-2,
        .row_s = 1e-6,
        .row_bytes = 100,
        .weights_bytes = 10000,
        .block_rows = 32,
        .credit_window = 256,
        .publish_interval_s = 0.1,
        .wire_bits_per_s = 1e9,
        .replay_rows = 1000,
        .network_bytes = 5000,
        .max_actors = 1024,
        .max_frame = 41000,
        .start = 1000,
    };
}

static void close_to(double got, double wanted)
{
    if (!(fabs(got - wanted) <= 1e-9 * fabs(wanted)))
        fail_msg("%.12g, not %.12g", got, wanted);
}

static void few_actors_are_the_bottleneck_and_busy(void **state)
{
    (void)state;
    struct plan_input in = sample();
    struct plan       plan;
    plan_make(&plan, &in);
    assert_int_equal(plan.bottleneck, PLAN_ACTORS);
    close_to(plan.frames_per_s, 4000);
    close_to(plan.updates_per_s, 40);
    close_to(plan.actors_busy, 1);
    close_to(plan.learner_busy, 0.4);
    close_to(plan.efficiency, 1);
    // 1000 warm-up steps and 40,000 others, both at 4,000 a second
    close_to(plan.seconds, 0.25 + 10);
}

static void a_learner_feeds_no_more_actors_than_its_updates_allow(void **state)
{
    (void)state;
    struct plan_input in = sample();
    struct plan       plan;
    in.actors = 20;
    plan_make(&plan, &in);
    assert_int_equal(plan.bottleneck, PLAN_LEARNER);
    close_to(plan.frames_per_s, 10000);
    close_to(plan.learner_busy, 1);
    close_to(plan.actors_busy, 0.5);
    assert_int_equal(plan.feeds, 10);
    // the warm-up is not held up
    close_to(plan.seconds, 0.05 + 4);
}

static void shared_cores_are_divided(void **state)
{
    (void)state;
    struct plan_input in = sample();
    struct plan       plan;
    in.cores = 1;
    in.row_s = 0.4e-3;
    in.p = 2;
    in.threads = 3;
    plan_make(&plan, &in);
    // a step costs 1 ms of actor, 0.4 ms of rows, 3 threads of 0.2 ms of update
    assert_int_equal(plan.bottleneck, PLAN_CORES);
    close_to(plan.frames_per_s, 500);
    assert_int_equal(plan.feeds, 0);
    in.remote = true;
    plan_make(&plan, &in);
    close_to(plan.limit[PLAN_CORES], 1000);
}

static void collection_only_has_no_updates_and_no_weights(void **state)
{
    (void)state;
    struct plan_input in = sample();
    struct plan       plan;
    in.p = 0;
    in.actors = 2000;
    in.cores = 10000;
    plan_make(&plan, &in);
    assert_int_equal(plan.bottleneck, PLAN_ROWS);
    close_to(plan.frames_per_s, 1e6);
    assert_true(isinf(plan.limit[PLAN_LEARNER]));
    close_to(plan.updates_per_s, 0);
    close_to(plan.bits_out, 0);
    // 1000 could be kept busy
    assert_int_equal(plan.feeds, 1000);
    in.max_actors = 500;
    plan_make(&plan, &in);
    assert_int_equal(plan.feeds, 500);
}

static void rows_and_weights_share_no_direction_of_the_wire(void **state)
{
    (void)state;
    struct plan_input in = sample();
    struct plan       plan;
    in.remote = true;
    plan_make(&plan, &in);
    // a block of one row: 100 bytes and 200 beside
    close_to(plan.bits_in, 8 * 4000.0 * 300);
    // ten times a second to four actors
    close_to(plan.publishes_per_s, 10);
    close_to(plan.bits_out, 8 * 10.0 * 4 * 10000);
    // ten thousand actors' weights, ten times a second, are 8 Gbit/s: they fill the link, rows do not
    in.actors = 10000;
    in.max_actors = 65536;
    plan_make(&plan, &in);
    assert_int_equal(plan.bottleneck, PLAN_LEARNER);
    close_to(plan.bits_out, 8e9);
    close_to(plan.publish_least_s, 0.8);
    in.publish_interval_s = 1;
    plan_make(&plan, &in);
    close_to(plan.bits_out, 8e8);
    // without updates rows do
    in.p = 0;
    plan_make(&plan, &in);
    assert_int_equal(plan.bottleneck, PLAN_WIRE);
    close_to(plan.frames_per_s, 1e9 / 8 / 300);
    in.p = 1;
    // rows in blocks share a message
    in.envs = 64;
    plan_make(&plan, &in);
    close_to(plan.bits_in, 8 * 10000.0 * (100 + 200.0 / 32));
}

static void memory_is_replay_networks_and_rows_on_their_way(void **state)
{
    (void)state;
    struct plan_input in = sample();
    struct plan       plan, more;
    plan_make(&plan, &in);
    close_to(plan.flight_bytes, 4 * 256 * 100.0);
    in.replay_rows += 1000000;
    plan_make(&more, &in);
    close_to(more.learner_bytes - plan.learner_bytes, 1e8);
}

static void text_names_the_bottleneck_and_json_is_one_line(void **state)
{
    (void)state;
    struct plan_input in = sample();
    struct plan       plan;
    char              text[4096] = "";
    plan_make(&plan, &in);
    FILE *out = fmemopen(text, sizeof text, "w");
    plan_print(out, &plan, &in, "Task-v0");
    fclose(out);
    assert_non_null(strstr(text, "The bottleneck: the actors. More actors make it faster"));
    memset(text, 0, sizeof text);
    out = fmemopen(text, sizeof text, "w");
    in.update_s = 0;
    plan_make(&plan, &in);
    plan_print_json(out, &plan, &in, "Task-v0");
    fclose(out);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    assert_non_null(strstr(text, "\"limit\":{\"actors\":4000,\"learner\":null,"));
    assert_non_null(strstr(text, "\"bottleneck\":\"actors\",\"frames_per_s\":4000,"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_actors_are_the_bottleneck_and_busy),
        cmocka_unit_test(a_learner_feeds_no_more_actors_than_its_updates_allow),
        cmocka_unit_test(shared_cores_are_divided),
        cmocka_unit_test(collection_only_has_no_updates_and_no_weights),
        cmocka_unit_test(rows_and_weights_share_no_direction_of_the_wire),
        cmocka_unit_test(memory_is_replay_networks_and_rows_on_their_way),
        cmocka_unit_test(text_names_the_bottleneck_and_json_is_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
