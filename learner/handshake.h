// HELLO and READY: who may come, which slot it gets, whether its task is ours.
#ifndef LEARNER_HANDSHAKE_H
#define LEARNER_HANDSHAKE_H

#include "learner/reception.h"

// Gives a slot and answers WELCOME, REFUSED or STOP. A process that had the slot of that name before
// is told that it was replaced.
void handshake_hello(struct reception *r, const struct link_frame *frame, const struct hello *hello,
                     double now);

// The first READY tells the learner its task; later ones are compared with it, and a REFUSED names
// both sides' values.
void handshake_ready(struct reception *r, const struct link_frame *frame, struct peer *p,
                     const struct ready *ready);

#endif
