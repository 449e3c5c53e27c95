#include "common/bundle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char from[] = "/tmp/crossfleet-test-XXXXXX", to[64];

static void put(const char *name, const char *text)
{
    char  path[256];
    FILE *file;
    snprintf(path, sizeof path, "%s/%s", from, name);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void expect(const char *name, const char *text)
{
    char  path[256], got[512] = "";
    FILE *file;
    snprintf(path, sizeof path, "%s/%s", to, name);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fread(got, 1, sizeof got - 1, file), strlen(text));
    fclose(file);
    assert_string_equal(got, text);
}

static const char robot[] =
    "<mujoco><compiler meshdir='parts'/><include file=\"arm.xml\"/>"
    "<mesh file='wheel.stl'/><mesh file = 'wheel.stl'/><mesh file='lost.stl'/>"
    "<geom profile='no.xml'/></mujoco>";

static int make_files(void **state)
{
    (void)state;
    char path[256];
    if (mkdtemp(from) == NULL)
        return -1;
    snprintf(to, sizeof to, "%s/out", from);
    snprintf(path, sizeof path, "%s/parts", from);
    mkdir(path, 0700);
    put("robot.xml", robot);
    put("arm.xml", "<mujoco><mesh file='hand.stl'/></mujoco>");
    put("parts/wheel.stl", "wheel");
    put("parts/hand.stl", "hand");
    put("no.xml", "not named");
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    char command[256];
    snprintf(command, sizeof command, "rm -r %s", from);
    return system(command);
}

static struct bundle pack(void)
{
    char          path[256];
    struct bundle b;
    struct error  err = {0};
    snprintf(path, sizeof path, "%s/robot.xml", from);
    if (bundle_pack(&b, path, 1 << 20, &err) < 0)
        fail_msg("%s", err.text);
    return b;
}

static void what_a_model_names_arrives_below_another_folder(void **state)
{
    (void)state;
    struct bundle b = pack();
    struct error  err = {0};
    char          model[256], want[256], path[256];
    mkdir(to, 0700);
    assert_int_equal(bundle_unpack(b.bytes, b.size, to, model, sizeof model, &err), 0);
    snprintf(want, sizeof want, "%s/robot.xml", to);
    assert_string_equal(model, want);
    expect("robot.xml", robot);
    expect("parts/wheel.stl", "wheel");
    expect("parts/hand.stl", "hand");
    snprintf(path, sizeof path, "%s/no.xml", to);
    assert_int_not_equal(access(path, F_OK), 0);
    bundle_remove(b.bytes, b.size, to);
    assert_int_not_equal(access(to, F_OK), 0);
    bundle_free(&b);
}

static void damaged_bytes_are_refused(void **state)
{
    (void)state;
    struct bundle b = pack();
    char          model[256];
    mkdir(to, 0700);
    for (size_t size = 0; size < b.size; size++)
        assert_int_equal(bundle_unpack(b.bytes, size, to, model, sizeof model, NULL), ERR_FORMAT);
    b.bytes[b.size / 2] ^= 1;
    assert_int_equal(bundle_unpack(b.bytes, b.size, to, model, sizeof model, NULL), ERR_FORMAT);
    rmdir(to);
    bundle_free(&b);
}

static void a_file_outside_the_folder_is_refused(void **state)
{
    (void)state;
    char          path[256];
    struct bundle b;
    struct error  err = {0};
    put("sly.xml", "<mujoco><include file='parts/../../../../../etc/hostname'/></mujoco>");
    snprintf(path, sizeof path, "%s/sly.xml", from);
    assert_int_equal(bundle_pack(&b, path, 1 << 20, &err), ERR_SPEC);
    assert_non_null(strstr(err.text, "below its folder"));
    bundle_free(&b);
}

static void the_limit_holds(void **state)
{
    (void)state;
    char          path[256];
    struct bundle b;
    snprintf(path, sizeof path, "%s/robot.xml", from);
    assert_int_equal(bundle_pack(&b, path, 100, NULL), ERR_MEMORY);
    bundle_free(&b);
    assert_int_equal(bundle_pack(&b, "/nonexistent.xml", 100, NULL), ERR_SYSTEM);
    bundle_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_model_names_arrives_below_another_folder),
        cmocka_unit_test(damaged_bytes_are_refused),
        cmocka_unit_test(a_file_outside_the_folder_is_refused),
        cmocka_unit_test(the_limit_holds),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
