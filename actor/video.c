#include "actor/video.h"

#include "actor/encoder.h"
#include "actor/env.h"
#include "actor/eval.h"
#include "actor/play.h"
#include "actor/render.h"

#include <math.h>

enum { WIDTH = 480, HEIGHT = 480 };

struct video {
    struct render  render;
    struct encoder encoder;
    struct env    *env;
    const char    *output;
    uint64_t       frames;  // still to film
    bool           open;
    struct error  *err;
};

static int begin(struct video *v)
{
    int fps = (int)lround(1 / env_step_seconds(v->env));
    int rc = render_init(&v->render, v->env, WIDTH, HEIGHT, v->err);
    if (rc == 0)
        rc = encoder_open(&v->encoder, v->output, WIDTH, HEIGHT, fps, v->err);
    v->open = rc == 0;
    return rc;
}

// called after the reset and after each step; false ends the film
static bool add_frame(void *context)
{
    struct video *v = context;
    if (!v->open && begin(v) < 0)
        return false;
    if (v->frames == 0)
        return false;
    v->frames--;
    return render_frame(&v->render, v->env, v->err) == 0 &&
           encoder_write(&v->encoder, v->render.rgb, v->err) == 0;
}

static int film(struct video *v, struct policy *policy, struct video_length length, uint64_t seed)
{
    struct play play;
    v->frames = UINT64_MAX;
    if (length.seconds > 0)
        v->frames = (uint64_t)llround((double)length.seconds / env_step_seconds(v->env));
    int rc = play_fits(env_info(v->env), policy, v->err);
    if (rc == 0)
        rc = play_init(&play, v->env, policy, v->err);
    if (rc < 0)
        return rc;
    for (uint64_t e = 0; v->err->code == 0 && v->frames > 0 && e < length.episodes; e++)
        play_episode(&play, seed, e, add_frame, v);
    play_free(&play);
    if (v->open)
        encoder_close(&v->encoder, v->err);
    return v->err->code;
}

int video_run(const char *target, const char *output, struct video_length length, uint64_t seed,
              struct error *err)
{
    struct policy       policy = {0};
    struct policy_about about;
    struct spec         spec;
    struct error        own = {0};
    struct video        v = {.output = output, .err = &own};
    int                 rc = encoder_check(output, &own);
    if (rc == 0)
        rc = eval_load(target, &policy, &about, &spec, &own);
    if (rc == 0 && (v.env = env_make(&spec, &own)) != NULL)
        film(&v, &policy, length, seed);
    render_free(&v.render);
    env_free(v.env);
    policy_free(&policy);
    if (own.code != 0 && err != NULL)
        *err = own;
    return own.code;
}
