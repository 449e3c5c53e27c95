// Key files: made with modes that keep secrets, read with reasons for what does not fit; and the
// allow-list, which follows its directory.
#include "proto/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SERVICE = 10001 };  // user and group of the container

static char folder[32];

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int folder_make(void **state)
{
    (void)state;
    struct error err = {0};
    snprintf(folder, sizeof folder, "/tmp/test_keys_XXXXXX");
    return mkdtemp(folder) == NULL || keys_make(folder, &err) < 0;
}

static int folder_remove(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static void file_write(const char *name, const char *text)
{
    FILE *f = fopen(in_folder(name), "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    fclose(f);
}

static unsigned mode_of(const char *name)
{
    struct stat st;
    assert_int_equal(stat(in_folder(name), &st), 0);
    return st.st_mode & 0777;
}

// says whether opening the learner's side fails with a text that holds `part`
static void learner_fails(int code, const char *part)
{
    struct error err = {0};
    struct keys  keys;
    assert_int_equal(keys_open_learner(&keys, folder, &err), code);
    if (strstr(err.text, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, part);
    keys_close(&keys);
}

static void both_sides_fit_and_secrets_are_their_owners(void **state)
{
    (void)state;
    struct keys  learner, actor;
    struct error err = {0};
    assert_int_equal(keys_open_learner(&learner, folder, &err), 0);
    assert_int_equal(keys_open_actor(&actor, folder, &err), 0);
    assert_string_equal(actor.server_key, learner.public_key);
    assert_string_not_equal(actor.public_key, learner.public_key);
    assert_true(keys_allow(&learner, actor.public_key));
    assert_false(keys_allow(&learner, learner.public_key));
    assert_int_equal(mode_of("learner.key"), 0600);
    assert_int_equal(mode_of("actor.key"), 0600);
    keys_close(&learner);
    keys_close(&actor);
}

static void keys_that_are_there_are_not_overwritten(void **state)
{
    (void)state;
    struct error err = {0};
    struct keys  before, after;
    assert_int_equal(keys_open_learner(&before, folder, &err), 0);
    assert_int_equal(keys_make(folder, &err), ERR_SYSTEM);
    assert_non_null(strstr(err.text, "learner.key"));
    assert_int_equal(keys_open_learner(&after, folder, &err), 0);
    assert_string_equal(after.secret_key, before.secret_key);
    keys_close(&before);
    keys_close(&after);
}

static void a_secret_that_others_can_read_is_refused(void **state)
{
    (void)state;
    const mode_t modes[] = {0640, 0604, 0660, 0601};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        assert_int_equal(chmod(in_folder("learner.key"), modes[i]), 0);
        learner_fails(ERR_SYSTEM, "chmod 600");
    }
    assert_int_equal(chmod(in_folder("learner.key"), 0400), 0);
    struct keys keys;
    assert_int_equal(keys_open_learner(&keys, folder, NULL), 0);
    keys_close(&keys);
}

// what keys_open_actor says to a process of the service's user
static int open_as_service(void)
{
    int   status;
    pid_t pid = fork();
    if (pid == 0) {
        struct keys  keys;
        struct error err = {0};
        if (setgid(SERVICE) != 0 || setuid(SERVICE) != 0)
            _exit(100);
        _exit(-keys_open_actor(&keys, folder, &err));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return -WEXITSTATUS(status);
}

static void give(uid_t user, gid_t group, mode_t mode)
{
    assert_int_equal(chown(in_folder("actor.key"), user, group), 0);
    assert_int_equal(chmod(in_folder("actor.key"), mode), 0);
}

static void roots_secret_may_be_read_by_the_services_group(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("only root can give files away\n");
        skip();
    }
    assert_int_equal(chmod(folder, 0755), 0);
    give(0, SERVICE, 0440);
    assert_int_equal(open_as_service(), 0);
    give(0, SERVICE, 0444);
    assert_int_equal(open_as_service(), ERR_SYSTEM);
    give(SERVICE, SERVICE, 0640);
    assert_int_equal(open_as_service(), ERR_SYSTEM);
}

static void a_file_that_is_missing_is_named(void **state)
{
    (void)state;
    struct error err = {0};
    struct keys  keys;
    unlink(in_folder("learner.key"));
    learner_fails(ERR_SYSTEM, "learner.key: No such file");
    unlink(in_folder("learner.pub"));
    assert_int_equal(keys_open_actor(&keys, folder, &err), ERR_SYSTEM);
    assert_non_null(strstr(err.text, "learner.pub: No such file"));
    keys_close(&keys);
}

static void a_key_of_a_wrong_length_or_alphabet_is_refused(void **state)
{
    (void)state;
    static const char key[] = "0123456789012345678901234567890123456789";
    char              text[256];
    const char *const forms[] = {
        "public %.39s\nsecret %s\n",   // one short
        "public %s0\nsecret %s\n",     // one long
        "public %.39s~\nsecret %s\n",  // no Z85
        "public %s\nsecret %.10s\n",   // the other one
        "publics %s\nsecret %s\n",     // no such label
        "",                            // nothing
    };
    chmod(in_folder("learner.key"), 0600);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof text, forms[i], key, key);
#pragma GCC diagnostic pop
        file_write("learner.key", text);
        learner_fails(ERR_FORMAT, "learner.key: no key of 40 characters");
    }
    // a file that ends without a newline is good
    snprintf(text, sizeof text, "secret %s\r\npublic %s", key, key);
    file_write("learner.key", text);
    struct keys keys;
    assert_int_equal(keys_open_learner(&keys, folder, NULL), 0);
    assert_string_equal(keys.public_key, key);
    keys_close(&keys);
}

static void the_allow_list_follows_its_directory(void **state)
{
    (void)state;
    static const char one[] = "1111111111111111111111111111111111111111";
    static const char two[] = "2222222222222222222222222222222222222222";
    struct error      err = {0};
    struct keys       keys;
    char              text[64], actor[LINK_KEY];
    assert_int_equal(keys_open_actor(&keys, folder, &err), 0);
    memcpy(actor, keys.public_key, sizeof actor);
    keys_close(&keys);
    assert_int_equal(keys_open_learner(&keys, folder, &err), 0);
    assert_int_equal(keys.n_allowed, 1);

    snprintf(text, sizeof text, "public %s\n", one);
    file_write("actors/one.pub", text);
    file_write("actors/note.txt", text);
    file_write("actors/broken.pub", "public short\n");
    keys_refresh(&keys, 10.0);
    assert_true(keys_allow(&keys, one));
    assert_int_equal(keys.n_allowed, 2);
    assert_int_equal(keys.removals, 0);

    // not looked at more often than once a second
    snprintf(text, sizeof text, "public %s\n# another one\n", two);
    file_write("actors/one.pub", text);
    keys.look_at = 100.0;
    keys_refresh(&keys, 99.0);
    assert_int_equal(keys.removals, 0);
    // a file whose text changes takes one key away and brings another
    keys_refresh(&keys, 100.0);
    assert_int_equal(keys.n_allowed, 2);
    assert_int_equal(keys.removals, 1);

    unlink(in_folder("actors/one.pub"));
    keys_refresh(&keys, 200.0);
    assert_int_equal(keys.n_allowed, 1);
    assert_int_equal(keys.removals, 2);
    // nothing changed, nothing is read
    keys_refresh(&keys, 300.0);
    assert_int_equal(keys.removals, 2);

    keys.look_at = 1e300;
    assert_true(keys_allow(&keys, actor));
    assert_false(keys_allow(&keys, one));
    assert_false(keys_allow(&keys, two));
    keys_close(&keys);
}

static void nobody_is_allowed_without_the_directory(void **state)
{
    (void)state;
    struct error err = {0};
    struct keys  keys;
    char         command[96];
    assert_int_equal(keys_open_learner(&keys, folder, &err), 0);
    snprintf(command, sizeof command, "rm -r %s/actors", folder);
    assert_int_equal(system(command), 0);
    keys_refresh(&keys, 10.0);
    assert_int_equal(keys.n_allowed, 0);
    assert_int_equal(keys.removals, 1);
    keys_close(&keys);
    learner_fails(ERR_SYSTEM, "actors: No such file");
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(both_sides_fit_and_secrets_are_their_owners),
        WITH_FOLDER(keys_that_are_there_are_not_overwritten),
        WITH_FOLDER(a_secret_that_others_can_read_is_refused),
        WITH_FOLDER(roots_secret_may_be_read_by_the_services_group),
        WITH_FOLDER(a_file_that_is_missing_is_named),
        WITH_FOLDER(a_key_of_a_wrong_length_or_alphabet_is_refused),
        WITH_FOLDER(the_allow_list_follows_its_directory),
        WITH_FOLDER(nobody_is_allowed_without_the_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
