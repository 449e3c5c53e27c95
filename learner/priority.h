// Priorities of replay rows: a sum tree over p^alpha, for proportional sampling.
//
//   P(i) = leaf_i / sum of all leaves, leaf = p^alpha          p = |td error| + epsilon
//   a new row's p is the largest ever set, 1 before any
//   weight_i = (size P(i))^-beta, divided by the batch's largest
//
// The tree is padded with zero leaves to a power of two, so the order of the cumulative sum is the
// order of the rows; a parent is always exactly the sum of its children. Not thread-safe.
// Source: Schaul et al. 2016, arXiv:1511.05952, section 3.3.
#ifndef LEARNER_PRIORITY_H
#define LEARNER_PRIORITY_H

#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

struct priority {
    size_t  capacity;  // N rows
    size_t  leaves;    // power of two >= N
    double  alpha, epsilon;
    double  largest;  // p, not p^alpha, ever set
    double *tree;     // (2 leaves)  node k has children 2k and 2k + 1; row i is node leaves + i
};

// All leaves 0.
//
//   returns  0 or ERR_MEMORY
int  priority_init(struct priority *p, size_t capacity, double alpha, double epsilon,
                   struct error *err);
void priority_free(struct priority *p);

// Row `index` is new: it gets the largest priority.
void priority_insert(struct priority *p, size_t index);

// Rows for n points u (n) in [0, 1): row j is drawn from the j-th of n equal parts of the sum
// (stratified). Requires a sum above 0; never gives a row whose leaf is 0.
void priority_draw(const struct priority *p, uint64_t *index, const double *u, size_t n);

// The first row whose cumulative sum exceeds s, 0 <= s < sum.
size_t priority_find(const struct priority *p, double s);

// Importance weights of drawn rows; size: rows in the replay. beta >= 0.
void priority_weights(const struct priority *p, float *weight, const uint64_t *index, size_t n,
                      size_t size, double beta);

// New priorities from the rows' errors, in order: of equal indices the last wins. An error that is not
// finite leaves its row as it is.
void priority_update(struct priority *p, const uint64_t *index, const float *error, size_t n);

// Sum of all leaves.
double priority_total(const struct priority *p);

// The leaves (N), which a checkpoint holds together with `largest`; after writing to them, rebuild.
double *priority_leaves(struct priority *p);
void    priority_rebuild(struct priority *p);

#endif
