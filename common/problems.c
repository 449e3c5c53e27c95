#include "common/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int problems_init(struct problems *p, const char *file, struct error *err)
{
    memset(p, 0, sizeof *p);
    snprintf(p->file, sizeof p->file, "%s", file);
    p->item = calloc(PROBLEMS_MAX, sizeof *p->item);
    if (p->item == NULL)
        return error_set(err, ERR_MEMORY, "%s: no memory to check it", file);
    return 0;
}

void problems_free(struct problems *p)
{
    free(p->item);
    p->item = NULL;
    p->n = 0;
}

static size_t problems_kept(const struct problems *p)
{
    return p->n < PROBLEMS_MAX ? p->n : PROBLEMS_MAX;
}

void problems_add(struct problems *p, int line, const char *path, const char *format, ...)
{
    struct problem new = {.line = line};
    int n = 0;
    if (path[0] != '\0')
        n = snprintf(new.text, sizeof new.text, "%s: ", path);
    if (n < 0 || (size_t)n >= sizeof new.text)
        n = 0;
    va_list args;
    va_start(args, format);
    vsnprintf(new.text + n, sizeof new.text - (size_t)n, format, args);
    va_end(args);

    size_t kept = problems_kept(p);
    for (size_t i = 0; i < kept; i++)
        if (p->item[i].line == line && strcmp(p->item[i].text, new.text) == 0)
            return;
    if (kept < PROBLEMS_MAX)
        p->item[kept] = new;
    p->n++;
}

// insertion keeps the order of problems of one line
static void problems_sort(struct problems *p)
{
    size_t kept = problems_kept(p);
    for (size_t i = 1; i < kept; i++) {
        struct problem x = p->item[i];
        size_t         j = i;
        for (; j > 0 && p->item[j - 1].line > x.line; j--)
            p->item[j] = p->item[j - 1];
        p->item[j] = x;
    }
}

static int problem_line(const struct problems *p, const struct problem *item, char *line,
                        size_t size)
{
    if (item->line > 0)
        return snprintf(line, size, "%s:%d: %s\n", p->file, item->line, item->text);
    return snprintf(line, size, "%s: %s\n", item->line == PROBLEM_SET ? "--set" : p->file,
                    item->text);
}

int problems_error(struct problems *p, struct error *err)
{
    if (p->n == 0)
        return 0;
    problems_sort(p);
    char   text[ERROR_TEXT] = "";
    size_t used = 0, kept = problems_kept(p), shown = 0;
    for (; shown < kept; shown++) {
        char line[sizeof p->file + PROBLEM_TEXT + 32];
        int  n = problem_line(p, &p->item[shown], line, sizeof line);
        // room for the line that counts the rest
        if (used + (size_t)n + 64 > sizeof text)
            break;
        memcpy(text + used, line, (size_t)n + 1);
        used += (size_t)n;
    }
    if (shown < p->n)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s: and %zu more\n", p->file,
                                 p->n - shown);
    text[used - 1] = '\0';
    return error_set(err, ERR_SPEC, "%s", text);
}
