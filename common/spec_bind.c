#include "common/spec_bind.h"

#include <string.h>

// keys that common/spec_net.c and common/spec_task.c read
static const char *const structured[] = {
    "agent.net.type",
    "agent.net.arc",
    "agent.net.hid_layers",
    "agent.net.hid_layers_activation",
    "agent.critic_net.type",
    "agent.critic_net.arc",
    "agent.critic_net.hid_layers",
    "agent.critic_net.hid_layers_activation",
    "env.kwargs",
    "env.observation",
    "env.reward",
    "env.termination",
};

enum { N_STRUCTURED = sizeof structured / sizeof structured[0], MAX_NAMES = 64 };

// ------ paths

static struct yaml_node *see_through(struct yaml_node *node)
{
    while (node != NULL && node->kind == YAML_LIST && node->n == 1 &&
           node->entry[0].value->kind == YAML_MAP)
        node = node->entry[0].value;
    return node;
}

struct yaml_node *spec_bind_at(const struct spec_bind *b, const char *path)
{
    struct yaml_node *node = b->root;
    char              step[SPEC_PATH];
    while (node != NULL && *path != '\0') {
        size_t n = strcspn(path, ".");
        snprintf(step, sizeof step, "%.*s", (int)n, path);
        node = yaml_find(see_through(node), step);
        path += n + (path[n] == '.');
    }
    return node;
}

int spec_bind_line(const struct spec_bind *b, const char *path)
{
    char above[SPEC_PATH];
    snprintf(above, sizeof above, "%s", path);
    for (;;) {
        const struct yaml_node *node = spec_bind_at(b, above);
        if (node != NULL)
            return node->line;
        char *dot = strrchr(above, '.');
        above[dot != NULL ? dot - above : 0] = '\0';
    }
}

static bool is_below(const char *path, const char *section)
{
    size_t n = strlen(section);
    return strncmp(path, section, n) == 0 && (n == 0 || path[n] == '.');
}

// ------ names for suggestions

// adds the step of path that follows section, once
static size_t add_name(char names[][64], size_t n, const char *path, const char *section)
{
    if (!is_below(path, section) || n == MAX_NAMES)
        return n;
    const char *step = section[0] == '\0' ? path : path + strlen(section) + 1;
    size_t      length = strcspn(step, ".");
    snprintf(names[n], 64, "%.*s", (int)length, step);
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], names[n]) == 0)
            return n;
    return n + 1;
}

// the keys that a section may have
static size_t section_names(char names[][64], const char *section)
{
    size_t                     n = 0, n_keys, n_ignored;
    const struct spec_key     *keys = spec_table(&n_keys);
    const struct spec_ignored *ignored = spec_table_ignored(&n_ignored);
    for (size_t i = 0; i < n_keys; i++)
        n = add_name(names, n, keys[i].path, section);
    for (size_t i = 0; i < N_STRUCTURED; i++)
        n = add_name(names, n, structured[i], section);
    for (size_t i = 0; i < n_ignored; i++)
        n = add_name(names, n, ignored[i].path, section);
    return n;
}

// Levenshtein's distance, up to 63 letters
static size_t distance(const char *a, const char *b)
{
    size_t row[64], n = strlen(b);
    if (n > 63 || strlen(a) > 63)
        return 64;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 1; j <= n; j++) {
            size_t change = diagonal + (a[i] != b[j - 1]);
            diagonal = row[j];
            row[j] = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            if (change < row[j])
                row[j] = change;
        }
    }
    return row[n];
}

// a path of the table that ends in key but lies elsewhere, or NULL
static const char *same_leaf(const char *key)
{
    size_t                 n;
    const struct spec_key *keys = spec_table(&n);
    for (size_t i = 0; i < n; i++) {
        const char *dot = strrchr(keys[i].path, '.');
        if (dot != NULL && strcmp(dot + 1, key) == 0 && strcmp(key, "name") != 0)
            return keys[i].path;
    }
    return NULL;
}

void spec_bind_unknown(struct spec_bind *b, int line, const char *path, const char *key,
                       const char *const *names, size_t n)
{
    size_t      best = strlen(key) / 3 + 1, used = 0;
    const char *nearest = NULL;
    char        list[400] = "nothing";
    for (size_t i = 0; i < n; i++)
        if (distance(key, names[i]) < best) {
            best = distance(key, names[i]);
            nearest = names[i];
        }
    if (nearest == NULL)
        nearest = same_leaf(key);
    if (nearest != NULL) {
        problems_add(b->problems, line, path, "unknown key, did you mean %s?", nearest);
        return;
    }
    for (size_t i = 0; i < n && used < sizeof list; i++)
        used +=
            (size_t)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", names[i]);
    problems_add(b->problems, line, path, "unknown key, allowed: %s", list);
}

static void unknown_in_section(struct spec_bind *b, int line, const char *path, const char *section,
                               const char *key)
{
    char        names[MAX_NAMES + 1][64];
    const char *pointers[MAX_NAMES];
    size_t      n = section_names(names, section);
    for (size_t i = 0; i < n; i++)
        pointers[i] = names[i];
    spec_bind_unknown(b, line, path, key, pointers, n);
}

void spec_bind_note(struct spec_bind *b, int line, const char *path, const char *why)
{
    if (b->notes == NULL)
        return;
    if (line > 0)
        fprintf(b->notes, "%s:%d: %s: accepted, means nothing here: %s\n", b->spec->file, line,
                path, why);
    else
        fprintf(b->notes, "--set: %s: accepted, means nothing here: %s\n", path, why);
}

// ------ the walk

static void bind_ignored(struct spec_bind *b, const struct spec_ignored *ignored,
                         const struct yaml_node *node)
{
    char        is[128];
    const char *text = yaml_get_text(node);
    if (ignored->only != NULL && !yaml_is_null(node) &&
        (text == NULL || strcmp(text, ignored->only) != 0))
        problems_add(b->problems, node->line, ignored->path, "is %s, allowed: %s (%s)",
                     yaml_describe(node, is, sizeof is), ignored->only, ignored->why);
    else
        spec_bind_note(b, node->line, ignored->path, ignored->why);
}

// true when path is a key of its own, which is then read
static bool bind_leaf(struct spec_bind *b, const char *path, const struct yaml_node *node)
{
    size_t                     n;
    const struct spec_key     *keys = spec_table(&n);
    const struct spec_ignored *ignored;
    for (size_t i = 0; i < n; i++)
        if (strcmp(keys[i].path, path) == 0) {
            spec_key_read(&keys[i], b->spec, node, path, b->problems);
            return true;
        }
    ignored = spec_table_ignored(&n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(ignored[i].path, path) == 0) {
            bind_ignored(b, &ignored[i], node);
            return true;
        }
    for (size_t i = 0; i < N_STRUCTURED; i++)
        if (strcmp(structured[i], path) == 0)
            return true;
    return false;
}

static void bind_section(struct spec_bind *b, const char *section, struct yaml_node *node);

// a list of numbers, such as betas: its items are keys 0, 1, ...
static void bind_numbered(struct spec_bind *b, const char *path, struct yaml_node *list, size_t n)
{
    char is[128], item[SPEC_PATH + 24];
    if (list->kind != YAML_LIST || list->n != n) {
        if (list->kind == YAML_LIST)
            snprintf(is, sizeof is, "a list of %zu", list->n);
        problems_add(b->problems, list->line, path, "is %s, allowed: a list of %zu numbers",
                     list->kind == YAML_LIST ? is : yaml_describe(list, is, sizeof is), n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        snprintf(item, sizeof item, "%s.%zu", path, i);
        bind_leaf(b, item, list->entry[i].value);
    }
}

static void bind_entry(struct spec_bind *b, const char *section, struct yaml_entry *entry)
{
    char path[SPEC_PATH], is[128], names[MAX_NAMES + 1][64];
    int  n =
        snprintf(path, sizeof path, "%s%s%s", section, section[0] != '\0' ? "." : "", entry->key);
    // a dot inside a key is no path
    bool good = n >= 0 && (size_t)n < sizeof path && strchr(entry->key, '.') == NULL;
    if (good && bind_leaf(b, path, entry->value))
        return;
    size_t n_names = good ? section_names(names, path) : 0;
    if (n_names == 0) {
        unknown_in_section(b, entry->line, path, section, entry->key);
        return;
    }
    if (strcmp(names[0], "0") == 0) {
        bind_numbered(b, path, entry->value, n_names);
        return;
    }
    struct yaml_node *node = see_through(entry->value);
    if (node->kind == YAML_MAP)
        bind_section(b, path, node);
    else if (!yaml_is_null(node))
        problems_add(b->problems, node->line, path, "is %s, allowed: a map",
                     yaml_describe(node, is, sizeof is));
}

static void bind_section(struct spec_bind *b, const char *section, struct yaml_node *node)
{
    for (size_t i = 0; i < node->n; i++)
        bind_entry(b, section, &node->entry[i]);
}

bool spec_bind_left_out(const struct spec_bind *b, const char *path)
{
    const struct yaml_node *node = spec_bind_at(b, path);
    return node == NULL || yaml_is_null(node);
}

void spec_bind_keys(struct spec_bind *b)
{
    size_t                 n;
    char                   allowed[256];
    const struct spec_key *keys = spec_table(&n);
    for (size_t i = 0; i < n; i++)
        spec_key_preset(&keys[i], b->spec);
    bind_section(b, "", b->root);
    for (size_t i = 0; i < n; i++)
        if (keys[i].needed && spec_bind_at(b, keys[i].path) == NULL)
            problems_add(b->problems, spec_bind_line(b, keys[i].path), keys[i].path,
                         "missing key, allowed: %s",
                         spec_key_allowed(&keys[i], allowed, sizeof allowed));
}
