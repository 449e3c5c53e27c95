#include "actor/env_args.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void store(void *into, const struct env_arg *arg, const double *value)
{
    char *member = (char *)into + arg->offset;
    if (arg->kind == ENV_ARG_FLAG)
        *(bool *)member = value[0] != 0;
    else
        memcpy(member, value, sizeof(double) * (arg->kind == ENV_ARG_RANGE ? 2 : 1));
}

// NULL if the value is good, or what would be
static const char *objection(const struct env_arg *arg, const struct kwarg_spec *given)
{
    const double *v = given->value;
    switch (arg->kind) {
    case ENV_ARG_WEIGHT:
        return given->n == 1 && isfinite(v[0]) ? NULL : "a finite number";
    case ENV_ARG_SCALE:
        return given->n == 1 && isfinite(v[0]) && v[0] >= 0 ? NULL : "a finite number >= 0";
    case ENV_ARG_RANGE:
        return given->n == 2 && v[0] <= v[1] ? NULL : "a list [low, high] with low <= high";
    case ENV_ARG_FLAG:
        return given->n == 1 && (v[0] == 0 || v[0] == 1) ? NULL : "true or false";
    }
    return NULL;
}

// adds a line to err
static void complain(struct error *err, const struct spec *spec, const struct kwarg_spec *given,
                     const char *problem, const char *allowed)
{
    size_t used = strlen(err->text);
    err->code = ERR_SPEC;
    snprintf(err->text + used, sizeof err->text - used, "%s%s:%d: env.kwargs.%s: %s%s",
             used > 0 ? "\n" : "", spec->file, given->line, given->name, problem, allowed);
}

static const struct env_arg *find(const struct env_arg *args, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(args[i].name, name) == 0)
            return &args[i];
    return NULL;
}

static void complain_unknown(struct error *err, const struct spec *spec,
                             const struct kwarg_spec *given, const struct env_arg *args, size_t n,
                             bool skips)
{
    char   names[1024] = "";
    size_t used = 0;
    for (size_t i = 0; i < n && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, " %s", args[i].name);
    if (skips && used < sizeof names)
        snprintf(names + used, sizeof names - used, " frame_skip");
    char problem[128];
    snprintf(problem, sizeof problem, "%s has no such argument, allowed:", spec->env.name);
    complain(err, spec, given, problem, names[0] != '\0' ? names : " none");
}

int env_args_fill(void *into, int *frame_skip, const struct env_arg *args, size_t n,
                  const struct spec *spec, struct error *err)
{
    struct error all = {0};
    for (size_t i = 0; i < n; i++)
        store(into, &args[i], args[i].value);
    for (size_t i = 0; i < spec->env.n_kwargs; i++) {
        const struct kwarg_spec *given = &spec->env.kwargs[i];
        const struct env_arg    *arg = find(args, n, given->name);
        bool skip = frame_skip != NULL && strcmp(given->name, "frame_skip") == 0;
        if (skip && given->n == 1 && given->value[0] >= 1 && given->value[0] <= 1000 &&
            given->value[0] == floor(given->value[0]))
            *frame_skip = (int)given->value[0];
        else if (skip)
            complain(&all, spec, given, "must be ", "an integer from 1 to 1000");
        else if (arg == NULL)
            complain_unknown(&all, spec, given, args, n, frame_skip != NULL);
        else if (objection(arg, given) != NULL)
            complain(&all, spec, given, "must be ", objection(arg, given));
        else
            store(into, arg, given->value);
    }
    if (all.code != 0 && err != NULL)
        *err = all;
    return all.code;
}
