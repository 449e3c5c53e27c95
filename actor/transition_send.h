// The actor's end of the wire: a DEALER socket, the handshake, rows out under credit, messages in.
//
//   transition_send_open       connects
//   transition_send_handshake  HELLO, WELCOME: what to do
//   transition_send_ready      the task's sizes; rows can be added
//   transition_send_poll       moves everything: call it at every step, it does not block at 0 s
//   transition_send_close      BYE, drain, close
//
// Rows wait in a ring until the learner says that they are in its replay, and are sent again after a
// reconnect; so a row is lost only with its process. A learner that comes back (another incarnation
// of the same run) is greeted again by itself. One thread.
#ifndef ACTOR_TRANSITION_SEND_H
#define ACTOR_TRANSITION_SEND_H

#include "common/error.h"
#include "proto/keys.h"
#include "proto/link.h"
#include "proto/message.h"
#include "proto/transition.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct transition_send_config {
    const char        *address;  // borrowed, like keys and hub, until transition_send_close
    const char        *name;     // of this actor, unique in the run
    enum message_role  role;
    const struct keys *keys;  // NULL: no CURVE
    double             heartbeat_s, timeout_s;
    double             flush_s;  // a block that is not full goes out at this age
    struct link_hub   *hub;      // borrowed
};

// What WELCOME said; copies, valid until the next handshake.
struct transition_send_welcome {
    uint64_t run_id, learner_incarnation, slot, incarnation, seed;
    char    *spec;  // text, 0 at its end
    size_t   spec_size;
    void    *assets;
    size_t   assets_size;
};

enum send_event {
    SEND_NONE,
    SEND_STOP,     // the learner says stop: text has the reason; transition_send_close is next
    SEND_REFUSED,  // the learner wants nothing more from this process: text has the reason
    SEND_EVAL,     // evaluate: transition_send_eval
    SEND_LEARNER,  // the learner was restarted, the run is the same: rows and environments go on;
                   // tell weights_recv about welcome's learner_incarnation
    SEND_LEFT,     // after transition_send_leave: every row is in
    SEND_NEW_RUN,  // another run is at that address: start over
};

struct transition_send;

struct transition_send *transition_send_open(const struct transition_send_config *config,
                                             struct error                        *err);

// Says HELLO until a learner answers.
//
//   returns  0, ERR_TIMEOUT, ERR_VERSION (refused, with the learner's reason), ERR_STOPPED when *stop
//            (may be NULL) became true
int transition_send_handshake(struct transition_send *s, double timeout_s, const volatile int *stop,
                              struct error *err);

const struct transition_send_welcome *transition_send_welcome(const struct transition_send *s);

// Sizes of the task. window: most rows that wait for an acknowledgement (cluster.credit_window).
//
//   returns  0 or ERR_MEMORY
struct transition_send_task {
    const char   *name;
    size_t        obs, action;  // A: dimensions, or choices if discrete
    bool          discrete;
    const double *low, *high;  // (A) if not discrete
    uint64_t      max_steps;
    double        threshold;
    uint32_t      spec_hash;
};
int transition_send_ready(struct transition_send *s, const struct transition_send_task *task,
                          size_t window, struct error *err);

// Rows that can be added now. 0 means wait: poll with a time-out until it is not.
size_t transition_send_room(const struct transition_send *s);

// Adds n rows (n, words), n <= room.
void transition_send_add(struct transition_send *s, const void *rows, size_t n);

// Sends and receives; waits at most timeout_s for something to happen.
enum send_event transition_send_poll(struct transition_send *s, double timeout_s);

// Reason of the last SEND_STOP or SEND_REFUSED.
const char *transition_send_text(const struct transition_send *s);

// After SEND_STOP: says whether the run goes on at this address later.
bool transition_send_returns(const struct transition_send *s);

// Least weights version that the learner lets this actor act with, 0: any. An actor whose weights are
// older waits for newer ones before it steps on.
uint64_t transition_send_min_version(const struct transition_send *s);

// Which epoch the environments should be in (lock-step): when it changes they start anew.
uint64_t transition_send_epoch(const struct transition_send *s);

// Drops the rows that were added and never sent.
void transition_send_discard(struct transition_send *s);

// Rows that may still be sent and added under the present credit; what a lock-step round may step.
uint64_t transition_send_credit(const struct transition_send *s);

// ------ reports; they wait in a buffer and go out with the next polls

void transition_send_episode(struct transition_send *s, const struct episode *episode);

// Sent with the next heartbeat. weights_version, weights_age_s, steps_per_s, env_broken.
void transition_send_stats(struct transition_send *s, const struct stats *stats);

// The evaluation that SEND_EVAL announced; floats borrowed until the next poll that returns SEND_EVAL.
struct transition_send_eval {
    uint64_t     version, timesteps, episodes, seed;
    const float *floats;  // (n)
    size_t       n;
};
const struct transition_send_eval *transition_send_eval(const struct transition_send *s);

// Its result.
void transition_send_eval_result(struct transition_send *s, const struct episode *list, size_t n);

// Adds no more rows: what credit allows goes out, then BYE, with the next polls, until SEND_LEFT.
void transition_send_leave(struct transition_send *s);

// Leaves and waits at most drain_s for SEND_LEFT.
//
//   returns  rows of this process that the learner acknowledged
uint64_t transition_send_drain(struct transition_send *s, double drain_s);

// Drains and frees everything. NULL is allowed.
//
//   returns  rows sent that the learner did not acknowledge
uint64_t transition_send_close(struct transition_send *s, double drain_s);

#endif
