#include "common/spec_bind.h"

#include <math.h>
#include <string.h>

// env.kwargs, and the lists of terms of a custom task (common/task_spec.h has their YAML).

// ------ env.kwargs: a number, true, false, or [low, high] each

static bool read_value(const struct yaml_node *node, double *y)
{
    bool flag;
    if (yaml_get_bool(node, &flag)) {
        *y = flag;
        return true;
    }
    return yaml_get_number(node, y) && !isnan(*y);
}

static void read_kwarg(struct spec_bind *b, const struct yaml_entry *entry)
{
    struct env_spec        *env = &b->spec->env;
    struct kwarg_spec      *kwarg = &env->kwargs[env->n_kwargs];
    const struct yaml_node *node = entry->value;
    char                    path[SPEC_PATH], is[128];
    bool                    good = true;
    snprintf(path, sizeof path, "env.kwargs.%.60s", entry->key);
    if (env->n_kwargs == SPEC_KWARGS || strlen(entry->key) >= sizeof kwarg->name) {
        problems_add(b->problems, entry->line, path, "allowed: %d arguments with names under %zu",
                     SPEC_KWARGS, sizeof kwarg->name);
        return;
    }
    memset(kwarg, 0, sizeof *kwarg);
    kwarg->n = node->kind == YAML_LIST ? node->n : 1;
    if (node->kind == YAML_LIST)
        good = node->n == 2 && read_value(node->entry[0].value, &kwarg->value[0]) &&
               read_value(node->entry[1].value, &kwarg->value[1]);
    else
        good = read_value(node, &kwarg->value[0]);
    if (!good) {
        problems_add(b->problems, node->line, path,
                     "is %s, allowed: a number, true, false, or a list of two numbers",
                     yaml_describe(node, is, sizeof is));
        return;
    }
    snprintf(kwarg->name, sizeof kwarg->name, "%s", entry->key);
    kwarg->line = node->line > 0 ? node->line : 0;
    env->n_kwargs++;
}

static void read_kwargs(struct spec_bind *b)
{
    const struct yaml_node *node = spec_bind_at(b, "env.kwargs");
    char                    is[128];
    if (node == NULL || yaml_is_null(node))
        return;
    if (node->kind != YAML_MAP) {
        problems_add(b->problems, node->line, "env.kwargs", "is %s, allowed: a map",
                     yaml_describe(node, is, sizeof is));
        return;
    }
    for (size_t i = 0; i < node->n; i++)
        read_kwarg(b, &node->entry[i]);
}

// ------ terms

static bool copy_name(char *y, const struct yaml_node *node)
{
    const char *text = yaml_get_text(node);
    if (text == NULL || text[0] == '\0' || yaml_is_null(node) || strlen(text) >= TASK_NAME)
        return false;
    snprintf(y, TASK_NAME, "%s", text);
    return true;
}

static bool read_range(double *y, const struct yaml_node *node)
{
    return node->kind == YAML_LIST && node->n == 2 &&
           yaml_get_number(node->entry[0].value, &y[0]) &&
           yaml_get_number(node->entry[1].value, &y[1]) && !isnan(y[0]) && !isnan(y[1]);
}

// the object that a key of a term names: body, to_site, ...
static bool read_object(struct task_term *term, const char *key, const struct yaml_node *node,
                        bool *good)
{
    static const struct {
        const char           *key;
        enum task_object_kind kind;
        bool                  to;
    } keys[] = {
        {"body", TASK_BODY, false},     {"site", TASK_SITE, false},   {"joint", TASK_JOINT, false},
        {"sensor", TASK_SENSOR, false}, {"to_body", TASK_BODY, true}, {"to_site", TASK_SITE, true},
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(keys[i].key, key) == 0) {
            struct task_object *object = keys[i].to ? &term->to : &term->of;
            // a second object in the same place would win silently
            *good = object->kind == TASK_NOTHING && copy_name(object->name, node);
            object->kind = keys[i].kind;
            return true;
        }
    return false;
}

static void read_term_key(struct spec_bind *b, struct task_term *term,
                          const struct yaml_entry *entry, enum task_section section,
                          const char *path)
{
    static const char *const names[] = {"term",    "body",    "site",   "joint", "sensor",
                                        "to_body", "to_site", "weight", "range"};
    const struct yaml_node  *node = entry->value;
    const char              *allowed = "a name, for one object only";
    char                     below[SPEC_PATH], is[128];
    bool                     good = true;
    snprintf(below, sizeof below, "%.160s.%.60s", path, entry->key);
    if (strcmp(entry->key, "term") == 0) {
        good = copy_name(term->term, node);
        allowed = "the name of a term";
    } else if (strcmp(entry->key, "weight") == 0 && section == TASK_REWARD) {
        good = yaml_get_number(node, &term->weight) && isfinite(term->weight);
        allowed = "a finite number";
    } else if (strcmp(entry->key, "range") == 0 && section == TASK_TERMINATION) {
        good = read_range(term->range, node);
        allowed = "[low, high], .inf for no bound";
    } else if (!read_object(term, entry->key, node, &good)) {
        size_t n = section == TASK_OBSERVATION ? 7 : 8;
        spec_bind_unknown(b, entry->line, below, entry->key, names, n);
        return;
    }
    if (!good)
        problems_add(b->problems, node->line, below, "is %s, allowed: %s",
                     yaml_describe(node, is, sizeof is), allowed);
}

static void read_term(struct spec_bind *b, struct task_term *term, const struct yaml_node *node,
                      enum task_section section, const char *path)
{
    char   is[512];
    size_t before = b->problems->n;
    memset(term, 0, sizeof *term);
    term->weight = 1;
    term->range[0] = section == TASK_TERMINATION ? NAN : 0;
    term->line = node->line > 0 ? node->line : 0;
    if (node->kind == YAML_SCALAR) {
        if (!copy_name(term->term, node))
            problems_add(b->problems, node->line, path, "is %s, allowed: a term",
                         yaml_describe(node, is, sizeof is));
    } else if (yaml_find(node, "term") == NULL) {
        problems_add(b->problems, node->line, path, "no term in it, allowed: {term: NAME, ...}");
    } else {
        for (size_t i = 0; i < node->n; i++)
            read_term_key(b, term, &node->entry[i], section, path);
    }
    if (b->problems->n != before)
        return;
    task_term_check(term, section, is, sizeof is);
    if (is[0] != '\0')
        problems_add(b->problems, node->line, path, "%s", is);
}

static void read_terms(struct spec_bind *b, const char *key, enum task_section section,
                       struct task_term *terms, size_t *n)
{
    const struct yaml_node *list = spec_bind_at(b, key);
    char                    path[SPEC_PATH], is[128];
    if (list == NULL || yaml_is_null(list))
        return;
    if (list->kind != YAML_LIST || list->n > TASK_TERMS) {
        problems_add(b->problems, list->line, key, "is %s, allowed: a list of at most %d terms",
                     yaml_describe(list, is, sizeof is), TASK_TERMS);
        return;
    }
    for (size_t i = 0; i < list->n; i++) {
        snprintf(path, sizeof path, "%s.%zu", key, i);
        read_term(b, &terms[i], list->entry[i].value, section, path);
    }
    *n = list->n;
}

void spec_bind_task(struct spec_bind *b)
{
    struct task_spec *task = &b->spec->env.task;
    read_kwargs(b);
    read_terms(b, "env.observation", TASK_OBSERVATION, task->observation, &task->n_observation);
    read_terms(b, "env.reward", TASK_REWARD, task->reward, &task->n_reward);
    read_terms(b, "env.termination", TASK_TERMINATION, task->termination, &task->n_termination);
}
