#include "common/spec.h"

#include "common/crc32c.h"
#include "common/pool.h"
#include "common/spec_bind.h"
#include "common/spec_source.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ------ from text

static void read_spec(struct spec_bind *b, struct yaml_tree *tree, const char *text, size_t size,
                      const char *name, const struct spec_options *options)
{
    struct problems  *problems = b->problems;
    struct yaml_node *root = yaml_tree_parse(tree, text, size, problems);
    if (root == NULL)
        return;
    b->root = spec_source_pick(root, name, b->spec->name, problems);
    if (b->root == NULL)
        return;
    spec_source_set(tree, b->root, options, problems);
    spec_source_fill(tree, b->root, options, problems);
    spec_bind_keys(b);
    spec_bind_nets(b);
    spec_bind_task(b);
    spec_bind_resolve(b);
    // keys that are wrong alone need no word about how they fit together
    if (problems->n == 0)
        spec_bind_check(b);
}

int spec_parse(struct spec *spec, const char *text, size_t size, const char *label,
               const char *name, const struct spec_options *options, FILE *notes, struct error *err)
{
    static const struct spec_options none = {0};
    struct yaml_tree                 tree = {0};
    struct problems                  problems;
    struct spec_bind                 b = {.spec = spec, .problems = &problems, .notes = notes};
    memset(spec, 0, sizeof *spec);
    snprintf(spec->file, sizeof spec->file, "%s", label);
    problems_init(&problems, label);
    read_spec(&b, &tree, text, size, name, options != NULL ? options : &none);
    int code = problems_error(&problems, err);
    yaml_tree_free(&tree);
    problems_free(&problems);
    return code;
}

// ------ from a file

// the whole file, at most one byte more than a spec may have
static char *read_file(const char *path, size_t *size, struct error *err)
{
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        error_set(err, ERR_SPEC, "%s: %s; specs to start from are in configs/", path,
                  strerror(errno));
        return NULL;
    }
    char *text = malloc(YAML_MAX_SIZE + 1);
    if (text == NULL) {
        error_set(err, ERR_MEMORY, "%s: no memory to read it", path);
    } else {
        *size = fread(text, 1, YAML_MAX_SIZE + 1, in);
        if (ferror(in)) {
            error_set(err, ERR_SPEC, "%s: cannot be read: %s", path, strerror(errno));
            free(text);
            text = NULL;
        }
    }
    fclose(in);
    return text;
}

// a resolved spec is read from another folder: its files are named from the root on
static void make_absolute(char *path, size_t size, const char *spec_file)
{
    char        joined[2 * PATH_MAX], folder[PATH_MAX] = "";
    const char *slash = strrchr(spec_file, '/');
    if (path[0] == '\0' || path[0] == '/')
        return;
    if (spec_file[0] != '/' && getcwd(folder, sizeof folder) == NULL)
        return;
    int n = snprintf(joined, sizeof joined, "%s%s%.*s%s", folder, folder[0] != '\0' ? "/" : "",
                     slash != NULL ? (int)(slash + 1 - spec_file) : 0, spec_file, path);
    // a longer one stays as it is, and whoever opens it says that it is not there
    if (n > 0 && (size_t)n < sizeof joined && (size_t)n < size)
        memcpy(path, joined, (size_t)n + 1);
}

int spec_load(struct spec *spec, const char *file_and_name, const struct spec_options *options,
              FILE *notes, struct error *err)
{
    char        path[PATH_MAX];
    const char *name = NULL;
    const char *colon = strrchr(file_and_name, ':');
    size_t      length = strlen(file_and_name), size = 0;
    // a colon may also belong to the file's own name
    if (colon != NULL && access(file_and_name, F_OK) != 0) {
        length = (size_t)(colon - file_and_name);
        name = colon + 1;
    }
    if (length >= sizeof spec->file)
        return error_set(err, ERR_SPEC, "%.60s...: path of a spec longer than %zu bytes",
                         file_and_name, sizeof spec->file - 1);
    snprintf(path, sizeof path, "%.*s", (int)length, file_and_name);
    struct error own = {0};
    char        *text = read_file(path, &size, &own);
    if (text == NULL) {
        if (err != NULL)
            *err = own;
        return own.code;
    }
    int code = spec_parse(spec, text, size, path, name, options, notes, err);
    free(text);
    if (code == 0) {
        make_absolute(spec->env.task.model, sizeof spec->env.task.model, path);
        make_absolute(spec->env.task.plugin, sizeof spec->env.task.plugin, path);
    }
    return code;
}

// ------ what follows from a spec

void spec_ratio(const struct spec *spec, uint64_t *p, uint64_t *q)
{
    *p = spec->algorithm.training_iter;
    *q = spec->algorithm.training_frequency > spec->env.num_envs
             ? spec->algorithm.training_frequency
             : spec->env.num_envs;
    uint64_t a = *p, b = *q;
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    *p /= a;
    *q /= a;
}

uint64_t spec_envs_per_actor(const struct spec *spec, uint64_t actors)
{
    if (spec->cluster.envs_per_actor > 0)
        return spec->cluster.envs_per_actor;
    return actors > 1 ? (spec->env.num_envs + actors - 1) / actors : spec->env.num_envs;
}

uint64_t spec_learner_threads(const struct spec *spec, uint64_t cores, uint64_t actors)
{
    if (spec->cluster.learner_threads > 0)
        return spec->cluster.learner_threads;
    // at few cores actors wait for the learner most of the time and give way
    uint64_t threads = cores <= 4 ? cores : actors < cores / 2 ? cores - actors : cores / 2;
    return threads < POOL_THREADS ? threads : POOL_THREADS;
}

uint32_t spec_hash(const struct spec *spec)
{
    char        *text = NULL;
    size_t       size = 0;
    uint32_t     hash = 0;
    struct spec *same = malloc(sizeof *same);
    FILE        *out = open_memstream(&text, &size);
    if (same != NULL && out != NULL) {
        *same = *spec;
        same->seed = 0;
        spec_write(same, out, NULL);
    }
    if (out != NULL && fclose(out) == 0 && same != NULL)
        hash = crc32c(0, text, size);
    free(text);
    free(same);
    return hash;
}
