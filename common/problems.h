// What is wrong with a file, all of it: the list behind "every error in one run".
//
// One line a problem, file:line: path: text, in the order of lines. Not thread-safe.
#ifndef COMMON_PROBLEMS_H
#define COMMON_PROBLEMS_H

#include "common/error.h"

#include <stddef.h>

enum { PROBLEMS_MAX = 256, PROBLEM_TEXT = 512 };

// The line of what no file said but a --set: it is shown in place of file and line.
enum { PROBLEM_SET = -1 };

struct problem {
    int  line;                // from 1; 0: of the file as a whole; PROBLEM_SET
    char text[PROBLEM_TEXT];  // "path: what is wrong, what is allowed"
};

struct problems {
    char            file[256];   // label that starts every line
    size_t          n;           // found
    size_t          kept, room;  // how many of them are in item, and how many fit
    struct problem *item;        // (kept)  at most PROBLEMS_MAX
};

// An empty list; it owns p->item until problems_free.
void problems_init(struct problems *p, const char *file);
void problems_free(struct problems *p);

// Adds one. path may be empty, then the text stands alone. The same line and text again is no
// second problem: what an anchor holds is read once for each alias.
void problems_add(struct problems *p, int line, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

// Puts all problems into err, one a line, sorted by line of the file.
//
//   returns  0 when there are none, or ERR_SPEC
int problems_error(struct problems *p, struct error *err);

#endif
