// A program's table of commands as a man page and as completions for bash and zsh, so that they never
// say anything else than --help does.
#ifndef COMMON_COMMAND_DOC_H
#define COMMON_COMMAND_DOC_H

#include "common/command.h"

#include <stdbool.h>
#include <stdio.h>

// Writes what one of --man, --completion-bash, --completion-zsh asks for (make install uses them).
//
//   returns  false when option is none of these
bool command_doc_write(const struct program *program, const char *option, FILE *out);

#endif
