#include "common/spec.h"
#include "common/spec_table.h"
#include "common/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void indent(FILE *out, size_t depth)
{
    fprintf(out, "%*s", (int)(2 * depth), "");
}

// ------ keys of the table

// help, unit and range behind a value
static void write_comment(const struct spec_key *key, FILE *out)
{
    char allowed[256];
    fprintf(out, "  # %s%s%s%s", key->help, key->unit[0] != '\0' ? " [" : "", key->unit,
            key->unit[0] != '\0' ? "]" : "");
    if (key->kind == SPEC_WORD || key->kind == SPEC_UINT || key->kind == SPEC_NUMBER)
        fprintf(out, "; %s", spec_key_allowed(key, allowed, sizeof allowed));
    putc('\n', out);
}

// opens the sections of path that `last` is not in; returns the depth of its leaf
static size_t write_sections(const char *path, const char *last, FILE *out)
{
    size_t depth = 1;
    bool   same = true;
    for (const char *dot = strchr(path, '.'); dot != NULL; dot = strchr(dot + 1, '.'), depth++) {
        size_t      n = (size_t)(dot - path) + 1;
        const char *start = path;
        same = same && strncmp(path, last, n) == 0;
        if (same)
            continue;
        for (const char *c = path; c < dot; c++)
            if (*c == '.')
                start = c + 1;
        indent(out, depth);
        fprintf(out, "%.*s:\n", (int)(dot - start), start);
    }
    return depth;
}

static void write_key(const struct spec *spec, const struct spec_key *key, const char *last,
                      FILE *out)
{
    size_t      depth = write_sections(key->path, last, out);
    const char *leaf = strrchr(key->path, '.') + 1;
    indent(out, depth);
    if (leaf[0] >= '0' && leaf[0] <= '9')
        fputs("- ", out);
    else
        fprintf(out, "%s: ", leaf);
    spec_key_write(key, spec, out);
    write_comment(key, out);
}

// ------ networks

static const char *layer_name(enum layer_kind kind)
{
    switch (kind) {
    case LAYER_LINEAR:
        return "LazyLinear";
    case LAYER_BATCH_RENORM:
        return "LazyBatchRenorm1d";
    case LAYER_LAYER_NORM:
        return "LayerNorm";
    case LAYER_RELU:
        return "ReLU";
    case LAYER_TANH:
        return "Tanh";
    }
    return "";
}

static void write_layer(const struct layer_spec *layer, FILE *out)
{
    size_t                 n, length = strlen(layer_name(layer->kind));
    const struct spec_key *keys = spec_table_layers(&n);
    bool                   first = true;
    indent(out, 7);
    fprintf(out, "- %s:", layer_name(layer->kind));
    for (size_t i = 0; i < n; i++) {
        if (strncmp(keys[i].path, layer_name(layer->kind), length) != 0)
            continue;
        fprintf(out, "%s%s: ", first ? " {" : ", ", keys[i].path + length + 1);
        spec_key_write(&keys[i], layer, out);
        first = false;
    }
    fputs(first ? "\n" : "}\n", out);
}

static void write_layers(const struct net_spec *net, FILE *out)
{
    fputs("      type: TorchArcNet\n"
          "      arc:\n"
          "        modules:\n"
          "          body:\n"
          "            Sequential:  # hidden layers from the input; the algorithm adds the heads\n",
          out);
    for (size_t i = 0; i < net->n_layers; i++)
        write_layer(&net->layers[i], out);
    fputs("        graph: {input: x, modules: {body: [x]}, output: body}\n", out);
}

// ------ the task

static void write_value(double value, FILE *out)
{
    if (isinf(value))
        fputs(value > 0 ? ".inf" : "-.inf", out);
    else
        fprintf(out, "%.17g", value);
}

static void write_kwargs(const struct env_spec *env, FILE *out)
{
    fputs("    kwargs:  # arguments of the task\n", out);
    for (size_t i = 0; i < env->n_kwargs; i++) {
        const struct kwarg_spec *kwarg = &env->kwargs[i];
        fputs("      ", out);
        yaml_put_text(out, kwarg->name);
        fputs(kwarg->n == 2 ? ": [" : ": ", out);
        write_value(kwarg->value[0], out);
        if (kwarg->n == 2) {
            fputs(", ", out);
            write_value(kwarg->value[1], out);
            putc(']', out);
        }
        putc('\n', out);
    }
}

static void write_object(const char *prefix, const struct task_object *object, FILE *out)
{
    const char *key = object->kind == TASK_BODY    ? "body"
                      : object->kind == TASK_SITE  ? "site"
                      : object->kind == TASK_JOINT ? "joint"
                                                   : "sensor";
    if (object->kind == TASK_NOTHING)
        return;
    fprintf(out, ", %s%s: ", prefix, key);
    yaml_put_text(out, object->name);
}

static void write_terms(const char *key, const struct task_term *terms, size_t n, FILE *out)
{
    fprintf(out, "    %s:\n", key);
    for (size_t i = 0; i < n; i++) {
        fputs("      - {term: ", out);
        yaml_put_text(out, terms[i].term);
        write_object("", &terms[i].of, out);
        write_object("to_", &terms[i].to, out);
        if (strcmp(key, "reward") == 0) {
            fputs(", weight: ", out);
            write_value(terms[i].weight, out);
        }
        if (strcmp(key, "termination") == 0) {
            fputs(", range: [", out);
            write_value(terms[i].range[0], out);
            fputs(", ", out);
            write_value(terms[i].range[1], out);
            putc(']', out);
        }
        fputs("}\n", out);
    }
}

static void write_task(const struct env_spec *env, FILE *out)
{
    if (env->n_kwargs > 0)
        write_kwargs(env, out);
    if (env->task.n_observation > 0)
        write_terms("observation", env->task.observation, env->task.n_observation, out);
    if (env->task.n_reward > 0)
        write_terms("reward", env->task.reward, env->task.n_reward, out);
    if (env->task.n_termination > 0)
        write_terms("termination", env->task.termination, env->task.n_termination, out);
}

// ------ all of it

int spec_write(const struct spec *spec, FILE *out, struct error *err)
{
    size_t                 n;
    const struct spec_key *keys = spec_table(&n);
    const char            *last = "";
    yaml_put_text(out, spec->name);
    fputs(":\n", out);
    for (size_t i = 0; i < n; i++) {
        // what the table does not hold stands where its section starts
        bool actor = strncmp(keys[i].path, "agent.net.", 10) == 0;
        bool critic = strncmp(keys[i].path, "agent.critic_net.", 17) == 0;
        bool starts = (actor && strncmp(last, "agent.net.", 10) != 0) ||
                      (critic && strncmp(last, "agent.critic_net.", 17) != 0);
        if (starts) {
            fprintf(out, "    %s:\n", actor ? "net" : "critic_net");
            write_layers(actor ? &spec->actor_net : &spec->critic_net, out);
            last = actor ? "agent.net." : "agent.critic_net.";
        }
        if (strncmp(last, "env.", 4) == 0 && strncmp(keys[i].path, "env.", 4) != 0)
            write_task(&spec->env, out);
        write_key(spec, &keys[i], last, out);
        last = keys[i].path;
    }
    if (fflush(out) != 0 || ferror(out))
        return error_set(err, ERR_SYSTEM, "the resolved spec: not written: %s", strerror(errno));
    return 0;
}

char *spec_text(const struct spec *spec, struct error *err)
{
    char  *text = NULL;
    size_t size;
    FILE  *out = open_memstream(&text, &size);
    int    rc = out == NULL ? ERR_MEMORY : spec_write(spec, out, err);
    if (out != NULL && fclose(out) != 0)
        rc = ERR_MEMORY;
    if (rc == 0)
        return text;
    free(text);
    error_set(err, ERR_MEMORY, "no memory for the spec's text");
    return NULL;
}
