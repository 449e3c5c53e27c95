// What a connection sends after its handshake: rows, reports, heartbeats, BYE.
#ifndef LEARNER_INTAKE_H
#define LEARNER_INTAKE_H

#include "learner/reception.h"

// Handles one frame, whatever is in it.
void intake_frame(struct reception *r, const struct link_frame *frame, double now);

// Lock-step: inserts the first n staged rows of a peer (n <= staged). Any thread, with the lock; the
// acknowledgement goes out with the next errands.
void intake_unstage(struct reception *r, struct peer *p, uint64_t n);

#endif
