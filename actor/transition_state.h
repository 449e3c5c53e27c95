// What the two halves of the actor's wire share: transition_send.c writes messages and owns the rows,
// transition_take.c reads messages and moves the counters. Private to the two.
#ifndef ACTOR_TRANSITION_STATE_H
#define ACTOR_TRANSITION_STATE_H

#include "actor/transition_send.h"

#define TRANSITION_EPISODES 1024  // that wait to be reported

struct transition_send {
    struct transition_send_config  config;
    char                           name[MESSAGE_NAME];
    struct link                   *link;
    struct transition_send_welcome welcome;
    bool                           welcomed;  // ever
    bool                           open;      // this connection has its WELCOME
    bool                           leaving;   // BYE is next, or was said
    bool                           left;      // BYE_ACK came
    unsigned                       events;    // bit per enum send_event that waits
    char                           text[MESSAGE_REASON];
    bool                           returns;     // the last STOP: the run goes on later
    double                         renewed_at;  // this socket had a connection, or was opened
    double                         hello_at, heard_at, beat_at, report_at, bye_at;
    // the task as READY carries it
    struct ready ready;
    double       low[MESSAGE_NAME], high[MESSAGE_NAME];
    bool         has_task;
    // rows: absolute counters, acked <= sent <= top <= added; row number = counter - base
    struct row_shape shape;
    uint8_t         *ring;      // (capacity, words)
    size_t           capacity;  // rows
    size_t           block;     // most rows in a message
    uint64_t         base, acked, sent, top, added, granted;
    uint64_t         min_version, epoch;
    uint64_t         dropped;        // rows that a new incarnation could not take over
    double           waiting_since;  // the oldest row that was never sent
    // reports
    struct episode              episodes[TRANSITION_EPISODES];
    size_t                      n_episodes;
    struct stats                stats;
    bool                        has_stats;
    struct transition_send_eval eval;
    float                      *eval_floats;
    size_t                      eval_capacity;
    struct episode              result[MESSAGE_EPISODES_MAX];
    size_t                      n_result;
    bool                        has_result;
    uint8_t                    *out;
    size_t                      out_size;
};

// Encodes and sends one message.
//
//   returns  LINK_SENT, or why not (proto/link.h)
int transition_send_message(struct transition_send *s, const struct message *m);

// Says what task this actor has; after every WELCOME.
void transition_send_sizes(struct transition_send *s);

// Takes every message that is here. A message that is none is passed over.
void transition_take_all(struct transition_send *s, double now);

#endif
