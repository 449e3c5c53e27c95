#include "actor/render.h"

#include "actor/env_task.h"
#include "actor/render_classic.h"
#include "actor/render_mujoco.h"

#include <assert.h>
#include <stdlib.h>

enum { MAX_STATE = 16 };  // of classic control

int render_init(struct render *r, const struct env *env, size_t width, size_t height,
                struct error *err)
{
    *r = (struct render){.width = width, .height = height};
    r->rgb = calloc(width * height, 3);
    if (r->rgb == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a picture");
    if (env->sim.m != NULL)
        r->scene = scene_open(env, width, height, err);
    else
        r->draw = render_classic_find(env->info.name);
    if (r->scene == NULL && r->draw == NULL) {
        if (env->sim.m == NULL)
            error_set(err, ERR_SYSTEM, "there is no picture of %s", env->info.name);
        render_free(r);
        return err != NULL ? err->code : ERR_SYSTEM;
    }
    return 0;
}

void render_free(struct render *r)
{
    scene_close(r->scene);
    free(r->rgb);
    *r = (struct render){0};
}

int render_frame(struct render *r, const struct env *env, struct error *err)
{
    double state[MAX_STATE];
    if (r->scene != NULL)
        return scene_draw(r->scene, env, r->rgb, err);
    assert(env_state_size(env) <= MAX_STATE);
    env_get_state(env, state);
    r->draw(r->rgb, r->width, r->height, state);
    return 0;
}
