#include "actor/envs.h"

#include "actor/bench_env.h"
#include "actor/env.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static const double bench_seconds = 0.3;

static void print_actions(FILE *out, const struct env_info *info)
{
    char text[48];
    if (info->discrete)
        snprintf(text, sizeof text, "%zu choices", info->action);
    else
        snprintf(text, sizeof text, "%zu in [%.3g, %.3g]", info->action, info->low[0],
                 info->high[0]);
    fprintf(out, "  %-18s", text);
}

static int print_task(FILE *out, const char *name, bool bench, struct error *err)
{
    struct spec spec = {0};
    snprintf(spec.env.name, sizeof spec.env.name, "%s", name);
    struct env *env = env_make(&spec, err);
    if (env == NULL)
        return err->code;
    const struct env_info *info = env_info(env);
    fprintf(out, "%-26s%5zu", info->name, info->obs);
    print_actions(out, info);
    fprintf(out, "%6" PRIu64, info->max_steps);
    if (isnan(info->threshold))
        fprintf(out, "%11s", "-");
    else
        fprintf(out, "%11g", info->threshold);
    env_free(env);

    struct bench_env b;
    int              rc = bench ? bench_env_measure(&b, name, 16, bench_seconds, false, err) : 0;
    if (rc == 0 && bench)
        fprintf(out, "%10.0f", b.env);
    fprintf(out, "\n");
    return rc;
}

int envs_print(FILE *out, const char *task, bool bench, struct error *err)
{
    int    rc = 0;
    size_t known = 0;
    while (task != NULL && env_name(known) != NULL && strcmp(env_name(known), task) != 0)
        known++;
    if (task != NULL && env_name(known) == NULL)
        return error_set(err, ERR_SPEC, "no task %s; `crossfleet-actor envs` lists them", task);
    fprintf(out, "%-26s%5s  %-18s%6s%11s%s\n", "task", "obs", "action", "steps", "threshold",
            bench ? "   steps/s" : "");
    for (size_t i = 0; rc == 0 && env_name(i) != NULL; i++)
        if (task == NULL || i == known)
            rc = print_task(out, env_name(i), bench, err);
    return rc;
}
