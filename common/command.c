#include "common/command.h"

#include "common/command_doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char *program_invocation_name;  // argv[0], by the C library

static void *member(void *options, const struct command_option *o)
{
    return (char *)options + o->offset;
}

// ------ help

static void option_help(const struct command_option *o, FILE *out)
{
    char left[48];
    snprintf(left, sizeof left, "--%s%s%s", o->name, o->value != NULL ? " " : "",
             o->value != NULL ? o->value : "");
    fprintf(out, "  %-26s %s\n", left, o->help);
}

static void command_help(const struct program *program, const struct command *c, FILE *out)
{
    fprintf(out, "usage: %s %s%s%s%s\n\n%s\n", program->name, c->name,
            c->operands[0] != '\0' ? " " : "", c->operands, c->n_options > 0 ? " [options]" : "",
            c->summary);
    if (c->n_options > 0)
        fprintf(out, "\noptions:\n");
    for (size_t i = 0; i < c->n_options; i++)
        option_help(&c->options[i], out);
}

static void program_help(const struct program *program, FILE *out)
{
    fprintf(out, "usage: %s COMMAND [options]\n\n%s\n\ncommands:\n", program->name,
            program->summary);
    for (size_t i = 0; i < program->n_commands; i++)
        fprintf(out, "  %-10s %s\n", program->commands[i].name, program->commands[i].summary);
    fprintf(out, "\n%s COMMAND --help shows a command's options; --version the versions.\n",
            program->name);
}

// ------ parsing

static int number_parse(uint64_t *value, const char *option, const char *text, struct error *err)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0)
        return error_set(err, ERR_SPEC, "--%s: '%s' is not a whole number", option, text);
    *value = v;
    return 0;
}

static int list_add(struct command_list *list, const char *what, const char *text,
                    struct error *err)
{
    if (list->n == COMMAND_LIST)
        return error_set(err, ERR_SPEC, "more than %d of %s", COMMAND_LIST, what);
    list->item[list->n++] = text;
    return 0;
}

static const struct command_option *option_find(const struct command *c, const char *name,
                                                size_t size)
{
    for (size_t i = 0; i < c->n_options; i++) {
        const char *known = c->options[i].name;
        if (strlen(known) == size && memcmp(known, name, size) == 0)
            return &c->options[i];
    }
    return NULL;
}

// takes argv[*i] ("--name", "--name=value" or "--name" "value")
static int option_take(const struct program *program, const struct command *c, int argc,
                       char **argv, int *i, void *options, struct error *err)
{
    const char                  *name = argv[*i] + 2;
    const char                  *equals = strchr(name, '=');
    size_t                       size = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const struct command_option *o = option_find(c, name, size);
    if (o == NULL)
        return error_set(err, ERR_SPEC, "unknown option --%.*s; see %s %s --help", (int)size, name,
                         program->name, c->name);
    if (o->kind == OPTION_FLAG) {
        if (equals != NULL)
            return error_set(err, ERR_SPEC, "--%s takes no value", o->name);
        *(bool *)member(options, o) = true;
        return 0;
    }
    const char *text = equals != NULL ? equals + 1 : *i + 1 < argc ? argv[++*i] : NULL;
    if (text == NULL)
        return error_set(err, ERR_SPEC, "--%s needs %s", o->name, o->value);
    if (o->kind == OPTION_NUMBER)
        return number_parse(member(options, o), o->name, text, err);
    if (o->kind == OPTION_LIST)
        return list_add(member(options, o), argv[*i], text, err);
    *(const char **)member(options, o) = text;
    return 0;
}

static int command_find(const struct program *program, const char *name,
                        const struct command **command, struct error *err)
{
    char known[256] = "";
    for (size_t i = 0; i < program->n_commands; i++) {
        *command = &program->commands[i];
        if (strcmp((*command)->name, name) == 0)
            return 0;
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, "%s%s", i > 0 ? ", " : "", (*command)->name);
    }
    *command = NULL;
    return error_set(err, ERR_SPEC, "unknown command '%s'; known: %s", name, known);
}

int program_parse(const struct program *program, int argc, char **argv, void *options,
                  const struct command **command, struct error *err)
{
    *command = NULL;
    if (argc < 2)
        return error_set(err, ERR_SPEC, "no command; see %s --help", program->name);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        program_help(program, stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        program->version(stdout);
        return 0;
    }
    if (command_doc_write(program, argv[1], stdout))
        return 0;
    const struct command *c;
    if (command_find(program, argv[1], &c, err) < 0)
        return ERR_SPEC;
    struct command_list *operands = options;
    bool                 only_operands = false;
    for (int i = 2; i < argc; i++) {
        int rc = 0;
        if (!only_operands && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            command_help(program, c, stdout);
            return 0;
        }
        if (!only_operands && strcmp(argv[i], "--") == 0)
            only_operands = true;
        else if (!only_operands && strcmp(argv[i], "-o") == 0) {
            argv[i] = "--output";
            rc = option_take(program, c, argc, argv, &i, options, err);
        } else if (!only_operands && strncmp(argv[i], "--", 2) == 0)
            rc = option_take(program, c, argc, argv, &i, options, err);
        else
            rc = list_add(operands, "operands", argv[i], err);
        if (rc < 0)
            return rc;
    }
    if (operands->n < c->min || operands->n > c->max)
        return error_set(err, ERR_SPEC, "usage: %s %s %s; see %s %s --help", program->name, c->name,
                         c->operands, program->name, c->name);
    *command = c;
    return 0;
}

int program_exit(int code)
{
    return code == 0 ? EXIT_DONE : code == ERR_SPEC ? EXIT_USAGE : EXIT_FAILED;
}

size_t program_directory(char *text, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", text, size - 1);
    text[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(text, '/');
    if (slash == NULL)
        return 0;
    slash[1] = '\0';
    return (size_t)(slash + 1 - text);
}

void program_folder(char *text, size_t size)
{
    const char *slash = strrchr(program_invocation_name, '/');
    int         n = slash == NULL ? 0 : (int)(slash + 1 - program_invocation_name);
    snprintf(text, size, "%.*s", n, program_invocation_name);
}

int program_main(const struct program *program, int argc, char **argv, void *options)
{
    struct error          err = {0};
    const struct command *command;
    int                   code = EXIT_USAGE;
    if (program_parse(program, argc, argv, options, &command, &err) == 0)
        code = command != NULL ? command->run(options, &err) : EXIT_DONE;
    if (err.code != 0)
        fprintf(stderr, "%s: %s\n", program->name, err.text);
    return code;
}
