// A CSV file that grows by complete rows: each row is one write at the end of the file, and a row
// that the disk takes only in part is taken back. Nothing is held open between rows.
//
// Numbers are written with up to 10 digits, NAN and infinities as empty cells. Not thread-safe.
#ifndef LEARNER_CSV_H
#define LEARNER_CSV_H

#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

enum { CSV_PATH = 1024, CSV_LINE = 4096, CSV_COLUMNS = 64 };

struct csv {
    char   path[CSV_PATH];
    size_t used;            // of line
    char   line[CSV_LINE];  // the row that is being made
};

// One row of a file that was there already, values (n): empty or unreadable cells are NAN.
typedef void csv_row_fn(void *context, const double *values, size_t n);

// Makes path with header (complete lines; the last one names the columns), or goes on with the file
// that is there: an incomplete last row is cut off, and so are the first row whose column `key` is
// greater than limit and all after it. row (may be NULL) sees every row that stays.
//
//   returns  0, ERR_SYSTEM, or ERR_FORMAT when the file that is there has other columns
int csv_open(struct csv *c, const char *path, const char *header, size_t key, double limit,
             csv_row_fn *row, void *context, struct error *err);

// Adds a cell to the row.
void csv_number(struct csv *c, double value);
void csv_count(struct csv *c, uint64_t value);

// Writes the row.
//
//   returns  0 or ERR_SYSTEM; the file then is as before and the row is gone
int csv_end(struct csv *c, struct error *err);

#endif
