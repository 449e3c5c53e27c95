#include "learner/csv.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// ---------------------------------------------------------------- reading back

// the line of header that names the columns
static const char *csv_columns_line(const char *header)
{
    const char *line = header;
    for (const char *p = header; *p != '\0'; p++)
        if (*p == '\n' && p[1] != '\0')
            line = p + 1;
    return line;
}

static size_t csv_parse(double *values, char *line)
{
    size_t n = 0;
    for (char *cell = line; cell != NULL && n < CSV_COLUMNS; n++) {
        char *comma = strchr(cell, ',');
        if (comma != NULL)
            *comma++ = '\0';
        char *end;
        values[n] = strtod(cell, &end);
        if (end == cell)
            values[n] = NAN;
        cell = comma;
    }
    return n;
}

// Reads what is there; *keep gets the length of the part that stays, 0 when the header is incomplete.
static int csv_scan(FILE *file, const struct csv *c, const char *header, size_t key, double limit,
                    csv_row_fn *row, void *context, off_t *keep, struct error *err)
{
    char        line[CSV_LINE];
    double      values[CSV_COLUMNS];
    const char *columns = csv_columns_line(header);
    bool        in_rows = false;
    *keep = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        size_t length = strlen(line);
        if (line[length - 1] != '\n')
            break;
        if (in_rows) {
            line[length - 1] = '\0';
            size_t n = csv_parse(values, line);
            if (key < n && values[key] > limit)
                break;
            if (row != NULL)
                row(context, values, n);
        } else if (strcmp(line, columns) == 0) {
            in_rows = true;
        } else if (line[0] != '#') {
            return error_set(err, ERR_FORMAT, "%s: has other columns than this version writes",
                             c->path);
        }
        *keep += (off_t)length;
    }
    if (!in_rows)
        *keep = 0;
    return 0;
}

// ---------------------------------------------------------------- writing

// all of data at the end of the file, or nothing
static int csv_append(const char *path, const char *data, size_t size, struct error *err)
{
    struct stat before;
    int         fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || fstat(fd, &before) != 0) {
        int e = errno;
        if (fd >= 0)
            close(fd);
        return error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(e));
    }
    ssize_t written = write(fd, data, size);
    int     code = 0;
    if (written != (ssize_t)size) {
        code = error_set(err, ERR_SYSTEM, "%s: %s", path,
                         written < 0 ? strerror(errno) : "no space left for a row");
        if (written > 0 && ftruncate(fd, before.st_size) != 0)
            code = error_set(err, ERR_SYSTEM, "%s: holds an incomplete row", path);
    }
    close(fd);
    return code;
}

int csv_open(struct csv *c, const char *path, const char *header, size_t key, double limit,
             csv_row_fn *row, void *context, struct error *err)
{
    *c = (struct csv){.used = 0};
    if ((size_t)snprintf(c->path, sizeof c->path, "%s", path) >= sizeof c->path)
        return error_set(err, ERR_SYSTEM, "%s: path too long", path);
    FILE *file = fopen(path, "r");
    off_t keep = 0;
    if (file == NULL && errno != ENOENT)
        return error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
    if (file != NULL) {
        int code = csv_scan(file, c, header, key, limit, row, context, &keep, err);
        fclose(file);
        if (code != 0)
            return code;
        if (truncate(path, keep) != 0)
            return error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
    }
    return keep > 0 ? 0 : csv_append(path, header, strlen(header), err);
}

static void csv_cell(struct csv *c, const char *text)
{
    size_t length = strlen(text);
    assert(c->used + length + 2 < CSV_LINE);
    if (c->used > 0)
        c->line[c->used++] = ',';
    memcpy(c->line + c->used, text, length);
    c->used += length;
}

void csv_number(struct csv *c, double value)
{
    char text[40] = "";
    if (isfinite(value))
        snprintf(text, sizeof text, "%.10g", value);
    csv_cell(c, text);
}

void csv_count(struct csv *c, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    csv_cell(c, text);
}

int csv_end(struct csv *c, struct error *err)
{
    c->line[c->used++] = '\n';
    int code = csv_append(c->path, c->line, c->used, err);
    c->used = 0;
    return code;
}
