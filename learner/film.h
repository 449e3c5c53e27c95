// What `train --video` adds to a run: video.gif of the best policy, filmed by crossfleet-actor, and the
// same film among TensorBoard's images.
#ifndef LEARNER_FILM_H
#define LEARNER_FILM_H

#include "common/error.h"

#include <stdint.h>

// Says before a training whether its film could be made.
//
//   returns  0, or ERR_SYSTEM when ffmpeg or crossfleet-actor is missing, with what to do
int film_check(struct error *err);

// Films ten seconds at most of the run's best policy as run/video.gif, TensorBoard's image of that step.
// SIGINT and SIGTERM end it.
//
//   returns  0 or ERR_SYSTEM
int film_make(const char *run, uint64_t step, struct error *err);

#endif
