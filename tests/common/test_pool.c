#include "common/pool.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include <cmocka.h>

#define PARTS 37

struct job {
    atomic_int runs[PARTS];
    size_t     sum;  // of a former round, read by all parts of the next
};

static void count_part(void *arg, size_t part)
{
    struct job *job = arg;
    atomic_fetch_add(&job->runs[part], 1);
}

static void every_part_runs_once(void **state)
{
    (void)state;
    struct error err;
    for (size_t threads = 1; threads <= 5; threads++) {
        struct pool *p = pool_make(threads, &err);
        assert_non_null(p);
        assert_int_equal(pool_threads(p), threads);
        for (size_t parts = 0; parts <= PARTS; parts++) {
            struct job job = {.sum = 0};
            pool_run(p, "count", parts, count_part, &job);
            for (size_t i = 0; i < PARTS; i++)
                assert_int_equal(atomic_load(&job.runs[i]), i < parts);
        }
        pool_free(p);
    }
}

struct chain {
    size_t cell[PARTS];
    size_t round;
};

// each part reads what another part, of another thread, wrote in the round before
static void chain_part(void *arg, size_t part)
{
    struct chain *c = arg;
    size_t       *from = &c->cell[(part + c->round) % PARTS];
    if (c->round % 2 == 0)
        c->cell[part] = c->round;
    else if (*from != c->round - 1)
        c->cell[0] = (size_t)-1;
}

static void a_round_sees_what_the_last_one_wrote(void **state)
{
    (void)state;
    struct error err;
    struct pool *p = pool_make(3, &err);
    struct chain c = {{0}, 0};
    for (c.round = 0; c.round < 2000; c.round++) {
        pool_run(p, "chain", PARTS, chain_part, &c);
        assert_true(c.cell[0] != (size_t)-1);
    }
    pool_free(p);
}

struct held {
    atomic_int ran;
};

// part 0 holds its thread until all others have run, those that belong to this thread too
static void held_part(void *arg, size_t part)
{
    struct held *h = arg;
    if (part > 0)
        atomic_fetch_add(&h->ran, 1);
    while (part == 0 && atomic_load(&h->ran) < PARTS - 1)
        sched_yield();
}

static void a_thread_that_is_held_up_loses_its_parts_to_others(void **state)
{
    (void)state;
    struct error err;
    struct pool *p = pool_make(2, &err);
    struct held  h = {.ran = 0};
    pool_run(p, "held", PARTS, held_part, &h);
    assert_int_equal(atomic_load(&h.ran), PARTS - 1);
    pool_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_runs_once),
        cmocka_unit_test(a_round_sees_what_the_last_one_wrote),
        cmocka_unit_test(a_thread_that_is_held_up_loses_its_parts_to_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
