// One error, carried up to the caller that can act on it.
//
// The rule of the whole tree: a function that can fail because the world failed (file, peer,
// memory at start) returns 0 or a negative ERR_* and explains itself in a struct error that the
// caller owns; a program that is wrong asserts; hot paths return void. Only main exits.
#ifndef COMMON_ERROR_H
#define COMMON_ERROR_H

#define ERROR_TEXT 16384

enum {
    ERR_SYSTEM = -1,   // the operating system said no: file, socket, thread
    ERR_MEMORY = -2,   // memory or a limit of it
    ERR_SPEC = -3,     // a spec, an option or an argument of the user
    ERR_FORMAT = -4,   // bytes that are not what they should be: file or message
    ERR_VERSION = -5,  // two sides that do not fit each other
    ERR_NUMERIC = -6,  // a number that is not finite where it must be
    ERR_TIMEOUT = -7,  // nothing came in time
    ERR_STOPPED = -8,  // a stop was asked for
};

struct error {
    int  code;              // 0 or ERR_*
    char text[ERROR_TEXT];  // one or several lines for a person, without a final newline
};

// Fills err (NULL is allowed) with code and a printf text; a longer text is cut.
//
//   returns  code, so that callers write `return error_set(err, ERR_FORMAT, ...)`
int error_set(struct error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Puts "prefix: " before the text that err holds.
//
//   returns  err->code
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
