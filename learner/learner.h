// One training session: everything that a learner owns, and its loop.
//
//   transition_recv (network thread) -> replay -> batch -> update -> publisher -> weights
//
// The loop, the children and every file belong to the main thread. Struct members are in the order in
// which learner_open makes them; learner_close takes them down in reverse and accepts half-built ones.
#ifndef LEARNER_LEARNER_H
#define LEARNER_LEARNER_H

#include "common/bundle.h"
#include "common/error.h"
#include "common/spec.h"
#include "learner/batch.h"
#include "learner/checkpoint.h"
#include "learner/children.h"
#include "learner/evaluation.h"
#include "learner/http.h"
#include "learner/limiter.h"
#include "learner/options.h"
#include "learner/publisher.h"
#include "learner/recorder.h"
#include "learner/replay.h"
#include "learner/run_dir.h"
#include "learner/run_profile.h"
#include "learner/sampler.h"
#include "learner/status.h"
#include "learner/transition_recv.h"
#include "learner/update.h"

#include <stdbool.h>
#include <stdint.h>

// Who this learner is; kept in the run directory from start to start.
struct identity {
    uint64_t run_id;       // of the run, survives a resume
    uint64_t incarnation;  // of the learner process: 1, 2, ...
};

// Sums since the last row of progress.csv.
struct interval {
    uint64_t updates, actor_updates;
    double   critic_loss, actor_loss, alpha_loss, entropy, q_mean;
    double   age;  // sum over updates of the batch's mean age in weights versions
};

struct learner {
    const struct learner_options *options;  // borrowed
    struct spec                   spec;
    char                         *spec_text;  // resolved YAML
    struct bundle                 bundle;     // model files of a custom task, or nothing
    struct run_dir                dir;
    struct identity               identity;
    struct safetensors            saved;  // the checkpoint to go on from, empty for none
    struct keys                   keys;
    char                          resume_command[2048];
    struct status_store           store;
    struct http                  *http;
    struct recorder              *recorder;
    char                          bind[LINK_ADDRESS];  // where actors connect, for people
    char                          socket_dir[64];      // of the local actors' sockets, "" for none
    struct transition_recv       *recv;
    struct children               children;
    struct reception_task         task;
    struct replay                 replay;
    struct limiter                limiter;
    struct update                *update;
    struct batch                  batch;
    struct publisher              publisher;
    struct checkpoint             checkpoint;
    struct evaluation             evaluation;
    struct sampler                sampler;
    struct update_result          result;  // of the last update
    struct interval               interval;
    struct run_profile            profile;
    struct status                *status;  // what the recorder is given
    struct transition_recv_peer  *peers;   // (STATUS_ACTORS)  room for the peer table
    double                        busy_s;  // inside updates
    uint64_t                      skipped, skipped_in_row;
    double                        published_at, shown_at, saved_at, watched_at;  // clock_now()
    uint64_t                      published_updates;  // updates done at the last publish
    uint64_t                      next_row;  // steps at which progress.csv gets its next row
    char                          names[CHECKPOINT_TENSORS][64];  // of the tensors being written
    bool                          opened;                         // learner_open went through
    bool                          finished;
};

// Brings everything up to the point where rows flow: spec, run directory, sockets, actors, replay,
// networks, checkpoint.
//
//   returns  0, ERR_SPEC for what the user wrote, ERR_STOPPED after a signal, or ERR_*; l is then safe
//            to close, which takes back the run directory that this start made. l->finished: the run
//            was over already
int learner_open(struct learner *l, const struct learner_options *options, struct error *err);

// Trains until env.max_frame rows are in and their updates are done, then evaluates the last weights.
//
//   returns  0, ERR_STOPPED after a signal, or ERR_*
int learner_run(struct learner *l, struct error *err);

// Writes what is due, stops actors, frees.
void learner_close(struct learner *l);

// ------ parts of the loop, shared with lock-step

// One update: draws a batch, updates, counts.
//
//   returns  0, or ERR_NUMERIC when too many in a row were not finite
int learner_update(struct learner *l, struct error *err);

// Makes the newest weights known to actors.
int learner_publish(struct learner *l, struct error *err);

// Takes what actors reported, keeps children alive, shows and records.
int learner_service(struct learner *l, struct error *err);

#endif
