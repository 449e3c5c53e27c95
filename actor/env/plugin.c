// plugin: a task of the user's own in a shared object (actor/crossfleet_env.h).
#include "actor/crossfleet_env.h"
#include "actor/env_task.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct plugin {
    void                        *library;
    const struct crossfleet_env *table;
    void                        *env;
    struct crossfleet_env_arg    args[SPEC_KWARGS];  // as make was given them
    char                         names[SPEC_KWARGS][sizeof((struct kwarg_spec *)0)->name];
    size_t                       n_args;
    char                         path[TASK_PATH];
    double                      *obs;  // (O)
    size_t                       O;
};

static int load(struct plugin *p, struct error *err)
{
    // dlopen searches the system for a name without a slash
    char path[TASK_PATH + 2];
    snprintf(path, sizeof path, "%s%s", strchr(p->path, '/') == NULL ? "./" : "", p->path);
    p->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (p->library == NULL)
        return error_set(err, ERR_SYSTEM, "env.plugin: %s", dlerror());
    const struct crossfleet_env *(*entry)(void) = NULL;
    // ISO C has no cast from an object's address to a function's; POSIX promises that this works
    *(void **)&entry = dlsym(p->library, "crossfleet_env");
    if (entry == NULL)
        return error_set(err, ERR_SPEC, "env.plugin: %s exports no crossfleet_env", path);
    p->table = entry();
    if (p->table->version != CROSSFLEET_ENV_VERSION)
        return error_set(err, ERR_VERSION,
                         "env.plugin: %s was built for version %u of crossfleet_env.h, this is %d: "
                         "build it again",
                         path, p->table->version, CROSSFLEET_ENV_VERSION);
    return 0;
}

static int make(struct plugin *p, struct crossfleet_env_sizes *sizes, struct error *err)
{
    char text[512] = "";
    *sizes = (struct crossfleet_env_sizes){0};
    p->env = p->table->make(p->args, p->n_args, sizes, text, sizeof text);
    if (p->env == NULL)
        return error_set(err, ERR_SPEC, "env.plugin: %s: %s", p->table->name, text);
    if (sizes->obs < 1 || sizes->action < 1 || sizes->max_steps < 1 ||
        (!sizes->discrete && sizes->action > ENV_MAX_ACTION))
        return error_set(err, ERR_SPEC,
                         "env.plugin: %s: needs obs >= 1, action from 1 to %d, max_steps >= 1",
                         p->table->name, ENV_MAX_ACTION);
    p->O = sizes->obs;
    p->obs = calloc(p->O, sizeof *p->obs);
    if (p->obs == NULL)
        return error_set(err, ERR_MEMORY, "no memory for an environment");
    return 0;
}

static int describe(struct env *env, const struct crossfleet_env_sizes *sizes,
                    const struct spec *spec, struct error *err)
{
    const struct plugin *p = env->instance;
    struct env_info     *info = &env->info;
    info->action = sizes->action;
    info->discrete = sizes->discrete != 0;
    info->max_steps = spec->env.max_t != 0 ? spec->env.max_t : sizes->max_steps;
    for (size_t i = 0; !info->discrete && i < info->action; i++) {
        info->low[i] = sizes->low[i];
        info->high[i] = sizes->high[i];
        if (!isfinite(info->low[i]) || !isfinite(info->high[i]) || info->low[i] >= info->high[i])
            return error_set(err, ERR_SPEC, "env.plugin: %s: action %zu needs finite low < high",
                             p->table->name, i);
    }
    return 0;
}

static int open(struct env *env, const struct spec *spec, struct error *err)
{
    const struct env_spec *from = &spec->env;
    if (from->task.plugin[0] == '\0')
        return error_set(err, ERR_SPEC,
                         "%s: env.plugin: names no shared object (an actor gets it by --plugin)",
                         spec->file);
    struct plugin *p = env->instance = calloc(1, sizeof *p);
    if (p == NULL)
        return error_set(err, ERR_MEMORY, "no memory for an environment");
    memcpy(p->path, from->task.plugin, sizeof p->path);
    p->n_args = from->n_kwargs;
    for (size_t i = 0; i < p->n_args; i++) {
        const struct kwarg_spec *k = &from->kwargs[i];
        memcpy(p->names[i], k->name, sizeof p->names[i]);
        p->args[i] = (struct crossfleet_env_arg){p->names[i], {k->value[0], k->value[1]}, k->n};
    }
    struct crossfleet_env_sizes sizes;
    int                         rc = load(p, err);
    if (rc == 0)
        rc = make(p, &sizes, err);
    return rc == 0 ? describe(env, &sizes, spec, err) : rc;
}

static int copy(struct env *env, const struct env *of, struct error *err)
{
    const struct plugin *from = of->instance;
    struct plugin       *p = env->instance = calloc(1, sizeof *p);
    if (p == NULL)
        return error_set(err, ERR_MEMORY, "no memory for an environment");
    memcpy(p->path, from->path, sizeof p->path);
    memcpy(p->names, from->names, sizeof p->names);
    p->n_args = from->n_args;
    for (size_t i = 0; i < p->n_args; i++) {
        p->args[i] = from->args[i];
        p->args[i].name = p->names[i];
    }
    struct crossfleet_env_sizes sizes;
    int                         rc = load(p, err);
    return rc == 0 ? make(p, &sizes, err) : rc;
}

static void close(struct env *env)
{
    struct plugin *p = env->instance;
    if (p == NULL)
        return;
    if (p->env != NULL)
        p->table->free(p->env);
    if (p->library != NULL)
        dlclose(p->library);
    free(p->obs);
    free(p);
}

static void start(struct env *env, struct rng *rng)
{
    struct plugin *p = env->instance;
    p->table->reset(p->env, rng_next(rng), p->obs);
}

static void observe(const struct env *env, struct row *row)
{
    const struct plugin *p = env->instance;
    row_put(row, p->obs, p->O);
}

static struct env_step step(struct env *env, const float *action)
{
    struct plugin  *p = env->instance;
    struct env_step s = {0};
    s.terminated = p->table->step(p->env, action, p->obs, &s.reward) != 0;
    return s;
}

const struct env_task plugin_task = {
    .name = "plugin",
    .threshold = NAN,
    .own_kwargs = true,
    .open = open,
    .copy = copy,
    .close = close,
    .start = start,
    .observe = observe,
    .step = step,
};
