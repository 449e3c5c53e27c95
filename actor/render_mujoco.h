// MuJoCo's renderer on an EGL surface that needs no display.
#ifndef ACTOR_RENDER_MUJOCO_H
#define ACTOR_RENDER_MUJOCO_H

#include "actor/env_task.h"

struct scene;

// The camera is Gymnasium's: the model's own "track", or else a free one that looks at the median of
// the geoms from the distance that the task says (env_task.camera).
//
//   returns  NULL and err when EGL is missing or refuses
struct scene *scene_open(const struct env *env, size_t width, size_t height, struct error *err);
void          scene_close(struct scene *scene);

// Draws env's state into rgb (height, width, 3), top row first.
int scene_draw(struct scene *scene, const struct env *env, unsigned char *rgb, struct error *err);

#endif
