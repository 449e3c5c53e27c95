// evaluations.npz: every episode of every evaluation, with the names of Stable-Baselines3's
// EvalCallback, so that numpy.load and its plotting tools read it.
//
//   timesteps   (n)     int64      environment steps at each evaluation
//   results     (n, E)  float64    returns of its episodes
//   ep_lengths  (n, E)  int64      their steps
//
// The file is a zip archive of stored .npy files, written anew with each evaluation. Not thread-safe.
// Source: numpy.lib.format (version 1.0) and APPNOTE.TXT of the zip format.
#ifndef LEARNER_EVAL_NPZ_H
#define LEARNER_EVAL_NPZ_H

#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

struct eval_npz {
    size_t   n, capacity, episodes;  // evaluations, room for so many, E
    int64_t *timesteps;              // (n)
    double  *results;                // (n, E)
    int64_t *lengths;                // (n, E)
};

// Takes back what path holds of evaluations up to limit steps; a file that is missing or not ours
// gives none.
void eval_npz_open(struct eval_npz *z, const char *path, uint64_t limit);
void eval_npz_free(struct eval_npz *z);

// Adds an evaluation (episodes) and writes path anew. One with another number of episodes than those
// before it begins the file anew.
//
//   returns  0, ERR_MEMORY or ERR_SYSTEM
int eval_npz_add(struct eval_npz *z, const char *path, uint64_t timesteps, const double *returns,
                 const uint64_t *lengths, size_t episodes, struct error *err);

#endif
