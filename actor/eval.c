#include "actor/eval.h"

#include "actor/play.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

// the spec of the run that holds this policy: RUN/policy/X.safetensors has RUN/spec.yaml
static int spec_find(const char *path, const char *env, struct spec *spec, struct error *err)
{
    char  file[PATH_SIZE];
    char *slash;
    snprintf(file, sizeof file, "%s", path);
    if ((slash = strrchr(file, '/')) != NULL) {
        snprintf(slash, sizeof file - (size_t)(slash - file), "/../spec.yaml");
        if (access(file, R_OK) == 0)
            return spec_load(spec, file, &(struct spec_options){0}, NULL, err);
    }
    *spec = (struct spec){0};
    snprintf(spec->env.name, sizeof spec->env.name, "%s", env);
    return 0;
}

int eval_load(const char *target, struct policy *p, struct policy_about *about, struct spec *spec,
              struct error *err)
{
    char        path[PATH_SIZE];
    struct stat st;
    bool        folder = stat(target, &st) == 0 && S_ISDIR(st.st_mode);
    snprintf(path, sizeof path, "%s%s", target, folder ? "/policy/latest.safetensors" : "");
    if (policy_file_load(path, p, about, 1, err) < 0)
        return err->code;
    return spec_find(path, about->env, spec, err);
}

struct summary {
    double mean, std, min, max, length;
};

static struct summary summarize(const struct play_result *r, uint64_t n)
{
    struct summary s = {.min = INFINITY, .max = -INFINITY};
    for (uint64_t i = 0; i < n; i++) {
        s.mean += r[i].ret / (double)n;
        s.length += (double)r[i].length / (double)n;
        s.min = fmin(s.min, r[i].ret);
        s.max = fmax(s.max, r[i].ret);
    }
    for (uint64_t i = 0; i < n; i++)
        s.std += (r[i].ret - s.mean) * (r[i].ret - s.mean) / (double)n;
    s.std = sqrt(s.std);
    return s;
}

static void print_json(FILE *out, const struct policy_about *about, uint64_t seed,
                       const struct play_result *r, uint64_t n)
{
    struct summary s = summarize(r, n);
    fprintf(out,
            "{\"env\":\"%s\",\"run_id\":\"%s\",\"version\":%llu,\"timesteps\":%llu,"
            "\"episodes\":%llu,\"seed\":%llu,\"mean\":%.10g,\"std\":%.10g,\"min\":%.10g,"
            "\"max\":%.10g,\"mean_length\":%.10g,\"returns\":[",
            about->env, about->run_id, (unsigned long long)about->weights_version,
            (unsigned long long)about->steps, (unsigned long long)n, (unsigned long long)seed,
            s.mean, s.std, s.min, s.max, s.length);
    for (uint64_t i = 0; i < n; i++)
        fprintf(out, "%s%.10g", i > 0 ? "," : "", r[i].ret);
    fprintf(out, "],\"lengths\":[");
    for (uint64_t i = 0; i < n; i++)
        fprintf(out, "%s%llu", i > 0 ? "," : "", (unsigned long long)r[i].length);
    fprintf(out, "]}\n");
}

static void print_text(FILE *out, const struct policy_about *about, const struct play_result *r,
                       uint64_t n)
{
    struct summary s = summarize(r, n);
    fprintf(out, "%s: mean %.2f, std %.2f, min %.2f, max %.2f over %llu episodes of %.1f steps\n",
            about->env, s.mean, s.std, s.min, s.max, (unsigned long long)n, s.length);
}

int eval_run(const char *target, uint64_t episodes, uint64_t seed, bool json, FILE *out,
             struct error *err)
{
    struct policy       policy = {0};
    struct policy_about about;
    struct spec        *spec = malloc(sizeof *spec);
    struct play         play = {0};
    struct env         *env = NULL;
    struct play_result *results = calloc(episodes + 1, sizeof *results);
    int                 rc = 0;
    if (spec == NULL || results == NULL)
        rc =
            error_set(err, ERR_MEMORY, "no memory for %llu episodes", (unsigned long long)episodes);
    if (rc == 0)
        rc = eval_load(target, &policy, &about, spec, err);
    if (rc == 0 && (env = env_make(spec, err)) == NULL)
        rc = err->code;
    if (rc == 0)
        rc = play_fits(env_info(env), &policy, err);
    if (rc == 0)
        rc = play_init(&play, env, &policy, err);
    for (uint64_t i = 0; rc == 0 && i < episodes; i++)
        results[i] = play_episode(&play, seed, i, NULL, NULL);
    if (rc == 0 && json)
        print_json(out, &about, seed, results, episodes);
    else if (rc == 0)
        print_text(out, &about, results, episodes);
    play_free(&play);
    env_free(env);
    policy_free(&policy);
    free(results);
    free(spec);
    return rc;
}
