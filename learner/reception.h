// The learner's side of the conversation with all its actors: state, answers, credits. What arrives is
// judged in learner/intake.h and learner/handshake.h; learner/transition_recv.h runs the thread.
//
// Functions are called with the lock held, on the thread that owns the ROUTER link. A peer that breaks the rules is counted by reason, told, and cut; it never stops the
// learner, and no memory is allocated for it.
#ifndef LEARNER_RECEPTION_H
#define LEARNER_RECEPTION_H

#include "common/error.h"
#include "common/log.h"
#include "learner/limiter.h"
#include "learner/peer.h"
#include "learner/replay.h"
#include "proto/link.h"
#include "proto/message.h"
#include "proto/transition.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum reject_reason {
    REJECT_MALFORMED,   // no message
    REJECT_HANDSHAKE,   // no ZMTP, or no fitting key
    REJECT_STRANGER,    // a message before HELLO
    REJECT_PROTOCOL,    // another protocol version
    REJECT_NAME,        // HELLO with a bad name
    REJECT_FULL,        // no slot
    REJECT_MISMATCH,    // READY with another task, sizes or spec
    REJECT_STALE,       // an older incarnation
    REJECT_CREDIT,      // more rows than granted
    REJECT_ROWS,        // rows of a wrong size, not finite, out of range
    REJECT_UNEXPECTED,  // a message that this peer may not send
    REJECT_FLOOD,       // too many messages
    REJECT_SLOW,        // does not read what it is sent
    REJECT_REASONS
};

const char *reject_name(enum reject_reason reason);

enum { RECEPTION_IN_FLIGHT = 64 << 20 };  // bytes of rows on their way, over all actors
enum { RECEPTION_EVENTS = 8192, RECEPTION_LAGS = 4096, RECEPTION_DOOMED = 64 };

// Something for the update thread.
struct reception_event {
    uint64_t       slot;
    struct episode episode;
    char           name[MESSAGE_NAME];
};

// One evaluation: request and result.
struct reception_eval {
    bool           busy;   // asked for, no result yet
    bool           done;   // result is there, not taken yet
    bool           asked;  // an evaluator has it
    uint64_t       slot;   // of that evaluator
    uint64_t       version, timesteps, seed, episodes;
    size_t         n;  // episodes in the result
    struct episode list[MESSAGE_EPISODES_MAX];
    uint8_t       *frame;  // encoded EVAL_REQUEST
    size_t         frame_size, frame_capacity;
};

struct reception_config {
    uint64_t                  run_id, incarnation, seed;
    const char               *task;       // env.name
    const char               *spec_text;  // what WELCOME carries; kept by the caller
    size_t                    spec_size;
    uint32_t                  spec_hash;
    const void               *assets;  // files of a custom task, NULL: none; kept by the caller
    size_t                    assets_size;
    uint64_t                  max_actors;
    uint64_t                  credit_window;   // most rows an actor may have in flight
    uint64_t                  block_rows;      // most rows in one message
    uint64_t                  max_policy_lag;  // versions, 0: any
    double                    heartbeat_s, timeout_s;
    link_allow_fn            *allow;  // says whether a CURVE key may be here, NULL: no keys
    void                     *allow_context;
    bool                      lockstep;  // rows are staged, credits are given by hand
    const struct replay_mark *marks;     // (max_actors) of a resumed replay, NULL: fresh
};

// The task as the first READY described it.
struct reception_task {
    bool     known;
    char     name[MESSAGE_NAME];
    uint64_t obs, action;
    bool     discrete;
    uint64_t max_steps;
    double   threshold;
    double   low[MESSAGE_NAME], high[MESSAGE_NAME];  // (A) if not discrete
};

struct reception {
    struct reception_config config;
    pthread_mutex_t         lock;
    pthread_cond_t          changed;  // task known, rows staged, an actor came
    struct link            *router;
    struct peer_table       peers;
    struct reception_task   task;
    struct row_shape        shape;
    struct replay          *replay;  // NULL: not open, no credits yet
    struct limiter         *limiter;
    uint64_t                in_flight;      // rows granted and not in, over all live actors
    uint64_t                version;        // of the weights published last
    size_t                  turn;           // where the next round of credits starts
    bool                    starved;        // the last round could not give everyone its window
    size_t                  live;           // actors
    bool                    untold;         // some peer is
    bool                    stop_asked[2];  // by role, by another thread
    bool                    stopping[2];    // by role: whoever comes is told to stop
    struct stop             stop;           // what they are told
    size_t                  dirty[256];     // slots that delivered since the last round
    size_t                  n_dirty;
    // counters
    uint64_t         rejected[REJECT_REASONS];
    struct log_limit limits[REJECT_REASONS];
    uint64_t         rows, episodes, events_dropped;
    uint64_t         lost, duplicates;     // of names whose slots others have now
    uint64_t         lag[RECEPTION_LAGS];  // rows by versions behind, since the last reading
    uint64_t         lag_rows;
    // for the update thread
    struct reception_event events[RECEPTION_EVENTS];
    size_t                 event_first, n_events;
    struct reception_eval  eval;
    // connections to cut a moment after their last answer
    struct {
        double                 at;
        struct link_connection connection;
        size_t                 bytes;  // it sent since
    } doomed[RECEPTION_DOOMED];
    size_t n_doomed;
    // messages of connections without a HELLO
    struct {
        struct link_peer link;
        double           since;
        unsigned         n;
    } strangers[64];
    uint8_t *out;  // an encoded answer
    size_t   out_size;
};

int  reception_init(struct reception *r, const struct reception_config *config, struct error *err);
void reception_free(struct reception *r);

// From here on rows are taken and credits given. limiter and replay: borrowed until reception_free.
int reception_open(struct reception *r, struct replay *replay, struct limiter *limiter,
                   struct error *err);

// Every 100 ms or so: expiry, heartbeats, credits to everyone, a waiting evaluation.
void reception_tick(struct reception *r, double now);

// What other threads asked for since: an evaluation, credits given by hand, STOP.
void reception_errands(struct reception *r);

// After a batch of frames: credits to the actors that delivered, or to all of them.
void reception_settle(struct reception *r, bool all);

// Cuts the actors whose key is not allowed any more.
void reception_recheck(struct reception *r, double now);

// Counts handshakes that failed on a socket.
void reception_failures(struct reception *r, uint64_t failures);

// ------ answers

// Counts a bad frame and says so, at most once a second a reason.
void reception_reject(struct reception *r, enum reject_reason reason, const char *who,
                      const char *what);

// Rejects, tells the connection why, and cuts it a moment later. p (may be NULL) leaves.
void reception_expel(struct reception *r, const struct link_frame *frame, struct peer *p,
                     enum reject_reason reason, enum refused_code code, const char *what);

// REFUSED to a connection.
void reception_refuse(struct reception *r, const struct link_peer *link, enum refused_code code,
                      const char *what);

// Cuts a connection in a moment, when its last answer is out.
void reception_doom(struct reception *r, struct link_connection connection, double now);

// Says whether a frame is of a connection that waits to be cut; one that sends on regardless is cut now.
bool reception_doomed(struct reception *r, const struct link_frame *frame);

// Sends to a peer; one that does not read is cut.
void reception_send(struct reception *r, struct peer *p, const struct message *m);

// ------ credits

// CREDIT with the peer's present numbers.
void reception_tell(struct reception *r, struct peer *p);

// Gives a live, ready actor n more rows.
void reception_grant(struct reception *r, struct peer *p, uint64_t n);

// Takes back what was granted and not used.
void reception_revoke(struct reception *r, struct peer *p);

// The process is gone: its credits go back, its slot stays its own until another needs it.
void reception_leave(struct reception *r, struct peer *p, const char *why);

#endif
