// A CSV file of numbers as a whole in memory: what report reads of a run directory.
#ifndef LEARNER_TABLE_H
#define LEARNER_TABLE_H

#include "common/error.h"

#include <stddef.h>

struct table {
    size_t  rows, columns;
    double *values;  // (rows, columns)  NAN: empty
    char   *header;  // names, each ended by NUL
};

// Reads path: '#' lines, a line of names, rows. An incomplete last row is left out.
//
//   returns  0, ERR_SYSTEM, ERR_FORMAT or ERR_MEMORY; t is then safe to free
//   owns     t's memory, until table_free
int  table_read(struct table *t, const char *path, struct error *err);
void table_free(struct table *t);

// The column of that name, or -1.
long table_column(const struct table *t, const char *name);

// Value at (row, column); NAN for column -1.
double table_at(const struct table *t, size_t row, long column);

#endif
