// Holds updates per environment step to a fixed rational ratio, from both sides: the update thread
// waits for rows, and the network thread withholds credits when rows run ahead.
//
// With I rows inserted, U updates done, ratio p/q, start step S, tolerance b rows:
//
//   an update may run  if  I >= S  and  (U + 1) q <= (I - S) p      U never exceeds
//                                                                   floor((I - S) p / q)
//   n rows may come    if  I + n <= max_frame  and
//                          (I + n <= S  or  (I + n) p - U q <= (S + b) p)
//
// so warm-up rows are free and are never caught up, and rows lead by at most b. All in int64, checked
// at start. This is Reverb's SampleToInsertRatio (rate_limiter.cc) with diffs S p / q and (S + b) p / q,
// scaled by q; `struct limiter_band` is that rule alone.
//
// Thread-safe. The update thread waits on a condition variable; the network thread is woken by a
// callback when rows become allowed again.
#ifndef LEARNER_LIMITER_H
#define LEARNER_LIMITER_H

#include "common/error.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct limiter_band {
    int64_t p, q;      // samples per insert
    int64_t min_size;  // inserts below which nothing is sampled and inserting is free
    int64_t min_diff;  // least  inserts p - samples q  after sampling
    int64_t max_diff;  // most   inserts p - samples q  after inserting
};

bool limiter_band_may_sample(const struct limiter_band *band, int64_t inserts, int64_t samples,
                             int64_t n);
bool limiter_band_may_insert(const struct limiter_band *band, int64_t inserts, int64_t samples,
                             int64_t n);

enum limiter_reason {
    LIMITER_WARMUP,        // the learner waits: fewer than S rows yet
    LIMITER_WAIT_INSERTS,  // the learner waits for rows: actors are the bottleneck
    LIMITER_WAIT_SAMPLES,  // actors wait for updates: the learner is the bottleneck
    LIMITER_REASONS
};

struct limiter_config {
    uint64_t p, q;          // updates per row, reduced; p 0: no updates, no band
    uint64_t start;         // S
    uint64_t tolerance;     // b
    uint64_t max_frame;     // rows ever inserted
    uint64_t insert_block;  // most rows inserted at once
    uint64_t sample_block;  // most updates taken at once
};

struct limiter {
    struct limiter_config config;
    struct limiter_band   band;
    uint64_t              inserted, updates;
    double                waited[LIMITER_REASONS];  // seconds, waits that have ended
    double                since[LIMITER_REASONS];   // clock_now() when one began, 0: none runs
    bool                  open;                     // lock and condition are initialised
    pthread_mutex_t       lock;
    pthread_cond_t        changed;
    void (*opened)(void *context);  // rows became allowed again; called without the lock
    void *opened_context;
};

// Checks that neither side can ever stick: b p >= insert_block p + sample_block q (the block form of
// Reverb's rule), and that the numbers fit int64.
//
//   returns  0, or ERR_SPEC with the tolerance that would do
int  limiter_init(struct limiter *l, const struct limiter_config *config, struct error *err);
void limiter_free(struct limiter *l);

// Least tolerance that limiter_init takes for these blocks and this ratio, rows.
uint64_t limiter_least_tolerance(const struct limiter_config *config);

// Who is told when rows become allowed again. Before any thread uses the limiter.
void limiter_on_open(struct limiter *l, void (*opened)(void *context), void *context);

// Counters of a checkpoint; (0, 0) when the replay is lost.
void limiter_restore(struct limiter *l, uint64_t inserted, uint64_t updates);

// floor((inserted - S) p / q), 0 before S: what the ratio owes after `inserted` rows.
uint64_t limiter_updates_due(const struct limiter *l, uint64_t inserted);

// Rows that may be inserted now, never beyond max_frame; *last (may be NULL): they are the run's last.
uint64_t limiter_insert_allowance(struct limiter *l, bool *last);

// Counts rows that are now in the replay; n <= the allowance.
void limiter_inserted(struct limiter *l, uint64_t n);

// Counts updates done.
void limiter_updated(struct limiter *l, uint64_t n);

// Waits until an update may run.
//
//   returns  0 or ERR_TIMEOUT
int limiter_wait_update(struct limiter *l, double timeout_s);

// Waits until inserted >= n, for schedules that the learner builds itself. Returns as above.
int limiter_wait_inserted(struct limiter *l, uint64_t n, double timeout_s);

// The network thread says that actors want to send and may not (true), or no longer (false).
void limiter_hold(struct limiter *l, bool held);

struct limiter_state {
    uint64_t inserted, updates;
    double   waited[LIMITER_REASONS];  // seconds, running waits included
    double   ratio;                    // updates / (inserted - S), NAN before
};

void limiter_read(struct limiter *l, struct limiter_state *state);

#endif
