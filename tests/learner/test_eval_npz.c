// evaluations.npz goes on where it was, and numpy reads it where python3 has it.
#include "learner/eval_npz.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[64];

static int make_path(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/crossfleet-npz-XXXXXX");
    close(mkstemp(path));
    return unlink(path);
}

static int remove_path(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void add(struct eval_npz *z, uint64_t timesteps)
{
    double   returns[] = {(double)timesteps + 0.5, -1.25, 3};
    uint64_t lengths[] = {timesteps / 2, 7, 1000};
    assert_int_equal(eval_npz_add(z, path, timesteps, returns, lengths, 3, NULL), 0);
}

static void a_resumed_file_keeps_what_was_not_rolled_back(void **state)
{
    (void)state;
    struct eval_npz z;
    eval_npz_open(&z, path, UINT64_MAX);
    assert_int_equal(z.n, 0);
    for (uint64_t steps = 100; steps <= 500; steps += 100)
        add(&z, steps);
    eval_npz_free(&z);
    eval_npz_open(&z, path, 350);
    assert_int_equal(z.n, 3);
    assert_int_equal(z.episodes, 3);
    assert_int_equal(z.timesteps[2], 300);
    assert_true(z.results[6] == 300.5 && z.results[7] == -1.25);
    assert_int_equal(z.lengths[6], 150);
    add(&z, 400);
    eval_npz_free(&z);
    eval_npz_open(&z, path, UINT64_MAX);
    assert_int_equal(z.n, 4);
    eval_npz_free(&z);
}

static void a_damaged_file_gives_nothing(void **state)
{
    (void)state;
    struct eval_npz z;
    static char     bytes[4096];
    eval_npz_open(&z, path, UINT64_MAX);
    add(&z, 100);
    add(&z, 200);
    eval_npz_free(&z);
    FILE  *file = fopen(path, "r");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    // the last array ends well before the archive's directory
    for (size_t cut = 0; cut < size - 240; cut += 7) {
        file = fopen(path, "w");
        fwrite(bytes, 1, cut, file);
        fclose(file);
        eval_npz_open(&z, path, UINT64_MAX);
        assert_int_equal(z.n, 0);
        eval_npz_free(&z);
    }
}

static void numpy_reads_the_names_that_sb3_writes(void **state)
{
    (void)state;
    struct eval_npz z;
    char            command[512], line[256] = "";
    if (system("python3 -c 'import numpy' 2>/dev/null") != 0) {
        print_message("no python3 with numpy here\n");
        skip();
    }
    eval_npz_open(&z, path, UINT64_MAX);
    add(&z, 1000);
    add(&z, 2000);
    eval_npz_free(&z);
    snprintf(
        command, sizeof command,
        "python3 -c \"import numpy as np, zipfile; z = np.load(open('%s', 'rb')); "
        "assert zipfile.ZipFile('%s').testzip() is None; "
        "print(z['timesteps'].tolist(), z['results'].tolist(), z['ep_lengths'][:, 0].tolist())\"",
        path, path);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    assert_non_null(fgets(line, sizeof line, out));
    assert_int_equal(pclose(out), 0);
    assert_string_equal(line,
                        "[1000, 2000] [[1000.5, -1.25, 3.0], [2000.5, -1.25, 3.0]] [500, 1000]\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_resumed_file_keeps_what_was_not_rolled_back, make_path,
                                        remove_path),
        cmocka_unit_test_setup_teardown(a_damaged_file_gives_nothing, make_path, remove_path),
        cmocka_unit_test_setup_teardown(numpy_reads_the_names_that_sb3_writes, make_path,
                                        remove_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
