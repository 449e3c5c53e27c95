#include "learner/run_log.h"

#include "common/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int run_log_spec(struct run_log *r, struct error *err)
{
    char         path[sizeof r->path + 32];
    struct stat  info;
    struct spec *spec = calloc(1, sizeof *spec);
    if (spec == NULL)
        return error_set(err, ERR_MEMORY, "%s: no memory for its spec", r->path);
    snprintf(path, sizeof path, "%s/spec.yaml", r->path);
    int code = 0;
    if (stat(path, &info) != 0)
        code = error_set(err, ERR_SPEC, "%s: is not a run directory (no spec.yaml)", r->path);
    else
        code = spec_load(spec, path, &(struct spec_options){.n_set = 0}, NULL, err);
    snprintf(r->name, sizeof r->name, "%s", spec->name);
    snprintf(r->env, sizeof r->env, "%s", spec->env.name);
    r->seed = spec->seed;
    r->max_frame = spec->env.max_frame;
    free(spec);
    return code;
}

int run_log_read(struct run_log *r, const char *directory, struct error *err)
{
    char path[sizeof r->path + 32];
    memset(r, 0, sizeof *r);
    snprintf(r->path, sizeof r->path, "%s", directory);
    for (size_t n = strlen(r->path); n > 1 && r->path[n - 1] == '/'; n--)
        r->path[n - 1] = '\0';
    int code = run_log_spec(r, err);
    if (code == 0) {
        snprintf(path, sizeof path, "%s/progress.csv", r->path);
        code = table_read(&r->progress, path, err);
    }
    if (code == 0) {
        snprintf(path, sizeof path, "%s/evaluations.csv", r->path);
        code = table_read(&r->evaluations, path, err);
    }
    return code;
}

void run_log_free(struct run_log *r)
{
    table_free(&r->progress);
    table_free(&r->evaluations);
}
