// Broadcasts the policy's weights: one frame on an XPUB socket, the newest also as the welcome of
// whoever subscribes later, and again every few seconds so that silence means trouble.
//
// weights_send_publish may be called by any one thread and never waits for the network; the other
// functions belong to the network thread.
#ifndef LEARNER_WEIGHTS_SEND_H
#define LEARNER_WEIGHTS_SEND_H

#include "common/error.h"
#include "proto/link.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEIGHTS_REFRESH_S 2.0

struct weights_send {
    uint64_t        run_id, incarnation;
    struct link    *link;      // XPUB, borrowed
    int             wake_fd;   // of the network thread
    bool            open;      // lock is initialised
    pthread_mutex_t lock;      // of fresh
    uint8_t        *fresh;     // newest frame, not sent yet if fresh_size > 0
    uint8_t        *spare;     // where the next one is encoded; publisher's
    uint8_t        *current;   // sent last; network thread's
    size_t          capacity;  // of each
    size_t          fresh_size, current_size;
    double          sent_at;
    uint64_t        version;  // published last
    uint64_t        sent;     // frames
    uint64_t        topics;   // subscriptions to something: actors subscribe to everything
};

void weights_send_init(struct weights_send *w, uint64_t run_id, uint64_t incarnation,
                       struct link *link, int wake_fd);
void weights_send_free(struct weights_send *w);

// Replaces what is waiting to go out. n is the same in all calls; the first allocates.
//
//   returns  0 or ERR_MEMORY
int weights_send_publish(struct weights_send *w, uint64_t version, const float *floats, size_t n,
                         struct error *err);

// Network thread: sends what is new, repeats what is old, reads subscriptions (the welcome is only
// sent if they are read).
void weights_send_service(struct weights_send *w, double now);

#endif
