// Drawings of the classic-control tasks.
#ifndef ACTOR_RENDER_CLASSIC_H
#define ACTOR_RENDER_CLASSIC_H

#include <stddef.h>

// Draws a state of a task (env_get_state) into rgb (height, width, 3).
typedef void render_classic_fn(unsigned char *rgb, size_t width, size_t height,
                               const double *state);

// The drawing of a task by its name, NULL if there is none.
render_classic_fn *render_classic_find(const char *task);

#endif
