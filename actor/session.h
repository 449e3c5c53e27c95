// One membership in a run: handshake, the spec, the policy and its weights. What an actor and the
// evaluator have in common.
#ifndef ACTOR_SESSION_H
#define ACTOR_SESSION_H

#include "actor/env.h"
#include "actor/options.h"
#include "actor/transition_send.h"
#include "actor/weights_recv.h"
#include "common/error.h"
#include "common/policy.h"
#include "common/spec.h"
#include "proto/keys.h"
#include "proto/link.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session {
    const struct actor_options *options;  // borrowed
    struct link_hub            *hub;
    struct keys                 keys;
    struct transition_send     *send;
    struct weights_recv        *weights;
    struct spec                 spec;
    uint32_t      spec_hash;   // of the spec as it came, before files found their places
    char          folder[64];  // of a custom task's files, until the task is made
    struct policy policy;
    uint64_t      version;    // of the weights in policy, 0: none yet
    bool          warned;     // that no weights come
    double        behind_at;  // clock_now() since when the learner wants newer ones, 0: it does not
};

// Opens the sockets and waits for a learner's WELCOME, however long it takes.
//
//   returns  0, ERR_STOPPED after a signal, or ERR_*; s is then safe to close
int session_open(struct session *s, const struct actor_options *options, struct error *err);

// Says READY with the task's sizes and makes the policy for `rows` observations at once.
//
//   returns  0 or ERR_*
int session_ready(struct session *s, const struct env_info *info, size_t rows, struct error *err);

// Takes newer weights, if there are any, into s->policy and s->version.
void session_weights(struct session *s);

// Says whether the weights in use may choose actions: recent enough for the learner, and heard of
// lately. Warns once while they are not.
bool session_weights_good(struct session *s);

// After a STOP: says whether the run goes on at this address, so that it is worth knocking there again. A
// local actor's learner starts actors of its own.
bool session_goes_on(const struct session *s);

// Leaves with BYE, says how many rows the learner acknowledged, and frees. Accepts a zeroed or
// half-open one.
void session_close(struct session *s);

#endif
