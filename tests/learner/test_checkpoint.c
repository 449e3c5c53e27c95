// Checkpoints: what was written comes back, damage anywhere is noticed, the one before is used.
#include "common/log.h"
#include "learner/checkpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char  dir[64];
static float values[100];

static const struct safetensors_tensor tensors[] = {
    {.name = "values",
     .dtype = SAFETENSORS_F32,
     .rank = 1,
     .shape = {100},
     .n = 100,
     .size = sizeof values,
     .data = values},
};

static int dir_make(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/test_checkpoint_XXXXXX");
    return mkdtemp(dir) == NULL;
}

static int dir_remove(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static void write_number(struct checkpoint *c, uint64_t number)
{
    char                      text[32];
    struct error              err = {0};
    struct safetensors_string strings[] = {{"number", text}};
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    for (size_t i = 0; i < 100; i++)
        values[i] = (float)(number + i);
    assert_int_equal(checkpoint_write(c, number, tensors, 1, strings, 1, &err), 0);
    // the copy is taken: what changes now does not reach the file
    values[3] = -1;
    assert_int_equal(checkpoint_wait(c, &err), 0);
}

static void load_is(uint64_t want)
{
    struct safetensors st = {0};
    struct error       err = {0};
    uint64_t           number = 0;
    float              got[100];
    assert_int_equal(checkpoint_load(dir, &st, &number, &err), 0);
    assert_int_equal(number, want);
    assert_int_equal(safetensors_get(&st, "values", SAFETENSORS_F32, got, 100, &err), 0);
    for (size_t i = 0; i < 100; i++)
        assert_true(got[i] == (float)(want + i));
    assert_int_equal(strtoull(safetensors_metadata(&st, "number"), NULL, 10), want);
    safetensors_free(&st);
}

static void newest_comes_back_and_two_are_kept(void **state)
{
    (void)state;
    struct checkpoint c = {0};
    char              path[128];
    assert_int_equal(checkpoint_open(&c, dir, NULL, NULL, NULL), 0);
    for (uint64_t n = 8; n <= 11; n++)
        write_number(&c, n);
    load_is(11);
    snprintf(path, sizeof path, "%s/000000000010", dir);
    assert_int_equal(access(path, F_OK), 0);
    snprintf(path, sizeof path, "%s/000000000009", dir);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(c.written, 4);
    checkpoint_close(&c);
}

static void damage_at_every_byte_falls_back_to_the_one_before(void **state)
{
    (void)state;
    struct checkpoint c = {0};
    assert_int_equal(checkpoint_open(&c, dir, NULL, NULL, NULL), 0);
    write_number(&c, 1);
    write_number(&c, 2);
    checkpoint_close(&c);
    const char *const names[] = {"state.safetensors", "MANIFEST"};
    for (size_t k = 0; k < 2; k++) {
        char path[128];
        snprintf(path, sizeof path, "%s/000000000002/%s", dir, names[k]);
        FILE *f = fopen(path, "r+b");
        assert_non_null(f);
        fseek(f, 0, SEEK_END);
        long size = ftell(f);
        for (long at = 0; at < size; at++) {
            fseek(f, at, SEEK_SET);
            int byte = fgetc(f);
            fseek(f, at, SEEK_SET);
            fputc(byte ^ 0x10, f);
            fflush(f);
            load_is(1);
            fseek(f, at, SEEK_SET);
            fputc(byte, f);
            fflush(f);
        }
        fclose(f);
        load_is(2);
        // and cut short anywhere
        for (long left = size - 1; left >= 0; left--) {
            assert_int_equal(truncate(path, left), 0);
            load_is(1);
        }
        unlink(path);
        load_is(1);
        c = (struct checkpoint){0};
        assert_int_equal(checkpoint_open(&c, dir, NULL, NULL, NULL), 0);
        write_number(&c, 2);
        checkpoint_close(&c);
    }
}

static void unfinished_writing_does_not_count(void **state)
{
    (void)state;
    struct checkpoint  c = {0};
    struct safetensors st = {0};
    struct error       err = {0};
    uint64_t           number;
    char               path[128];
    assert_int_equal(checkpoint_load(dir, &st, &number, &err), ERR_SYSTEM);
    assert_int_equal(checkpoint_open(&c, dir, NULL, NULL, NULL), 0);
    snprintf(path, sizeof path, "%s/writing", dir);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(checkpoint_load(dir, &st, &number, &err), ERR_SYSTEM);
    write_number(&c, 5);
    load_is(5);
    checkpoint_close(&c);
}

static void failing_write_is_reported_and_the_old_one_stays(void **state)
{
    (void)state;
    struct checkpoint c = {0};
    struct error      err = {0};
    char              path[128];
    assert_int_equal(checkpoint_open(&c, dir, NULL, NULL, NULL), 0);
    write_number(&c, 1);
    // a file stands where the temporary folder should be made: no folder can be made there
    snprintf(path, sizeof path, "%s/writing", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(checkpoint_write(&c, 2, tensors, 1, NULL, 0, &err), 0);
    assert_int_equal(checkpoint_wait(&c, &err), ERR_SYSTEM);
    assert_non_null(strstr(err.text, "File exists"));
    assert_int_equal(checkpoint_error(&c, &err), 0);
    load_is(1);
    unlink(path);
    write_number(&c, 3);
    load_is(3);
    checkpoint_close(&c);
}

int main(void)
{
    log_open("test", LOG_ERROR, false);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(newest_comes_back_and_two_are_kept, dir_make, dir_remove),
        cmocka_unit_test_setup_teardown(damage_at_every_byte_falls_back_to_the_one_before, dir_make,
                                        dir_remove),
        cmocka_unit_test_setup_teardown(unfinished_writing_does_not_count, dir_make, dir_remove),
        cmocka_unit_test_setup_teardown(failing_write_is_reported_and_the_old_one_stays, dir_make,
                                        dir_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
