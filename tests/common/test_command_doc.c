// Man page and completions, as the programs that read them take them.
#include "common/command_doc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct command_option options[] = {
    {"set", "KEY=VALUE", OPTION_LIST, 0, "change a key; [may] be repeated: it's \\ allowed"},
    {"run", "DIR", OPTION_TEXT, 0, ".hidden directories too"},
    {"resume", NULL, OPTION_FLAG, 0, "go on"},
};

static const struct command commands[] = {
    {"train", "SPEC[:NAME]", 1, 1, "train a policy", options, 3, NULL},
    {"status", "URL", 1, 1, "one screen", NULL, 0, NULL},
};

static const struct program program = {
    .name = "cross-test", .summary = "Trains.", .commands = commands, .n_commands = 2};

static char text[16384];

static char path[] = "/tmp/crossfleet-doc-XXXXXX";

static void write_doc(const char *option)
{
    strcpy(path + strlen(path) - 6, "XXXXXX");
    FILE *file = fdopen(mkstemp(path), "w+");
    assert_non_null(file);
    assert_true(command_doc_write(&program, option, file));
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
}

// what a shell command that gets the file as $1 prints; fails unless it exits 0
static void read_by(const char *command)
{
    char  line[1024];
    FILE *out;
    snprintf(line, sizeof line, "set -- %s; { %s; } 2>&1", path, command);
    out = popen(line, "r");
    assert_non_null(out);
    text[fread(text, 1, sizeof text - 1, out)] = '\0';
    int status = pclose(out);
    unlink(path);
    if (status != 0)
        fail_msg("%s: %s", command, text);
}

static void the_man_page_names_every_command_and_option(void **state)
{
    (void)state;
    write_doc("--man");
    assert_non_null(strstr(text, ".TH CROSS-TEST 1"));
    assert_non_null(strstr(text, ".SS \"train SPEC[:NAME]\"\ntrain a policy\n"));
    assert_non_null(strstr(text, "\\fB\\-\\-set\\fR \\fIKEY=VALUE\\fR\n"));
    assert_non_null(strstr(text, "\n\\&.hidden"));
    assert_non_null(strstr(text, "it's \\e allowed"));
    if (system("command -v groff >/dev/null 2>&1") == 0) {
        read_by("groff -man -Tascii -P-cbou -ww $1");
        assert_null(strstr(text, "warning"));
        assert_non_null(strstr(text, "SYNOPSIS"));
    }
    unlink(path);
}

static void bash_completes_commands_options_and_files(void **state)
{
    (void)state;
    write_doc("--completion-bash");
    read_by(
        "bash -c '. $1; COMP_WORDS=(cross-test s); COMP_CWORD=1; _cross_test; "
        "echo \"${COMPREPLY[@]}\"; COMP_WORDS=(cross-test train --re); COMP_CWORD=2; _cross_test; "
        "echo \"${COMPREPLY[@]}\"; COMP_WORDS=(cross-test train /et); _cross_test; "
        "echo \"${COMPREPLY[@]}\"' - $1");
    assert_string_equal(text, "status\n--resume\n/etc\n");
}

static void zsh_reads_its_completion(void **state)
{
    (void)state;
    write_doc("--completion-zsh");
    assert_non_null(strstr(text, "#compdef cross-test\n"));
    assert_non_null(
        strstr(text, "'*--set[change a key; \\[may\\] be repeated\\: it'\\''s \\\\ allowed]"));
    assert_non_null(strstr(text, "'--run[.hidden directories too]:DIR:_files'"));
    if (system("command -v zsh >/dev/null 2>&1") == 0)
        read_by("zsh -n $1");
    unlink(path);
}

static void other_options_are_left_to_the_caller(void **state)
{
    (void)state;
    assert_false(command_doc_write(&program, "--help", stdout));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_man_page_names_every_command_and_option),
        cmocka_unit_test(bash_completes_commands_options_and_files),
        cmocka_unit_test(zsh_reads_its_completion),
        cmocka_unit_test(other_options_are_left_to_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
