// A program's commands and their options: one table makes the parser, --help and the man pages.
#ifndef COMMON_COMMAND_H
#define COMMON_COMMAND_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { COMMAND_LIST = 128 };

// Words of the command line, borrowed from argv.
struct command_list {
    size_t      n;
    const char *item[COMMAND_LIST];
};

enum option_kind {
    OPTION_FLAG,    // bool
    OPTION_TEXT,    // const char *
    OPTION_NUMBER,  // uint64_t, decimal digits
    OPTION_LIST,    // struct command_list, may be given several times
};

struct command_option {
    const char      *name;   // without the dashes
    const char      *value;  // what the help calls the value, NULL for a flag
    enum option_kind kind;
    size_t           offset;  // of the member in the program's options struct
    const char      *help;
};

struct command {
    const char                  *name;
    const char                  *operands;  // as the usage line shows them, "" for none
    size_t                       min, max;  // operands allowed
    const char                  *summary;   // one line
    const struct command_option *options;
    size_t                       n_options;
    // Does the work. Returns the exit code; a failure is explained in err.
    int (*run)(const void *options, struct error *err);
};

struct program {
    const char           *name;
    const char           *summary;
    const struct command *commands;
    size_t                n_commands;
    void (*version)(FILE *out);  // what --version prints
};

// Exit codes of every program.
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

// Parses argv[1..], fills options (a struct whose first member is a struct command_list: the
// operands) and finds the command. --help and --version print and set *command to NULL.
//
//   returns  0, or ERR_SPEC with the mistake and what is allowed
int program_parse(const struct program *program, int argc, char **argv, void *options,
                  const struct command **command, struct error *err);

// The exit code for 0 or an ERR_*: what the user wrote is EXIT_USAGE, all else EXIT_FAILED.
int program_exit(int code);

// Where this program lies, with a final slash: the others of an installation lie beside it.
//
//   returns  the length, 0: it cannot be told (errno) and text is ""
size_t program_directory(char *text, size_t size);

// The folder by which this program was called, with its slash, "" when PATH found it: a command that is
// shown to the user can be copied as it is.
void program_folder(char *text, size_t size);

// Parses, runs, prints the error if any.
//
//   returns  the exit code
int program_main(const struct program *program, int argc, char **argv, void *options);

#endif
