#include "common/spec_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ------ named specs

static bool is_spec(const struct yaml_node *node)
{
    return yaml_find(node, "agent") != NULL || yaml_find(node, "env") != NULL;
}

// the file's name without folder and ending
static void name_of_file(const char *file, char *name)
{
    const char *slash = strrchr(file, '/');
    const char *start = slash != NULL ? slash + 1 : file;
    snprintf(name, SPEC_NAME, "%.*s", (int)strcspn(start, "."), start);
    if (name[0] == '\0')
        snprintf(name, SPEC_NAME, "spec");
}

static void list_names(const struct yaml_node *root, char *list, size_t size)
{
    size_t used = 0;
    list[0] = '\0';
    for (size_t i = 0; i < root->n && used < size; i++)
        if (root->entry[i].key[0] != '_')
            used += (size_t)snprintf(list + used, size - used, "%s%s", used > 0 ? ", " : "",
                                     root->entry[i].key);
}

struct yaml_node *spec_source_pick(struct yaml_node *root, const char *name, char *found,
                                   struct problems *problems)
{
    char   names[400];
    size_t n = 0, last = 0;
    bool   any = name == NULL || name[0] == '\0';
    if (root->kind != YAML_MAP) {
        problems_add(problems, root->line, "", "no map, expected agent, env, meta, or named specs");
        return NULL;
    }
    if (is_spec(root)) {
        name_of_file(problems->file, found);
        if (any || strcmp(name, found) == 0)
            return root;
        problems_add(problems, 0, "", "holds one spec without a name, give no :%s", name);
        return NULL;
    }
    for (size_t i = 0; i < root->n; i++)
        if (root->entry[i].key[0] != '_' && (any || strcmp(root->entry[i].key, name) == 0)) {
            last = i;
            n++;
        }
    list_names(root, names, sizeof names);
    if (n != 1 && !any)
        problems_add(problems, 0, "", "no spec %s in it, allowed: %s", name, names);
    else if (n == 0)
        problems_add(problems, 0, "", "no spec in it, expected agent, env, meta, or named specs");
    else if (n > 1)
        problems_add(problems, 0, "", "several specs, choose by FILE:NAME: %s", names);
    else if (strlen(root->entry[last].key) >= SPEC_NAME || root->entry[last].key[0] == '\0')
        problems_add(problems, root->entry[last].line, "", "the spec's name is empty or too long");
    else if (root->entry[last].value->kind != YAML_MAP)
        problems_add(problems, root->entry[last].line, root->entry[last].key,
                     "is no map, expected agent, env, meta");
    else {
        snprintf(found, SPEC_NAME, "%s", root->entry[last].key);
        return root->entry[last].value;
    }
    return NULL;
}

// ------ variables

// the value of variable name (n bytes), or NULL
static const char *variable(const struct spec_options *options, const char *name, size_t n)
{
    for (size_t i = 0; i < options->n_var; i++)
        if (strncmp(options->var[i], name, n) == 0 && options->var[i][n] == '=')
            return options->var[i] + n + 1;
    return NULL;
}

static void fill_scalar(struct yaml_tree *tree, struct yaml_node *node,
                        const struct spec_options *options, struct problems *problems)
{
    const char *from = node->text, *start;
    char        text[1024];
    size_t      used = 0;
    if (strstr(from, "${") == NULL)
        return;
    while ((start = strstr(from, "${")) != NULL && strchr(start, '}') != NULL) {
        size_t      n = (size_t)(strchr(start, '}') - start) - 2;
        const char *value = variable(options, start + 2, n);
        if (value == NULL) {
            problems_add(problems, node->line, "", "${%.*s}: no value, give --var %.*s=VALUE",
                         (int)n, start + 2, (int)n, start + 2);
            return;
        }
        // a variable that is all of a JSON string may be a number, too
        if (start == node->text && start[n + 3] == '\0')
            node->quoted = false;
        used += (size_t)snprintf(text + used, sizeof text - used, "%.*s%s", (int)(start - from),
                                 from, value);
        from = start + n + 3;
        if (used >= sizeof text)
            break;
    }
    if (used < sizeof text)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s", from);
    const char *filled = used < sizeof text ? yaml_tree_text(tree, text) : NULL;
    if (filled == NULL)
        problems_add(problems, node->line, "", "too long with its variables filled in");
    else
        node->text = filled;
}

void spec_source_fill(struct yaml_tree *tree, struct yaml_node *node,
                      const struct spec_options *options, struct problems *problems)
{
    if (node->kind == YAML_SCALAR)
        fill_scalar(tree, node, options, problems);
    for (size_t i = 0; i < node->n; i++)
        spec_source_fill(tree, node->entry[i].value, options, problems);
}

// ------ --set

// every node of a value that --set gave belongs to no line of the file
static void mark_as_set(struct yaml_node *node)
{
    node->line = PROBLEM_SET;
    for (size_t i = 0; i < node->n; i++) {
        node->entry[i].line = PROBLEM_SET;
        mark_as_set(node->entry[i].value);
    }
}

// the place of `step` in node, made if it is a map without it; NULL with a problem
static struct yaml_entry *set_step(struct yaml_tree *tree, struct yaml_node *node, const char *step,
                                   const char *path, struct problems *problems)
{
    // a section left out or null becomes one
    if (node->kind == YAML_SCALAR && yaml_is_null(node))
        *node = (struct yaml_node){.kind = YAML_MAP, .line = node->line, .text = ""};
    if (node->kind == YAML_SCALAR) {
        problems_add(problems, PROBLEM_SET, path, "there is nothing below %s", node->text);
        return NULL;
    }
    if (node->kind == YAML_LIST) {
        char         *end;
        unsigned long i = strtoul(step, &end, 10);
        if (step[0] >= '0' && step[0] <= '9' && *end == '\0' && i < node->n)
            return &node->entry[i];
        problems_add(problems, PROBLEM_SET, path, "no item %s, allowed: 0 to %zu", step,
                     node->n == 0 ? 0 : node->n - 1);
        return NULL;
    }
    for (size_t i = 0; i < node->n; i++)
        if (strcmp(node->entry[i].key, step) == 0)
            return &node->entry[i];
    const char       *key = yaml_tree_text(tree, step);
    struct yaml_node *value = yaml_tree_node(tree, YAML_MAP, PROBLEM_SET);
    if (key == NULL || value == NULL || !yaml_tree_append(tree, node, key, value)) {
        problems_add(problems, PROBLEM_SET, path, "no memory for it");
        return NULL;
    }
    return &node->entry[node->n - 1];
}

static void set_one(struct yaml_tree *tree, struct yaml_node *spec, const char *text,
                    struct problems *problems)
{
    char        path[256], steps[256];
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text || (size_t)(equals - text) >= sizeof path) {
        problems_add(problems, PROBLEM_SET, "", "%.100s: expected PATH=VALUE", text);
        return;
    }
    snprintf(path, sizeof path, "%.*s", (int)(equals - text), text);
    memcpy(steps, path, sizeof steps);

    // a mistake in the value is one of the command line, whatever its line
    struct problems inner;
    struct error    err;
    problems_init(&inner, "value");
    struct yaml_node *value = equals[1] == '\0'
                                  ? yaml_tree_node(tree, YAML_SCALAR, PROBLEM_SET)
                                  : yaml_tree_parse(tree, equals + 1, strlen(equals + 1), &inner);
    if (problems_error(&inner, &err) != 0)
        problems_add(problems, PROBLEM_SET, path, "%.300s", err.text);
    problems_free(&inner);
    if (value == NULL)
        return;
    mark_as_set(value);

    struct yaml_node  *node = spec;
    struct yaml_entry *entry = NULL;
    char              *rest = NULL;
    for (char *step = strtok_r(steps, ".", &rest); step != NULL;
         step = strtok_r(NULL, ".", &rest)) {
        entry = set_step(tree, node, step, path, problems);
        if (entry == NULL)
            return;
        node = entry->value;
    }
    if (entry == NULL)
        return;
    entry->value = value;
    entry->line = PROBLEM_SET;
}

void spec_source_set(struct yaml_tree *tree, struct yaml_node *spec,
                     const struct spec_options *options, struct problems *problems)
{
    for (size_t i = 0; i < options->n_set; i++)
        set_one(tree, spec, options->set[i], problems);
}
