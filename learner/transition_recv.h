// The learner's end of the wire: one network thread that owns the ROUTER and the XPUB socket, writes
// rows into the replay and hands credits out. Everything here may be called by other threads.
//
//   transition_recv_start     binds, answers HELLO; no credits yet
//   transition_recv_wait_task the first READY says how large the task is
//   transition_recv_open      rows flow into the replay as the limiter allows
//   transition_recv_publish   weights
//   transition_recv_stop      STOP, drain until BYE, join
#ifndef LEARNER_TRANSITION_RECV_H
#define LEARNER_TRANSITION_RECV_H

#include "common/error.h"
#include "learner/limiter.h"
#include "learner/reception.h"
#include "learner/replay.h"
#include "proto/keys.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRANSITION_RECV_BINDS = 4 };

struct transition_recv_config {
    struct reception_config reception;
    const char             *bind[TRANSITION_RECV_BINDS];  // weights go to link_weights_address
    size_t                  n_bind;
    struct keys            *keys;      // NULL: no CURVE; borrowed
    bool                    insecure;  // a bind that others can reach is taken without keys
};

struct transition_recv;

// Checks addresses (ERR_SPEC when one is not local and there are neither keys nor `insecure`), binds,
// starts the thread.
//
//   returns  NULL and err; owned by the caller until transition_recv_stop
struct transition_recv *transition_recv_start(const struct transition_recv_config *config,
                                              struct error                        *err);

// Tells everyone to stop, waits at most drain_s until each actor's last row is in, ends the thread and
// frees everything. NULL is allowed.
void transition_recv_stop(struct transition_recv *tr, const char *reason, double drain_s);

// The STOP that follows says that the run goes on later. NULL is allowed.
void transition_recv_pause(struct transition_recv *tr);

// Tells actors to stop and takes their last rows; evaluators go on. Does not wait.
void transition_recv_stop_actors(struct transition_recv *tr, const char *reason);

// Waits for the sizes of the task.
//
//   returns  0 or ERR_TIMEOUT
int transition_recv_wait_task(struct transition_recv *tr, struct reception_task *task,
                              double timeout_s);

// replay has config.reception.max_actors slots; both are borrowed until transition_recv_stop.
int transition_recv_open(struct transition_recv *tr, struct replay *replay, struct limiter *limiter,
                         struct error *err);

// Broadcasts weights; versions grow. One thread at a time; does not wait for the network.
int transition_recv_publish(struct transition_recv *tr, uint64_t version, const float *floats,
                            size_t n, struct error *err);

// ------ evaluation: one at a time

// Hands weights of a version to the evaluator, or to the next one that comes.
//
//   returns  false when one is still running
bool transition_recv_evaluate(struct transition_recv *tr, uint64_t version, uint64_t timesteps,
                              uint64_t episodes, uint64_t seed, const float *floats, size_t n);

struct transition_recv_eval {
    uint64_t       version, timesteps, seed;
    size_t         n;
    struct episode list[MESSAGE_EPISODES_MAX];
};

// Takes a finished evaluation, if there is one.
bool transition_recv_take_eval(struct transition_recv *tr, struct transition_recv_eval *eval);

// ------ reports

// Takes the next finished episode.
bool transition_recv_take_episode(struct transition_recv *tr, struct reception_event *event);

struct transition_recv_counters {
    uint64_t rows, lost, duplicates, episodes;
    uint64_t rejected[REJECT_REASONS];
    size_t   actors, evaluators;  // live and ready
    uint64_t version;             // of the weights published last
    uint64_t in_flight;           // rows granted and not here
    // weights versions that rows lagged behind, of the rows since the last reading; NAN: no rows
    double lag_p50, lag_p99, lag_max;
};

// reset_lag: the next reading's lags start from here.
void transition_recv_read(struct transition_recv *tr, struct transition_recv_counters *counters,
                          bool reset_lag);

// A row of the peer table, for people.
struct transition_recv_peer {
    uint64_t slot, incarnation, restarts, role;
    bool     live, ready;
    char     name[MESSAGE_NAME], host[MESSAGE_NAME], address[64];
    uint64_t rows, lost, duplicates, in_flight;
    double   rows_per_s, steps_per_s, rtt_s, last_seen_s, weights_age_s;
    uint64_t lag_versions, env_broken, wait_ms, weights_bad;
};

// Fills up to n rows of slots that were ever used.
//
//   returns  rows filled
size_t transition_recv_peers(struct transition_recv *tr, struct transition_recv_peer *peers,
                             size_t n);

// ------ lock-step: the learner's own schedule (config.reception.lockstep)

// Waits until n actors are live and ready.
int transition_recv_wait_actors(struct transition_recv *tr, size_t n, double timeout_s);

// Lets the actor of a slot send `rows` more, acting with weights of min_version or newer. When epoch
// changes it first starts its environments anew and drops rows that it has not sent.
//
//   returns  0, or ERR_SYSTEM when there is no live actor in that slot
int transition_recv_grant(struct transition_recv *tr, size_t slot, uint64_t rows,
                          uint64_t min_version, uint64_t epoch, struct error *err);

// Waits until n granted rows of a slot are here, inserts them in this thread and acknowledges them.
//
//   returns  0 or ERR_TIMEOUT
int transition_recv_collect(struct transition_recv *tr, size_t slot, uint64_t n, double timeout_s,
                            struct error *err);

#endif
