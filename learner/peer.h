// Who is connected: a table of slots, actors first, evaluators behind them. A slot belongs to a name
// and keeps it when its process leaves, so that a restarted actor gets its slot back; a connection is
// found by ZeroMQ's peer id. Sequence numbers of rows are checked here.
//
// No sockets, no clock of its own, not thread-safe: reception calls it under its lock.
#ifndef LEARNER_PEER_H
#define LEARNER_PEER_H

#include "common/error.h"
#include "learner/replay.h"
#include "proto/link.h"
#include "proto/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer {
    // the slot
    uint64_t slot;
    bool     used;  // has a name
    char     name[MESSAGE_NAME];
    uint64_t incarnation;  // of the process that has it now
    uint64_t restarts;     // processes before it in this learner
    // the process
    uint64_t               role;   // enum message_role
    bool                   live;   // heard of within the time-out
    bool                   ready;  // its READY fits: it gets credits
    bool                   bound;  // link names its connection
    struct link_peer       link;
    struct link_connection connection;
    char                   host[MESSAGE_NAME], address[64], key[LINK_KEY];
    double                 joined, last_seen, welcomed;  // clock_now()
    unsigned               welcomes;                     // sent since its last READY
    // rows, numbered from 1 within an incarnation: in <= in + staged <= granted
    uint64_t in;       // in the replay
    uint64_t staged;   // received, waiting for the learner's schedule (lock-step)
    uint64_t granted;  // may be sent
    uint64_t told;     // acknowledged by the last CREDIT
    uint64_t min_version;
    uint64_t epoch;      // of its environments, lock-step
    bool     resend;     // tell it to send again from in + 1
    bool     untold;     // its numbers were changed by another thread: CREDIT is due
    bool     rewinding;  // it was told, the first row of the repeat is not here yet
    double   rewind_since;
    unsigned rewinds;  // in a row, without the row that was missing
    bool     leaving;  // BYE came, rows are still missing
    uint64_t leaving_last;
    uint64_t given_up;  // rows counted as lost when it left; it may still bring them
    // what it reports and what was counted
    uint64_t     rows, lost, duplicates;  // since the slot exists
    double       rows_per_s;              // of the last seconds
    double       rate_since;
    uint64_t     rate_rows;
    double       rtt_s;    // from heartbeats, 0: not known
    double       beat_at;  // the last heartbeat went out
    struct stats stats;
    // a budget against floods
    double   control_since;
    unsigned control;  // messages without new rows since then
    uint8_t *stage;    // (window, words) staged rows, lock-step only
    size_t   next;     // in its hash chain, PEER_NONE: last
};

#define PEER_NONE SIZE_MAX

struct peer_table {
    struct peer *peers;    // (n)
    size_t       actors;   // slots 0 ... actors - 1
    size_t       n;        // with the evaluators' slots
    size_t      *heads;    // (buckets) first peer of a hash chain
    size_t       buckets;  // a power of two
};

enum { PEER_EVALUATORS = 8 };

// returns 0 or ERR_MEMORY
int  peer_table_init(struct peer_table *t, size_t actors, struct error *err);
void peer_table_free(struct peer_table *t);

// Gives a slot back to whom it belonged before the learner was restarted.
void peer_restore(struct peer *p, const struct replay_mark *mark);

// What a restarted learner will need to know of it.
struct replay_mark peer_mark(const struct peer *p);

// The peer of a connection, NULL: none.
struct peer *peer_find(struct peer_table *t, const struct link_peer *link);

// Ties a peer to a connection, or unties it.
void peer_bind(struct peer_table *t, struct peer *p, const struct link_peer *link);
void peer_unbind(struct peer_table *t, struct peer *p);

enum peer_claim {
    PEER_RESUMED,    // the process that had the slot is back
    PEER_RESTARTED,  // another process of the same name
    PEER_NEW,        // a slot for a new name
    PEER_REPLACED,   // refused: the slot went to a newer process of that name
    PEER_FULL,       // refused: no slot is free
};

// Finds the slot for a HELLO: the one its session names, else the one of its name, else an unused
// one, else the one whose process has been away longest. *found is NULL when refused. Nothing in the
// table changes but the slot's name and role.
enum peer_claim peer_claim(struct peer_table *t, const struct hello *hello, bool same_run,
                           struct peer **found);

// "actor-7" is a name, "../x" is not.
bool peer_name_valid(const char *name);

enum peer_verdict {
    PEER_ACCEPT,     // rows after the first *skip are new
    PEER_DUPLICATE,  // all are in already
    PEER_GAP,        // rows before them are missing: ask for them
    PEER_DROP,       // in flight from before a rewind
    PEER_STALE,      // of another incarnation
    PEER_OVER,       // more than was granted
};

// Judges rows first ... first + n - 1 (n >= 1) of an incarnation; changes p's counters of lost and
// duplicate rows and, for a gap, its rewind state. A gap that stays after PEER_REWINDS requests is
// taken as lost.
enum { PEER_REWINDS = 3 };
enum peer_verdict peer_judge(struct peer *p, uint64_t incarnation, uint64_t first, uint64_t n,
                             double now, uint64_t *skip);

// Takes back what was granted and not used; the peer will have to resend.
void peer_revoke(struct peer *p);

// Rows that p may have in flight: twice what it makes in a round trip, at least two blocks, at most
// `most`.
uint64_t peer_window(const struct peer *p, uint64_t block, uint64_t most);

// Counts rows for rows_per_s.
void peer_rate(struct peer *p, uint64_t rows, double now);

// Counts a message without new rows; says whether the peer floods.
enum { PEER_CONTROL_PER_S = 200 };
bool peer_floods(struct peer *p, double now);

#endif
