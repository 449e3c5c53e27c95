// The replay memory's contract: a ring that keeps the newest rows, samples them uniformly, and
// outlives its process when it has a file. fork, kill and nanosleep:
#define _DEFAULT_SOURCE

#include "common/memory.h"
#include "learner/replay.h"
#include "learner/replay_file.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { O = 3, W = 2, N = 5, SLOTS = 4 };

// row i says its number in every column
static void row_fill(float *row, const struct row_shape *s, int i)
{
    for (size_t k = 0; k < s->words; k++)
        row[k] = (float)(100 * i) + (float)k;
    uint32_t version = (uint32_t)i;
    memcpy(&row[s->version], &version, sizeof version);
}

static void insert_numbers(struct replay *r, int from, int to)
{
    float rows[64 * 16];
    for (int i = from; i < to; i++)
        row_fill(rows + (size_t)(i - from) * r->shape.words, &r->shape, i);
    replay_insert(r, rows, (size_t)(to - from), 1,
                  &(struct replay_mark){1, (uint64_t)to, "actor-1"});
}

static void insert_wraps_and_keeps_newest(void **state)
{
    (void)state;
    struct replay r = {0};
    assert_int_equal(replay_init(&r, row_shape_make(O, W), N, SLOTS, 0, NULL, false, NULL), 0);
    insert_numbers(&r, 0, 3);
    assert_int_equal(replay_size(&r), 3);
    insert_numbers(&r, 3, 7);
    assert_int_equal(replay_size(&r), N);
    assert_int_equal(replay_inserted(&r), 7);
    const int at[N] = {5, 6, 2, 3, 4};
    for (size_t i = 0; i < N; i++)
        assert_true(r.rows[i * r.shape.words] == (float)(100 * at[i]));
    replay_free(&r);
}

static void gather_splits_a_row_into_its_columns(void **state)
{
    (void)state;
    struct replay r = {0};
    struct batch  b = {0};
    assert_int_equal(replay_init(&r, row_shape_make(O, W), N, SLOTS, 0, NULL, false, NULL), 0);
    assert_int_equal(batch_init(&b, 2, O, W, W, NULL), 0);
    insert_numbers(&r, 0, 4);
    b.index[0] = 3;
    b.index[1] = 1;
    replay_gather(&r, &b);
    const float row[2] = {300, 100};
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < O; k++) {
            assert_true(b.obs[i * O + k] == row[i] + (float)k);
            assert_true(b.next_obs[i * O + k] == row[i] + (float)(O + W + 2 + k));
        }
        for (size_t k = 0; k < W; k++)
            assert_true(b.action[i * W + k] == row[i] + (float)(O + k));
        assert_true(b.reward[i] == row[i] + O + W);
        assert_true(b.discount[i] == row[i] + O + W + 1);
        assert_int_equal(b.version[i], (int)row[i] / 100);
    }
    batch_free(&b);
    replay_free(&r);
}

static void draw_is_uniform_over_the_rows_that_are_there(void **state)
{
    (void)state;
    struct replay r = {0};
    struct batch  b = {0};
    struct rng    rng;
    enum { SIZE = 50, DRAWS = 2000 };
    rng_init(&rng, 1, RNG_SAMPLE, 0);
    assert_int_equal(replay_init(&r, row_shape_make(O, W), 100, SLOTS, 0, NULL, false, NULL), 0);
    assert_int_equal(batch_init(&b, 100, O, W, W, NULL), 0);
    insert_numbers(&r, 0, SIZE);
    double count[SIZE] = {0}, expected = 100.0 * DRAWS / SIZE, chi2 = 0;
    for (int d = 0; d < DRAWS; d++) {
        replay_draw(&r, &b, false, &rng);
        for (size_t i = 0; i < b.B; i++) {
            assert_true(b.index[i] < SIZE);
            count[b.index[i]]++;
        }
    }
    for (int i = 0; i < SIZE; i++)
        chi2 += (count[i] - expected) * (count[i] - expected) / expected;
    // 49 degrees of freedom: 85.4 is exceeded by chance once in a thousand, and the seed is fixed
    assert_true(chi2 < 85.4);
    batch_free(&b);
    replay_free(&r);
}

static void draw_with_newest_joins_the_newest_row(void **state)
{
    (void)state;
    struct replay r = {0};
    struct batch  b = {0};
    struct rng    rng;
    rng_init(&rng, 1, RNG_SAMPLE, 0);
    assert_int_equal(replay_init(&r, row_shape_make(O, W), N, SLOTS, 0, NULL, false, NULL), 0);
    assert_int_equal(batch_init(&b, 4, O, W, W, NULL), 0);
    for (int i = 0; i < 12; i++) {
        insert_numbers(&r, i, i + 1);
        replay_draw(&r, &b, true, &rng);
        replay_gather(&r, &b);
        assert_int_equal(b.version[3], i);
    }
    batch_free(&b);
    replay_free(&r);
}

static void file_is_continued_after_its_process_is_gone(void **state)
{
    (void)state;
    char path[] = "/tmp/test_replay_XXXXXX";
    int  fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct replay r = {0};
    assert_int_equal(replay_init(&r, row_shape_make(O, W), N, SLOTS, 0, path, false, NULL), 0);
    insert_numbers(&r, 0, 4);
    insert_numbers(&r, 4, 7);
    // not freed: a second mapping sees what a killed process leaves
    struct replay again = {0};
    assert_int_equal(replay_init(&again, row_shape_make(O, W), N, SLOTS, 0, path, true, NULL), 0);
    assert_int_equal(replay_inserted(&again), 7);
    assert_int_equal(replay_mark(&again, 1).sequence, 7);
    assert_string_equal(replay_mark(&again, 1).name, "actor-1");
    assert_memory_equal(again.rows, r.rows, N * r.shape.words * sizeof(float));
    struct error err = {0};
    assert_int_equal(replay_rewind(&again, 8, &err), ERR_FORMAT);
    replay_free(&again);
    replay_free(&r);
    unlink(path);
}

static void mark_of_a_slot_moves_with_its_rows(void **state)
{
    (void)state;
    struct replay r = {0};
    float         rows[2 * 16] = {0};
    assert_int_equal(replay_init(&r, row_shape_make(O, W), N, SLOTS, 0, NULL, false, NULL), 0);
    assert_int_equal(replay_mark(&r, 2).incarnation, 0);
    replay_insert(&r, rows, 2, 2, &(struct replay_mark){7, 11, "a"});
    replay_insert(&r, rows, 1, 3, &(struct replay_mark){1, 1, "b"});
    replay_insert(&r, rows, 2, 2, &(struct replay_mark){7, 13, "a"});
    assert_int_equal(replay_mark(&r, 2).incarnation, 7);
    assert_int_equal(replay_mark(&r, 2).sequence, 13);
    assert_int_equal(replay_mark(&r, 3).sequence, 1);
    // a learner killed after the mark was written and before the rows counted
    r.inserted -= 2;
    assert_int_equal(replay_mark(&r, 2).sequence, 11);
    replay_free(&r);
}

// the ring holds the newest N of `inserted` rows, each of them whole
static void ring_is(struct replay *r, uint64_t inserted)
{
    float    row[16];
    uint64_t oldest = inserted > r->capacity ? inserted - r->capacity : 0;
    assert_int_equal(replay_inserted(r), inserted);
    for (uint64_t i = oldest; i < inserted; i++) {
        row_fill(row, &r->shape, (int)i);
        assert_memory_equal(r->rows + (size_t)(i % r->capacity) * r->shape.words, row,
                            r->shape.words * sizeof *row);
    }
}

static void block_cut_off_by_a_kill_is_taken_back(void **state)
{
    (void)state;
    char path[] = "/tmp/test_replay_XXXXXX";
    close(mkstemp(path));
    struct replay r = {0}, again = {0};
    assert_int_equal(replay_init(&r, row_shape_make(O, W), N, SLOTS, 4, path, false, NULL), 0);
    insert_numbers(&r, 0, 4);
    insert_numbers(&r, 4, 7);
    // as far as replay_insert of three rows gets when it is killed before they count
    replay_file_keep(&r, 7, 3);
    r.header->writing_n = 3;
    r.header->writing_at = 7;
    memset(r.rows + 2 * r.shape.words, 0xff, 2 * r.shape.words * sizeof(float) + 5);
    r.slot[1].before = replay_mark(&r, 1);
    r.slot[1].at = 10;
    r.slot[1].after.sequence = 10;
    assert_int_equal(replay_init(&again, row_shape_make(O, W), N, SLOTS, 4, path, true, NULL), 0);
    ring_is(&again, 7);
    // another actor's rows do not make them count
    replay_insert(&again, r.rows, 3, 2, &(struct replay_mark){1, 3, "actor-2"});
    assert_int_equal(replay_mark(&again, 1).sequence, 7);
    replay_free(&again);
    replay_free(&r);
    unlink(path);
}

static void killed_writer_leaves_whole_rows_and_their_mark(void **state)
{
    (void)state;
    enum { ROWS = 50, BLOCK = 13, KILLS = 40 };
    char path[] = "/tmp/test_replay_XXXXXX";
    close(mkstemp(path));
    struct replay r = {0};
    struct rng    rng;
    rng_init(&rng, 1, RNG_SAMPLE, 0);
    for (int kill_at = 0; kill_at < KILLS; kill_at++) {
        assert_int_equal(
            replay_init(&r, row_shape_make(O, W), ROWS, SLOTS, BLOCK, path, kill_at > 0, NULL), 0);
        ring_is(&r, replay_inserted(&r));
        assert_int_equal(replay_mark(&r, 1).sequence, replay_inserted(&r));
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            for (int i = (int)r.inserted;; i += BLOCK)
                insert_numbers(&r, i, i + BLOCK);
        struct timespec wait = {0, 500000 + (long)rng_below(&rng, 1000000)};
        nanosleep(&wait, NULL);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        replay_free(&r);
    }
    assert_int_equal(replay_init(&r, row_shape_make(O, W), ROWS, SLOTS, BLOCK, path, true, NULL),
                     0);
    assert_true(replay_inserted(&r) > 0);
    replay_free(&r);
    unlink(path);
}

static void rewind_brings_back_what_a_full_ring_has_overwritten(void **state)
{
    (void)state;
    char path[] = "/tmp/test_replay_XXXXXX";
    close(mkstemp(path));
    struct replay r = {0};
    struct error  err = {0};
    assert_int_equal(replay_init(&r, row_shape_make(O, W), N, SLOTS, 12, path, false, NULL), 0);
    for (int i = 0; i < 20; i += 2)
        insert_numbers(&r, i, i + 2);
    assert_int_equal(replay_rewind(&r, 7, &err), ERR_FORMAT);
    assert_non_null(strstr(err.text, "13 rows behind the replay, which can go back 12"));
    ring_is(&r, 20);
    assert_int_equal(replay_rewind(&r, 10, NULL), 0);
    ring_is(&r, 10);
    assert_int_equal(replay_mark(&r, 1).sequence, 0);
    insert_numbers(&r, 10, 13);
    ring_is(&r, 13);
    // and once more, as far back as the first time would have gone
    assert_int_equal(replay_rewind(&r, 7, &err), ERR_FORMAT);
    assert_int_equal(replay_rewind(&r, 8, NULL), 0);
    ring_is(&r, 8);
    replay_free(&r);
    unlink(path);
}

static void slot_given_to_a_process_without_rows_is_known_after_a_kill(void **state)
{
    (void)state;
    struct replay r = {0};
    float         rows[2 * 16] = {0};
    assert_int_equal(replay_init(&r, row_shape_make(O, W), N, SLOTS, 0, NULL, false, NULL), 0);
    replay_insert(&r, rows, 2, 2, &(struct replay_mark){7, 11, "a"});
    replay_claim(&r, 2, &(struct replay_mark){8, 0, "b"});
    assert_int_equal(replay_inserted(&r), 2);
    assert_int_equal(replay_mark(&r, 2).incarnation, 8);
    assert_int_equal(replay_mark(&r, 2).sequence, 0);
    assert_string_equal(replay_mark(&r, 2).name, "b");
    replay_free(&r);
}

static void ring_that_is_not_full_grows_with_its_run(void **state)
{
    (void)state;
    char path[] = "/tmp/test_replay_XXXXXX";
    close(mkstemp(path));
    struct replay r = {0};
    assert_int_equal(replay_init(&r, row_shape_make(O, W), N, SLOTS, 3, path, false, NULL), 0);
    insert_numbers(&r, 0, 3);
    // a block that would have wrapped is cut off: it is taken back with the old size
    insert_numbers(&r, 3, 5);
    replay_file_keep(&r, 5, 2);
    r.header->writing_n = 2;
    r.header->writing_at = 5;
    memset(r.rows, 0xff, 7);
    replay_free(&r);
    assert_int_equal(replay_init(&r, row_shape_make(O, W), 2 * N, SLOTS, 3, path, true, NULL), 0);
    assert_int_equal(r.capacity, 2 * N);
    insert_numbers(&r, 5, 8);
    ring_is(&r, 8);
    replay_free(&r);
    // it does not shrink, and once it has wrapped it does not grow
    assert_int_equal(replay_init(&r, row_shape_make(O, W), N, SLOTS, 3, path, true, NULL), 0);
    insert_numbers(&r, 8, 11);
    replay_free(&r);
    assert_int_equal(replay_init(&r, row_shape_make(O, W), 3 * N, SLOTS, 3, path, true, NULL), 0);
    assert_int_equal(r.capacity, 2 * N);
    ring_is(&r, 11);
    replay_free(&r);
    unlink(path);
}

static void file_of_another_shape_is_refused(void **state)
{
    (void)state;
    char path[] = "/tmp/test_replay_XXXXXX";
    int  fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct replay r = {0};
    struct error  err = {0};
    assert_int_equal(replay_init(&r, row_shape_make(O, W), N, SLOTS, 0, path, false, NULL), 0);
    replay_free(&r);
    // the same size in bytes, other columns
    assert_int_equal(replay_init(&r, row_shape_make(O - 1, W + 2), N, SLOTS, 0, path, true, &err),
                     ERR_FORMAT);
    // a larger table of actors does not fit either, a smaller one does
    assert_int_equal(replay_init(&r, row_shape_make(O, W), N, SLOTS + 1, 0, path, true, &err),
                     ERR_FORMAT);
    assert_non_null(strstr(err.text, "was made for 4 actors"));
    assert_int_equal(replay_init(&r, row_shape_make(O, W), N, SLOTS - 1, 0, path, true, &err), 0);
    assert_int_equal(r.slots, SLOTS);
    replay_free(&r);
    unlink(path);
}

static void size_that_cannot_be_is_refused_with_its_sizes(void **state)
{
    (void)state;
    struct replay r = {0};
    struct error  err = {0};
    assert_int_equal(replay_init(&r, row_shape_make(O, W), UINT64_MAX, SLOTS, 0, NULL, false, &err),
                     ERR_MEMORY);
    assert_non_null(strstr(err.text, "18446744073709551615 rows of 48 bytes"));
    // more than memory
    uint64_t rows = memory_total() / 48 + 1;
    assert_int_equal(replay_init(&r, row_shape_make(O, W), rows, SLOTS, 0, NULL, false, &err),
                     ERR_MEMORY);
    assert_non_null(strstr(err.text, "machine or container has"));
    replay_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(insert_wraps_and_keeps_newest),
        cmocka_unit_test(gather_splits_a_row_into_its_columns),
        cmocka_unit_test(draw_is_uniform_over_the_rows_that_are_there),
        cmocka_unit_test(draw_with_newest_joins_the_newest_row),
        cmocka_unit_test(file_is_continued_after_its_process_is_gone),
        cmocka_unit_test(mark_of_a_slot_moves_with_its_rows),
        cmocka_unit_test(slot_given_to_a_process_without_rows_is_known_after_a_kill),
        cmocka_unit_test(block_cut_off_by_a_kill_is_taken_back),
        cmocka_unit_test(killed_writer_leaves_whole_rows_and_their_mark),
        cmocka_unit_test(rewind_brings_back_what_a_full_ring_has_overwritten),
        cmocka_unit_test(ring_that_is_not_full_grows_with_its_run),
        cmocka_unit_test(file_of_another_shape_is_refused),
        cmocka_unit_test(size_that_cannot_be_is_refused_with_its_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
