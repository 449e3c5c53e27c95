#include "learner/table.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// the line of names, cut at its commas
static int table_names(struct table *t, char *line, const char *path, struct error *err)
{
    line[strcspn(line, "\r\n")] = '\0';
    t->header = strdup(line);
    if (t->header == NULL)
        return error_set(err, ERR_MEMORY, "%s: no memory", path);
    t->columns = 1;
    for (char *p = t->header; (p = strchr(p, ',')) != NULL; t->columns++)
        *p++ = '\0';
    return 0;
}

static int table_row(struct table *t, size_t *capacity, char *line, const char *path,
                     struct error *err)
{
    if (t->rows == *capacity) {
        size_t  more = *capacity > 0 ? 2 * *capacity : 256;
        double *values = realloc(t->values, more * t->columns * sizeof *values);
        if (values == NULL)
            return error_set(err, ERR_MEMORY, "%s: no memory for %zu rows", path, more);
        t->values = values;
        *capacity = more;
    }
    double *row = t->values + t->rows++ * t->columns;
    for (size_t i = 0; i < t->columns; i++) {
        char *end = line;
        row[i] = line != NULL ? strtod(line, &end) : NAN;
        if (line == NULL || end == line)
            row[i] = NAN;
        line = line != NULL ? strchr(line, ',') : NULL;
        line = line != NULL ? line + 1 : NULL;
    }
    return 0;
}

int table_read(struct table *t, const char *path, struct error *err)
{
    size_t size = 0, capacity = 0;
    char  *line = NULL;
    int    code = 0;
    FILE  *file = fopen(path, "r");
    *t = (struct table){.rows = 0};
    if (file == NULL)
        return error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
    for (ssize_t n; code == 0 && (n = getline(&line, &size, file)) > 0;) {
        if (line[0] == '#' || line[n - 1] != '\n')
            continue;
        code = t->header == NULL ? table_names(t, line, path, err)
                                 : table_row(t, &capacity, line, path, err);
    }
    if (code == 0 && t->header == NULL)
        code = error_set(err, ERR_FORMAT, "%s: has no line of column names", path);
    free(line);
    fclose(file);
    return code;
}

void table_free(struct table *t)
{
    free(t->values);
    free(t->header);
    *t = (struct table){.rows = 0};
}

long table_column(const struct table *t, const char *name)
{
    const char *p = t->header;
    for (size_t i = 0; i < t->columns; i++, p += strlen(p) + 1)
        if (strcmp(p, name) == 0)
            return (long)i;
    return -1;
}

double table_at(const struct table *t, size_t row, long column)
{
    return column >= 0 ? t->values[row * t->columns + (size_t)column] : NAN;
}
