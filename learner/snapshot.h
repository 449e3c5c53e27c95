// What a running learner shows: gathers the numbers of its parts into l->status.
#ifndef LEARNER_SNAPSHOT_H
#define LEARNER_SNAPSHOT_H

#include <stdbool.h>

struct learner;

// Fills the first part of l->status. row: it becomes a row of progress.csv, so the policy lags of the
// next one are counted from here.
void snapshot_fill(struct learner *l, bool row);

#endif
