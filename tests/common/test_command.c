// Command lines: what is accepted, and what a mistake is told.
#include "common/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct options {
    struct command_list operands;
    struct command_list set;
    const char         *run;
    uint64_t            actors;
    bool                quiet;
};

static const struct command_option train_options[] = {
    {"set", "KEY=VALUE", OPTION_LIST, offsetof(struct options, set), "change a key"},
    {"run", "DIR", OPTION_TEXT, offsetof(struct options, run), "run directory"},
    {"actors", "N", OPTION_NUMBER, offsetof(struct options, actors), "local actors"},
    {"quiet", NULL, OPTION_FLAG, offsetof(struct options, quiet), "no progress line"},
};
static const struct command commands[] = {
    {"train", "SPEC", 1, 1, "train a policy", train_options, 4, NULL},
    {"envs", "", 0, 0, "list the tasks", NULL, 0, NULL},
};
static const struct program program = {"test", "a test", commands, 2, NULL};

static int parse(struct options *o, const struct command **c, struct error *err, int n,
                 const char **words)
{
    char *argv[16] = {"test"};
    for (int i = 0; i < n; i++)
        argv[i + 1] = (char *)words[i];
    *o = (struct options){.actors = 2};
    return program_parse(&program, n + 1, argv, o, c, err);
}

static void options_and_operands_may_stand_in_any_order(void **state)
{
    (void)state;
    struct options        o;
    const struct command *c;
    const char           *words[] = {"train",     "--set",    "a=1", "spec.yaml",
                                     "--set=b=2", "--actors", "4",   "--quiet"};
    assert_int_equal(parse(&o, &c, NULL, 8, words), 0);
    assert_string_equal(c->name, "train");
    assert_int_equal(o.operands.n, 1);
    assert_string_equal(o.operands.item[0], "spec.yaml");
    assert_int_equal(o.set.n, 2);
    assert_string_equal(o.set.item[1], "b=2");
    assert_int_equal(o.actors, 4);
    assert_true(o.quiet);
    assert_null(o.run);
}

static void mistakes_say_what_is_allowed(void **state)
{
    (void)state;
    struct {
        const char *words[4];
        int         n;
        const char *text;
    } cases[] = {
        {{"fly"}, 1, "unknown command 'fly'; known: train, envs"},
        {{"train"}, 1, "usage: test train SPEC; see test train --help"},
        {{"train", "a", "b"}, 3, "usage: test train SPEC; see test train --help"},
        {{"train", "a", "--fast"}, 3, "unknown option --fast; see test train --help"},
        {{"train", "a", "--actors", "-1"}, 4, "--actors: '-1' is not a whole number"},
        {{"train", "a", "--actors", "2x"}, 4, "--actors: '2x' is not a whole number"},
        {{"train", "a", "--actors=99999999999999999999"},
         3,
         "--actors: '99999999999999999999' is not a whole number"},
        {{"train", "a", "--run"}, 3, "--run needs DIR"},
        {{"train", "a", "--quiet=1"}, 3, "--quiet takes no value"},
        {{"envs", "--run", "x"}, 3, "unknown option --run; see test envs --help"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct options        o;
        struct error          err = {0};
        const struct command *c;
        assert_int_equal(parse(&o, &c, &err, cases[i].n, cases[i].words), ERR_SPEC);
        assert_string_equal(err.text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_operands_may_stand_in_any_order),
        cmocka_unit_test(mistakes_say_what_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
