// Everything that a run leaves behind and shows, behind five calls: progress.csv, evaluations.csv,
// actor-<slot>.monitor.csv, TensorBoard, the progress line, and the snapshot for the HTTP page.
//
// Thread-safe: the ingest thread reports episodes and evaluations, the update thread the rest. A file that
// cannot be written (disk full) is logged at most once a second and training goes on.
#ifndef LEARNER_RECORDER_H
#define LEARNER_RECORDER_H

#include "common/error.h"
#include "common/log.h"
#include "learner/csv.h"
#include "learner/eval_npz.h"
#include "learner/monitor.h"
#include "learner/progress_line.h"
#include "learner/run_dir.h"
#include "learner/status.h"
#include "learner/tensorboard.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORDER_RECENT = 100, RECORDER_MARKS = 16 };

struct recorder_options {
    const struct run_dir *dir;             // borrowed
    const char           *env;             // task, for the monitor files
    const char           *spec_text;       // borrowed; goes to TensorBoard
    const char           *resume_command;  // for the closing summary; borrowed, may be NULL
    bool                  quiet;
    struct status_store  *store;  // borrowed; gets every snapshot
    // of a resumed run: rows beyond these were rolled back and are cut from the files, 0: all of them.
    // UINT64_MAX and INFINITY keep everything, which is right where the replay memory kept every row.
    uint64_t resume_steps;
    double   resume_elapsed_s;
};

// what was counted at one moment, for rates over the last seconds
struct recorder_mark {
    double   time, busy_s, wait_s[STATUS_WAITS];
    uint64_t steps, updates, actor_steps[STATUS_ACTORS];
};

struct recorder {
    struct recorder_options options;
    pthread_mutex_t         lock;
    struct status           now;    // the last snapshot, both parts
    struct status           shown;  // scratch of recorder_show
    struct csv              progress, evaluations;
    struct tensorboard      tb;
    struct progress_line    line;
    double                  start;  // clock_now() minus what earlier starts took
    struct monitor          monitor;
    struct eval_npz         npz;
    uint64_t                n_recent;                             // episodes of this start
    double   returns[RECORDER_RECENT], lengths[RECORDER_RECENT];  // a ring of the last ones
    uint64_t row_steps;                                           // of the last row
    size_t   n_marks;
    struct recorder_mark marks[RECORDER_MARKS];  // oldest first, half a second apart or more
    struct log_limit     limit;
};

// Makes the files, or goes on with those that are there: curves, counts and best score come back from
// them.
//
//   returns  NULL and err: a file cannot be made, read or is not ours
//   owns     the caller, until recorder_close
struct recorder *recorder_open(const struct recorder_options *options, struct error *err);

// Refreshes what is shown: call a few times a second. Reads the first part of s only.
void recorder_show(struct recorder *r, const struct status *s);

// Writes the row of an interval (meta.log_frequency), and shows it.
void recorder_interval(struct recorder *r, const struct status *s);

// One finished training episode of an actor: sum of rewards, steps.
void recorder_episode(struct recorder *r, uint32_t slot, double ep_return, uint64_t length);

// One evaluation of the weights `version`, which were the newest at `timesteps`: returns, lengths (n).
void recorder_evaluation(struct recorder *r, uint64_t timesteps, uint64_t version,
                         const double *returns, const uint64_t *lengths, size_t n);

// Says whether an evaluation of that mean would be the best so far. policy/best.safetensors is written
// before the evaluation is recorded, so that a learner killed in between evaluates once more.
bool recorder_would_be_best(struct recorder *r, double mean);

// What the files held when they were opened or holds since.
struct recorder_past {
    uint64_t row_steps;  // of the last row of progress.csv, 0: none
    uint64_t evaluations, eval_steps;
    double   eval_mean;  // of the last evaluation
};

struct recorder_past recorder_past(const struct recorder *r);

// Seconds of training so far, earlier starts included: a checkpoint keeps it.
double recorder_elapsed(const struct recorder *r);

// Writes a last row and the summary. Accepts NULL.
void recorder_close(struct recorder *r, const struct status *s);

#endif
