#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, int code, const char *format, ...)
{
    if (err == NULL)
        return code;
    err->code = code;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return code;
}

int error_prefix(struct error *err, const char *format, ...)
{
    char    prefix[256];
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix - 2, format, args);
    va_end(args);
    strcat(prefix, ": ");
    size_t n = strlen(prefix), room = sizeof err->text - 1 - n, old = strlen(err->text);
    if (old > room)
        old = room;
    memmove(err->text + n, err->text, old);
    memcpy(err->text, prefix, n);
    err->text[n + old] = '\0';
    return err->code;
}
