#include "common/problems.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void problems_init(struct problems *p, const char *file)
{
    memset(p, 0, sizeof *p);
    snprintf(p->file, sizeof p->file, "%s", file);
}

void problems_free(struct problems *p)
{
    free(p->item);
    memset(p, 0, sizeof *p);
}

// room for one more; a problem that finds none is still counted
static bool problems_grow(struct problems *p)
{
    if (p->kept < p->room)
        return true;
    size_t          room = p->room == 0 ? 8 : 2 * p->room;
    struct problem *bigger =
        p->kept < PROBLEMS_MAX ? realloc(p->item, room * sizeof *bigger) : NULL;
    if (bigger == NULL)
        return false;
    p->item = bigger;
    p->room = room;
    return true;
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

    for (size_t i = 0; i < p->kept; i++)
        if (p->item[i].line == line && strcmp(p->item[i].text, new.text) == 0)
            return;
    if (problems_grow(p))
        p->item[p->kept++] = new;
    p->n++;
}

// insertion keeps the order of problems of one line
static void problems_sort(struct problems *p)
{
    for (size_t i = 1; i < p->kept; i++) {
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
    size_t used = 0, shown = 0;
    for (; shown < p->kept; shown++) {
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
    text[used > 0 ? used - 1 : 0] = '\0';
    return error_set(err, ERR_SPEC, "%s", text);
}
