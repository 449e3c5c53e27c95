#include "common/rng.h"
#include "common/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// ------ helpers

struct reading {
    struct yaml_tree  yaml;
    struct problems   problems;
    struct yaml_node *root;
};

static void read_bytes(struct reading *r, const char *text, size_t size)
{
    memset(r, 0, sizeof *r);
    problems_init(&r->problems, "f");
    r->root = yaml_tree_parse(&r->yaml, text, size, &r->problems);
}

static void read_text(struct reading *r, const char *text)
{
    read_bytes(r, text, strlen(text));
}

static void done(struct reading *r)
{
    yaml_tree_free(&r->yaml);
    problems_free(&r->problems);
}

static void assert_problems(const char *text, const char *message)
{
    struct reading r;
    struct error   err = {0};
    read_text(&r, text);
    problems_error(&r.problems, &err);
    assert_string_equal(err.text, message);
    done(&r);
}

// a value by keys and, in lists, digits: "a.0.b"
static struct yaml_node *at(struct yaml_node *node, const char *path)
{
    char copy[128];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *step = strtok(copy, "."); step != NULL; step = strtok(NULL, ".")) {
        if (node->kind == YAML_LIST) {
            assert_true((size_t)atoi(step) < node->n);
            node = node->entry[atoi(step)].value;
        } else {
            node = yaml_find(node, step);
        }
        assert_non_null(node);
    }
    return node;
}

// ------ the tree

static void maps_lists_and_scalars_keep_their_lines(void **state)
{
    (void)state;
    struct reading r;
    read_text(&r, "# comment\na: 1\nb:\n  - x\n  - 'y'\nc: {d: [2, 3]}\n");
    assert_int_equal(r.problems.n, 0);
    assert_int_equal(r.root->kind, YAML_MAP);
    assert_int_equal(r.root->n, 3);
    assert_int_equal(at(r.root, "a")->line, 2);
    assert_int_equal(at(r.root, "b.1")->line, 5);
    assert_int_equal(at(r.root, "b.1")->column, 5);
    assert_true(at(r.root, "b.1")->quoted);
    assert_false(at(r.root, "b.0")->quoted);
    assert_string_equal(at(r.root, "c.d.1")->text, "3");
    assert_int_equal(r.root->entry[2].line, 6);
    assert_null(yaml_find(r.root, "e"));
    done(&r);
}

static void json_is_yaml(void **state)
{
    (void)state;
    struct reading r;
    read_text(&r, "{\"a\":{\"b\":[1,2.5,true,null,\"x\\ty\\u00e9\"]},\n\t\"c\":-3e5}");
    assert_int_equal(r.problems.n, 0);
    assert_string_equal(at(r.root, "a.b.4")->text, "x\ty\xc3\xa9");
    assert_true(yaml_is_null(at(r.root, "a.b.3")));
    double y;
    assert_true(yaml_get_number(at(r.root, "c"), &y));
    assert_true(y == -300000);
    done(&r);
}

static void aliases_are_copies(void **state)
{
    (void)state;
    struct reading r;
    read_text(&r, "a: &x {n: 1}\nb: *x\n");
    assert_string_equal(at(r.root, "b.n")->text, "1");
    assert_ptr_not_equal(at(r.root, "a"), at(r.root, "b"));
    assert_int_equal(at(r.root, "b.n")->line, 1);
    done(&r);
}

static void a_map_wins_over_what_it_merges(void **state)
{
    (void)state;
    struct reading r;
    read_text(&r, "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\n"
                  "c:\n  <<: *a\n  x: 9\n"
                  "d:\n  z: 8\n  <<: [*a, *b]\n"
                  "e: {<<: {<<: *b, q: 5}}\n");
    assert_int_equal(r.problems.n, 0);
    assert_string_equal(at(r.root, "c.x")->text, "9");
    assert_string_equal(at(r.root, "c.y")->text, "2");
    assert_int_equal(at(r.root, "c")->n, 2);
    assert_string_equal(at(r.root, "d.y")->text, "2");
    assert_string_equal(at(r.root, "d.z")->text, "8");
    assert_int_equal(at(r.root, "d")->n, 3);
    assert_string_equal(at(r.root, "e.q")->text, "5");
    assert_string_equal(at(r.root, "e.z")->text, "4");
    done(&r);
}

static void a_quoted_merge_key_is_a_key(void **state)
{
    (void)state;
    struct reading r;
    read_text(&r, "'<<': 1\n");
    assert_string_equal(at(r.root, "<<")->text, "1");
    done(&r);
}

// ------ refusals

static void repeated_keys_are_reported_once_with_both_lines(void **state)
{
    (void)state;
    assert_problems("a: 1\nb: 2\na: 3\n", "f:3: a: repeated key, first on line 1");
    // also when the map is read three times
    assert_problems("a: &m {k: 1,\n k: 2}\nb: *m\nc: {<<: *m}\n",
                    "f:2: k: repeated key, first on line 1");
}

static void bad_texts_are_reported_with_their_line(void **state)
{
    (void)state;
    assert_problems("", "f:1: nothing in it, expected a map");
    assert_problems("a: [1,\nb: 2\n", "f:3: not YAML: did not find expected ',' or ']', while "
                                      "parsing a flow sequence (line 1)");
    assert_problems("a: *nowhere\n", "f:1: not YAML: found undefined alias");
    assert_problems("a: 1\n b: 2\n",
                    "f:2: not YAML: mapping values are not allowed in this context");
    assert_problems("a: 1\n---\nb: 2\n", "f:3: a second document, allowed: one");
    assert_problems("? [a]\n: 1\n", "f:1: a key that is not a plain text");
    assert_problems("a: \"x\\0y\"\n", "f:1: a NUL character in a text");
    assert_problems("a: {<<: 3}\n", "f:1: <<: is no map, allowed: a map or a list of maps");
    assert_problems("a: {<<: [{b: 1}, 3]}\n",
                    "f:1: <<: is no map, allowed: a map or a list of maps");
    assert_problems("a: \xff\n", "f: not YAML: byte 3: invalid leading UTF-8 octet");
}

static void an_alias_inside_its_anchor_is_refused(void **state)
{
    (void)state;
    assert_problems("a: &a [1, *a]\n", "f:1: an alias stands inside its own anchor");
    assert_problems("a: &a\n  <<: *a\n", "f:1: an alias stands inside its own anchor");
    assert_problems("a: &a {b: &b {c: *a}}\n", "f:1: an alias stands inside its own anchor");
}

static void alias_bombs_are_refused(void **state)
{
    (void)state;
    char   text[2048] = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    size_t used = strlen(text);
    for (int i = 1; i < 12; i++) {
        used += (size_t)sprintf(text + used, "a%d: &a%d [", i, i);
        for (int k = 0; k < 9; k++)
            used += (size_t)sprintf(text + used, "*a%d%s", i - 1, k < 8 ? ", " : "]\n");
    }
    assert_problems(text, "f:1: aliases make more than 40000 values of it");
}

static void bombs_of_long_text_are_refused(void **state)
{
    (void)state;
    static char text[120000];
    size_t      used = (size_t)sprintf(text, "a: &a \"");
    memset(text + used, 'x', 100000);
    used += 100000;
    used += (size_t)sprintf(text + used, "\"\nb: [");
    for (int i = 0; i < 60; i++)
        used += (size_t)sprintf(text + used, "*a, ");
    sprintf(text + used, "]\n");
    assert_problems(text, "f:1: aliases make too much text of it");
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    char text[128] = "";
    memset(text, '[', 41);
    memset(text + 41, ']', 41);
    assert_problems(text, "f:1: nested deeper than 40 levels");
    memset(text, '[', 40);
    memset(text + 40, ']', 40);
    text[80] = '\0';
    assert_problems(text, "");
}

static void long_texts_lists_and_maps_are_refused(void **state)
{
    (void)state;
    static char    text[YAML_MAX_SIZE + 2];
    struct reading r;
    memset(text, ' ', sizeof text);
    read_bytes(&r, text, YAML_MAX_SIZE + 1);
    assert_null(r.root);
    assert_int_equal(r.problems.n, 1);
    done(&r);
    size_t used = (size_t)sprintf(text, "a: [");
    for (int i = 0; i < 2049; i++)
        used += (size_t)sprintf(text + used, "%d,", i);
    sprintf(text + used, "]");
    assert_problems(text, "f:1: a list of more than 2048 items");
}

static void a_long_line_of_many_keys_is_read(void **state)
{
    (void)state;
    static char    text[60000];
    struct reading r;
    size_t         used = (size_t)sprintf(text, "{");
    for (int i = 0; i < 1500; i++)
        used += (size_t)sprintf(text + used, "\"key.number.%d\": {\"v\": [%d]}%s", i, i,
                                i < 1499 ? ", " : "}");
    read_text(&r, text);
    assert_int_equal(r.problems.n, 0);
    assert_string_equal(at(r.root, "")->entry[1499].key, "key.number.1499");
    done(&r);
}

// ------ scalars

static void assert_number(const char *text, bool is, double value)
{
    struct reading r;
    double         y = 0;
    read_text(&r, text);
    assert_int_equal(yaml_get_number(r.root, &y), is);
    if (is)
        assert_true(y == value);
    done(&r);
}

static void numbers_are_numbers_or_nothing(void **state)
{
    (void)state;
    assert_number("1e6", true, 1000000);
    assert_number("1_000_000", true, 1000000);
    assert_number("3.0e-4", true, 3e-4);
    assert_number("2e6", true, 2000000);
    assert_number("-.5", true, -.5);
    assert_number("5.", true, 5);
    assert_number("+1E+2", true, 100);
    assert_number("0", true, 0);
    assert_number("0.25", true, .25);
    assert_number(".inf", true, 1.0 / 0.0);
    assert_number("-.inf", true, -1.0 / 0.0);
    static const char *const none[] = {"010", "0x10", "1e",    "1e6x",  "3e-4x", "1__0", "_1",
                                       "1_",  "1_e6", ".",     "-",     "e5",    "--1",  "1.2.3",
                                       "inf", "nan",  "'1e6'", "1 000", "true",  "1,5",  "0o7"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_number(none[i], false, 0);
    // longer than any number that is meant
    assert_number("5555555555555555555555555555555555555555555555555555555555555555555555555555."
                  "55555555555555555555555e10",
                  false, 0);
}

static void whole_numbers_are_exact(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool        is;
        uint64_t    value;
    } cases[] = {
        {"3e5", true, 300000},
        {"2000000.0", true, 2000000},
        {"18446744073709551615", true, UINT64_MAX},
        {"9007199254740993", true, 9007199254740993},
        {"18446744073709551616", false, 0},
        {"1e300", false, 0},
        {"2.5", false, 0},
        {"-1", false, 0},
        {".inf", false, 0},
        {"x", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading r;
        uint64_t       y = 0;
        read_text(&r, cases[i].text);
        assert_int_equal(yaml_get_uint(r.root, &y), cases[i].is);
        if (cases[i].is)
            assert_true(y == cases[i].value);
        done(&r);
    }
}

static void only_true_and_false_are_flags(void **state)
{
    (void)state;
    struct reading r;
    bool           y = false;
    read_text(&r, "[true, False, yes, no, 1, 'true', on]");
    assert_true(yaml_get_bool(at(r.root, "0"), &y) && y);
    assert_true(yaml_get_bool(at(r.root, "1"), &y) && !y);
    for (int i = 2; i < 7; i++)
        assert_false(yaml_get_bool(r.root->entry[i].value, &y));
    done(&r);
}

static void a_text_that_was_put_reads_back(void **state)
{
    (void)state;
    const char    *text = "a \"b\"\\ \n\t\x01 \xf0\x9f\x98\x80 # : - {";
    char          *put = NULL;
    size_t         size = 0;
    struct reading r;
    FILE          *out = open_memstream(&put, &size);
    yaml_put_text(out, text);
    fclose(out);
    read_bytes(&r, put, size);
    assert_string_equal(yaml_get_text(r.root), text);
    done(&r);
    free(put);
}

// ------ noise

static void cut_and_random_texts_never_crash(void **state)
{
    (void)state;
    static const char text[] = "a: &a {x: 1, y: [2, 'z']}\nb:\n  <<: [*a, *a]\n  x: ${v}\n"
                               "c: |\n  text\nd: \"\\u00e9\"\n";
    struct reading    r;
    struct rng        rng;
    for (size_t cut = 0; cut < sizeof text; cut++) {
        read_bytes(&r, text, cut);
        done(&r);
    }
    rng_init(&rng, 3, RNG_TEST, 0);
    for (int round = 0; round < 5000; round++) {
        char noise[sizeof text];
        memcpy(noise, text, sizeof text);
        for (int i = 0; i < 3; i++)
            noise[rng_below(&rng, sizeof text)] = "{}[]&*<:-,'\"\n |a#!%?"[rng_below(&rng, 20)];
        read_bytes(&r, noise, sizeof text - 1);
        done(&r);
        for (size_t i = 0; i < sizeof text; i++)
            noise[i] = (char)rng_below(&rng, 256);
        read_bytes(&r, noise, sizeof text);
        done(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_lists_and_scalars_keep_their_lines),
        cmocka_unit_test(json_is_yaml),
        cmocka_unit_test(aliases_are_copies),
        cmocka_unit_test(a_map_wins_over_what_it_merges),
        cmocka_unit_test(a_quoted_merge_key_is_a_key),
        cmocka_unit_test(repeated_keys_are_reported_once_with_both_lines),
        cmocka_unit_test(bad_texts_are_reported_with_their_line),
        cmocka_unit_test(an_alias_inside_its_anchor_is_refused),
        cmocka_unit_test(alias_bombs_are_refused),
        cmocka_unit_test(bombs_of_long_text_are_refused),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(long_texts_lists_and_maps_are_refused),
        cmocka_unit_test(a_long_line_of_many_keys_is_read),
        cmocka_unit_test(numbers_are_numbers_or_nothing),
        cmocka_unit_test(whole_numbers_are_exact),
        cmocka_unit_test(only_true_and_false_are_flags),
        cmocka_unit_test(a_text_that_was_put_reads_back),
        cmocka_unit_test(cut_and_random_texts_never_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
