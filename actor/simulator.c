#include "actor/simulator.h"

#include "common/log.h"

#include <assert.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ------ fatal errors and warnings

// where a fatal error of this thread goes; the one jump buffer of the tree
struct guard {
    jmp_buf jump;
    char    text[512];
};
static _Thread_local struct guard *guard;

static void on_error(const char *text)
{
    // MuJoCo may be called outside a guard only where it cannot fail
    if (guard == NULL) {
        log_error("mujoco", "%s", text);
        abort();
    }
    snprintf(guard->text, sizeof guard->text, "%s", text);
    longjmp(guard->jump, 1);
}

// bad states are counted in mjData, and the loader's warnings are about compatibility only
static void on_warning(const char *text)
{
    log_debug("mujoco", "%s", text);
}

int simulator_guard(void (*call)(void *context), void *context, struct error *err)
{
    struct guard  here;
    struct guard *outer = guard;
    if (setjmp(here.jump)) {
        guard = outer;
        return error_set(err, ERR_SYSTEM, "MuJoCo: %s", here.text);
    }
    guard = &here;
    call(context);
    guard = outer;
    return 0;
}

// ------ loading

static int check_version(struct error *err)
{
    if (mj_version() != mjVERSION_HEADER)
        return error_set(err, ERR_VERSION,
                         "MuJoCo library is version %d, but this program was built for %d",
                         mj_version(), mjVERSION_HEADER);
    return 0;
}

struct load {
    const char *path;
    mjModel    *m;
    char        text[1024];
};

static void load_model(void *context)
{
    struct load *load = context;
    load->m = mj_loadXML(load->path, NULL, load->text, (int)sizeof load->text);
}

static void make_data(void *context)
{
    struct simulator *s = context;
    s->d = mj_makeData(s->m);
}

static int add_data(struct simulator *s, struct error *err)
{
    int rc = simulator_guard(make_data, s, err);
    if (rc == 0 && s->d == NULL)
        rc = error_set(err, ERR_MEMORY, "MuJoCo: no memory for the data of a model");
    return rc;
}

int simulator_load(struct simulator *s, const char *path, int frame_skip, struct error *err)
{
    *s = (struct simulator){.frame_skip = frame_skip};
    mju_user_error = on_error;
    mju_user_warning = on_warning;
    int rc = check_version(err);
    if (rc < 0)
        return rc;

    struct load load = {.path = path};
    rc = simulator_guard(load_model, &load, err);
    if (rc < 0)
        return rc;
    if (load.m == NULL)
        return error_set(err, ERR_SPEC, "model %s does not load: %s", path, load.text);
    s->m = load.m;
    s->nq = (size_t)s->m->nq;
    s->nv = (size_t)s->m->nv;
    s->nu = (size_t)s->m->nu;
    s->nbody = (size_t)s->m->nbody;
    s->dt = s->m->opt.timestep * frame_skip;
    s->users = malloc(sizeof *s->users);
    if (s->users == NULL) {
        simulator_free(s);
        return error_set(err, ERR_MEMORY, "no memory");
    }
    *s->users = 1;
    rc = add_data(s, err);
    if (rc < 0)
        simulator_free(s);
    return rc;
}

int simulator_copy(struct simulator *s, const struct simulator *of, struct error *err)
{
    *s = *of;
    s->d = NULL;
    ++*s->users;
    int rc = add_data(s, err);
    if (rc < 0)
        simulator_free(s);
    return rc;
}

void simulator_free(struct simulator *s)
{
    if (s->d != NULL)
        mj_deleteData(s->d);
    bool last = s->users == NULL || --*s->users == 0;
    if (last) {
        if (s->m != NULL)
            mj_deleteModel(s->m);
        free(s->users);
    }
    *s = (struct simulator){0};
}

// ------ stepping

// MuJoCo resets itself on a bad state and then counts one, however often it happened; on a bad control
// it goes on with zeros
static bool state_was_bad(const mjData *d)
{
    return d->warning[mjWARN_BADQPOS].number != 0 || d->warning[mjWARN_BADQVEL].number != 0 ||
           d->warning[mjWARN_BADQACC].number != 0 || d->warning[mjWARN_BADCTRL].number != 0;
}

static void forward(void *context)
{
    struct simulator *s = context;
    mj_forward(s->m, s->d);
}

static void step(void *context)
{
    struct simulator *s = context;
    for (int i = 0; i < s->frame_skip; i++)
        mj_step(s->m, s->d);
    if (s->forces)
        mj_rnePostConstraint(s->m, s->d);
}

static bool run(struct simulator *s, void (*call)(void *context))
{
    if (simulator_guard(call, s, NULL) == 0 && !state_was_bad(s->d))
        return true;
    mj_resetData(s->m, s->d);
    return false;
}

void simulator_reset(struct simulator *s)
{
    mj_resetData(s->m, s->d);
}

bool simulator_forward(struct simulator *s)
{
    return run(s, forward);
}

bool simulator_step(struct simulator *s, const float *action)
{
    for (size_t i = 0; i < s->nu; i++)
        s->d->ctrl[i] = (double)action[i];
    return run(s, step);
}

const double *simulator_body(const struct simulator *s, const char *name)
{
    int id = mj_name2id(s->m, mjOBJ_BODY, name);
    assert(id >= 0);
    return s->d->xpos + 3 * id;
}
