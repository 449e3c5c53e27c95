#include "common/log.h"

#include "common/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOG_LINE 2048

static struct {
    char           role[32];
    enum log_level level;
    bool           json;
    void (*before)(void);
    void (*after)(void);
} logger = {.role = "crossfleet", .level = LOG_INFO};

static const char *const log_names[] = {"debug", "info", "warn", "error"};

void log_open(const char *role, enum log_level level, bool json)
{
    snprintf(logger.role, sizeof logger.role, "%s", role);
    logger.level = level;
    logger.json = json;
}

void log_set_hooks(void (*before)(void), void (*after)(void))
{
    logger.before = before;
    logger.after = after;
}

// text as the inside of a JSON string; what does not fit is cut
static void log_escape(char *out, size_t size, const char *text)
{
    size_t n = 0;
    for (; *text != '\0' && n + 7 < size; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            n += (size_t)snprintf(out + n, size - n, "\\%c", c);
        else if (c < 0x20)
            n += (size_t)snprintf(out + n, size - n, "\\u%04x", (unsigned)c);
        else
            out[n++] = (char)c;
    }
    out[n] = '\0';
}

void log_write(enum log_level level, const char *area, const char *format, ...)
{
    if (level < logger.level)
        return;
    char    text[LOG_LINE], line[2 * LOG_LINE + 256], when[32];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    clock_format(when, sizeof when, clock_wall(), 0);

    int n;
    if (logger.json) {
        char escaped[2 * LOG_LINE];
        log_escape(escaped, sizeof escaped, text);
        n = snprintf(line, sizeof line,
                     "{\"time\":\"%s\",\"level\":\"%s\",\"role\":\"%s\",\"area\":\"%s\","
                     "\"text\":\"%s\"}\n",
                     when, log_names[level], logger.role, area, escaped);
    } else {
        n = snprintf(line, sizeof line, "%s %s %s %s: %s\n", when, log_names[level], logger.role,
                     area, text);
    }
    if (logger.before != NULL)
        logger.before();
    // a log that cannot be written must not stop the program
    ssize_t written = write(STDERR_FILENO, line, (size_t)n);
    (void)written;
    if (logger.after != NULL)
        logger.after();
}

bool log_limit_pass(struct log_limit *limit, unsigned long long *suppressed)
{
    double now = clock_now();
    if (now < limit->next) {
        limit->suppressed++;
        return false;
    }
    *suppressed = limit->suppressed;
    limit->suppressed = 0;
    limit->next = now + 1.0;
    return true;
}
