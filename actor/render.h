// Pictures of an environment's state: MuJoCo's own renderer without a display for MuJoCo tasks, a simple
// drawing for classic control. Not thread-safe; one renderer a thread.
#ifndef ACTOR_RENDER_H
#define ACTOR_RENDER_H

#include "actor/env.h"
#include "common/error.h"

#include <stddef.h>

struct scene;  // hides the graphics library

struct render {
    size_t         width, height;
    unsigned char *rgb;    // (height, width, 3) top row first
    struct scene  *scene;  // MuJoCo tasks
    void (*draw)(unsigned char *rgb, size_t width, size_t height, const double *state);
};

// Prepares pictures of env, which must stand in the start state of an episode (the free camera looks at
// what is there).
//
//   returns  0, or ERR_SYSTEM if there is no way to draw (no EGL, a plug-in task), ERR_MEMORY
//   owns     r->rgb, until render_free
int  render_init(struct render *r, const struct env *env, size_t width, size_t height,
                 struct error *err);
void render_free(struct render *r);

// Draws the state that env is in into r->rgb.
int render_frame(struct render *r, const struct env *env, struct error *err);

#endif
