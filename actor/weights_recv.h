// Weights from the learner: a SUB socket that keeps only the newest frame. A frame is taken when it is
// of this run and learner, newer than what is in use, whole, and of the right size; else it is counted
// and the weights in use stay. One thread.
#ifndef ACTOR_WEIGHTS_RECV_H
#define ACTOR_WEIGHTS_RECV_H

#include "common/error.h"
#include "proto/keys.h"
#include "proto/link.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weights_recv;

// address: the learner's, as for transition_send; n: floats of the policy. hub, address and keys are
// borrowed until weights_recv_close. A socket that hears nothing for timeout_s is replaced.
struct weights_recv *weights_recv_open(struct link_hub *hub, const char *address,
                                       const struct keys *keys, size_t n, double heartbeat_s,
                                       double timeout_s, struct error *err);
void                 weights_recv_close(struct weights_recv *w);

// Which learner's weights count, from WELCOME. A higher incarnation starts over: whatever version it
// sends first is taken.
void weights_recv_expect(struct weights_recv *w, uint64_t run_id, uint64_t incarnation);

// Takes the newest weights, if there are newer ones: copies them into floats (n).
//
//   returns  true and *version when there were
bool weights_recv_poll(struct weights_recv *w, float *floats, uint64_t *version);

// Waits for a frame, at most timeout_s; weights_recv_poll is next.
void weights_recv_wait(struct weights_recv *w, double timeout_s);

// Seconds since a valid frame came (new or a repeat of what is in use), since open at first.
double weights_recv_age(const struct weights_recv *w);

// Frames that were not taken because something was off.
uint64_t weights_recv_bad(const struct weights_recv *w);

#endif
