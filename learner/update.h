// One update of the chosen algorithm (CrossQ or SAC, continuous or discrete) on one batch: critics,
// every policy_delay updates the actor and the temperature. tests/golden/crossq/README.md section 3
// is the contract, step by step.
//
// update_step is called by one thread and spreads its work over the pool it was given; it neither
// allocates nor fails: non-finite losses are counted and that update is left out (update_result).
#ifndef LEARNER_UPDATE_H
#define LEARNER_UPDATE_H

#include "common/error.h"
#include "common/spec.h"
#include "learner/batch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct update_result {
    bool   actor_updated;                    // this update was one of every policy_delay
    bool   skipped;                          // something was not finite; parameters are as before
    char   why[96];                          // which tensor, when skipped
    double q1_loss, q2_loss, q_mean;         // of this update
    double actor_loss, alpha_loss, entropy;  // NAN when the actor was not updated
    double alpha;                            // after this update
};

struct network;  // common/network.h
struct update;   // networks, optimisers, temperature, scratch; one block

// O observation, A action dimensions or choices. threads >= 1. Initial weights come from
// RNG_INIT streams of seed.
//
//   returns  NULL and err: memory, or a spec that makes no network
struct update *update_make(const struct spec *spec, size_t O, size_t A, bool discrete,
                           size_t threads, uint64_t seed, struct error *err);
void           update_free(struct update *u);

void update_step(struct update *u, const struct batch *b, struct update_result *result);

// How much of env.max_frame is done, 0 to 1: what learning-rate schedules go by. Any time between two
// updates.
void update_set_progress(struct update *u, double fraction);

struct profile;

// What update_make was given.
size_t update_threads(const struct update *u);

// From now on the parts of every update are spans of p, one lane for each of the threads; NULL: no more.
void update_set_profile(struct update *u, struct profile *p);

// Updates so far, those left out included.
uint64_t update_count(const struct update *u);

// The actor's network as it is between two updates: what is published. Borrowed.
const struct network *update_actor(const struct update *u);

// One named piece of the state that a checkpoint holds; data stays where it is until update_free.
struct update_block {
    char   name[64];  // "q1.0.weight", "actor.3.steps", "adam.q1.m", "log_alpha", "updates"
    void  *data;      // float, or uint64_t if integer
    bool   integer;
    size_t rows, cols;  // shape (rows, cols); (cols) if rows is 0; a scalar if both are 0
    size_t width;       // columns of cols that are no padding
};

// Lists the whole state: parameters, running statistics and counters of all networks, Adam's moments
// and steps, temperature, update counter. Writing through data between two updates restores it.
//
//   returns  how many there are; only the first `room` are written
size_t update_blocks(struct update *u, struct update_block *blocks, size_t room);

// |min(Q1, Q2) - y| of the last update_step, (B): what prioritized replay wants.
const float *update_td_error(const struct update *u);

#endif
