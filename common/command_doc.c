#include "common/command_doc.h"

#include <ctype.h>
#include <string.h>

// ------ man page

// text for troff: no dash becomes a hyphen, no line becomes a request
static void man_text(FILE *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", out);
    for (; *text != '\0'; text++) {
        if (*text == '-')
            fputs("\\-", out);
        else if (*text == '\\')
            fputs("\\e", out);
        else
            putc(*text, out);
    }
}

static void man_option(FILE *out, const struct command_option *o)
{
    fputs(".TP\n\\fB\\-\\-", out);
    man_text(out, o->name);
    fputs("\\fR", out);
    if (o->value != NULL) {
        fputs(" \\fI", out);
        man_text(out, o->value);
        fputs("\\fR", out);
    }
    putc('\n', out);
    man_text(out, o->help);
    putc('\n', out);
}

static void man_command(FILE *out, const struct command *c)
{
    fputs(".SS \"", out);
    man_text(out, c->name);
    fputs(c->operands[0] != '\0' ? " " : "", out);
    man_text(out, c->operands);
    fputs("\"\n", out);
    man_text(out, c->summary);
    putc('\n', out);
    for (size_t i = 0; i < c->n_options; i++)
        man_option(out, &c->options[i]);
}

static void man_write(FILE *out, const struct program *program)
{
    fputs(".TH ", out);
    for (const char *p = program->name; *p != '\0'; p++)
        putc(toupper((unsigned char)*p), out);
    fputs(" 1 \"\" crossfleet \"User commands\"\n.SH NAME\n", out);
    man_text(out, program->name);
    fputs(" \\- ", out);
    man_text(out, program->summary);
    fputs("\n.SH SYNOPSIS\n.B ", out);
    man_text(out, program->name);
    fputs("\n.I COMMAND\n[options]\n.SH COMMANDS\n", out);
    for (size_t i = 0; i < program->n_commands; i++)
        man_command(out, &program->commands[i]);
    fputs(".SH EXIT STATUS\n0 done, 1 failed while running, 2 usage or spec error, 130 or 143 "
          "stopped by "
          "SIGINT or SIGTERM.\n",
          out);
}

// ------ bash

static void bash_words(FILE *out, const struct command *c)
{
    for (size_t i = 0; i < c->n_options; i++)
        fprintf(out, "--%s ", c->options[i].name);
    fputs("--help", out);
}

// the name as a shell function's: dashes become underscores
static void shell_function(FILE *out, const char *name)
{
    putc('_', out);
    for (; *name != '\0'; name++)
        putc(isalnum((unsigned char)*name) ? *name : '_', out);
}

static void bash_write(FILE *out, const struct program *program)
{
    shell_function(out, program->name);
    fputs("()\n{\n    local word=${COMP_WORDS[COMP_CWORD]} options=\n    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W \"",
          out);
    for (size_t i = 0; i < program->n_commands; i++)
        fprintf(out, "%s ", program->commands[i].name);
    fputs(
        "--help --version\" -- \"$word\"))\n        return\n    fi\n    case ${COMP_WORDS[1]} in\n",
        out);
    for (size_t i = 0; i < program->n_commands; i++) {
        fprintf(out, "    %s) options=\"", program->commands[i].name);
        bash_words(out, &program->commands[i]);
        fputs("\" ;;\n", out);
    }
    fputs(
        "    esac\n    case $word in\n    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) "
        ";;\n"
        "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n    esac\n}\ncomplete -o filenames -F ",
        out);
    shell_function(out, program->name);
    fprintf(out, " %s\n", program->name);
}

// ------ zsh

// text inside single quotes and, for _arguments, inside brackets
static void zsh_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fputs("'\\''", out);
        else if (strchr("[]:\\", *text) != NULL)
            fprintf(out, "\\%c", *text);
        else
            putc(*text, out);
    }
}

static void zsh_option(FILE *out, const struct command_option *o)
{
    fprintf(out, " \\\n            '%s--%s[", o->kind == OPTION_LIST ? "*" : "", o->name);
    zsh_text(out, o->help);
    putc(']', out);
    if (o->value != NULL) {
        putc(':', out);
        zsh_text(out, o->value);
        fputs(strstr(o->value, "DIR") != NULL || strstr(o->value, "FILE") != NULL ? ":_files" : ":",
              out);
    }
    putc('\'', out);
}

static void zsh_write(FILE *out, const struct program *program)
{
    fprintf(out, "#compdef %s\n", program->name);
    shell_function(out, program->name);
    fputs("()\n{\n    local -a commands\n    commands=(\n", out);
    for (size_t i = 0; i < program->n_commands; i++) {
        fprintf(out, "        '%s:", program->commands[i].name);
        zsh_text(out, program->commands[i].summary);
        fputs("'\n", out);
    }
    fputs("    )\n    if (( CURRENT == 2 )); then\n        _describe command commands\n        "
          "return\n"
          "    fi\n    case $words[2] in\n",
          out);
    for (size_t i = 0; i < program->n_commands; i++) {
        const struct command *c = &program->commands[i];
        fprintf(out, "    %s)\n        shift words\n        (( CURRENT-- ))\n        _arguments",
                c->name);
        for (size_t k = 0; k < c->n_options; k++)
            zsh_option(out, &c->options[k]);
        fputs(" \\\n            '*:operand:_files' ;;\n", out);
    }
    fputs("    esac\n}\n", out);
    shell_function(out, program->name);
    fputs(" \"$@\"\n", out);
}

// ------ API

bool command_doc_write(const struct program *program, const char *option, FILE *out)
{
    if (strcmp(option, "--man") == 0)
        man_write(out, program);
    else if (strcmp(option, "--completion-bash") == 0)
        bash_write(out, program);
    else if (strcmp(option, "--completion-zsh") == 0)
        zsh_write(out, program);
    else
        return false;
    return true;
}
