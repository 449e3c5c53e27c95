// What the two halves of the learner's wire share: transition_recv.c runs the network thread,
// transition_report.c hands out what actors reported. Private to the two.
#ifndef LEARNER_TRANSITION_STATE_H
#define LEARNER_TRANSITION_STATE_H

#include "learner/reception.h"
#include "learner/transition_recv.h"
#include "learner/weights_send.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct transition_recv {
    struct reception    reception;
    struct weights_send weights;
    struct keys        *keys;
    uint64_t            removals;  // of keys that were acted on
    struct link_hub    *hub;
    struct link        *router, *publisher, *zap;
    int                 wake_fd;
    bool                has_reception, running;
    pthread_t           thread;
    atomic_bool         quit;
};

// Peers of a role that are connected; ready: only those whose task is known. Call it with the lock held.
size_t transition_live(const struct reception *r, uint64_t role, bool ready);

#endif
