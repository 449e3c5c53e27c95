// The numbers of one interval by name: columns of progress.csv and tags of TensorBoard, in this order.
// The first ones have Stable-Baselines3's names, so its tools plot them.
#ifndef LEARNER_SCALAR_H
#define LEARNER_SCALAR_H

#include "learner/status.h"

#include <stddef.h>

struct scalar {
    const char *name;
    double (*value)(const struct status *s);  // NAN: not known
};

// The table and its length; scalar 0 is the environment steps, scalar 1 the seconds.
const struct scalar *scalar_table(size_t *n);

// "a,b,...\n" of all names.
void scalar_header(char *text, size_t size);

#endif
