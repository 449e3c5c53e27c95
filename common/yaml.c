#include "common/yaml.h"

#include <stdlib.h>
#include <string.h>

#include <yaml.h>

// ------ memory: blocks that grow by doubling and are freed together

struct yaml_block {
    struct yaml_block *next;
    size_t             used, size;
    max_align_t        bytes[];
};

static void *take(struct yaml_tree *y, size_t size)
{
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    struct yaml_block *b = y->blocks;
    if (b == NULL || b->size - b->used < size) {
        size_t room = b == NULL ? 16384 : b->size * 2;
        if (room < size)
            room = size;
        b = malloc(sizeof *b + room);
        if (b == NULL)
            return NULL;
        *b = (struct yaml_block){.next = y->blocks, .size = room};
        y->blocks = b;
    }
    void *p = (char *)b->bytes + b->used;
    b->used += size;
    return memset(p, 0, size);
}

void yaml_tree_free(struct yaml_tree *y)
{
    while (y->blocks != NULL) {
        struct yaml_block *next = y->blocks->next;
        free(y->blocks);
        y->blocks = next;
    }
    memset(y, 0, sizeof *y);
}

const char *yaml_tree_text(struct yaml_tree *y, const char *text)
{
    size_t size = strlen(text) + 1;
    char  *copy = take(y, size);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

struct yaml_node *yaml_tree_node(struct yaml_tree *y, enum yaml_kind kind, int line)
{
    struct yaml_node *node = take(y, sizeof *node);
    if (node != NULL) {
        node->kind = kind;
        node->line = line;
        node->text = "";
    }
    return node;
}

bool yaml_tree_append(struct yaml_tree *y, struct yaml_node *node, const char *key,
                      struct yaml_node *value)
{
    // the array has room for the next power of two above n
    if ((node->n & (node->n - 1)) == 0) {
        size_t             room = node->n == 0 ? 1 : node->n * 2;
        struct yaml_entry *bigger = take(y, room * sizeof *bigger);
        if (bigger == NULL)
            return false;
        if (node->n > 0)
            memcpy(bigger, node->entry, node->n * sizeof *bigger);
        node->entry = bigger;
    }
    node->entry[node->n++] = (struct yaml_entry){key, value->line, value};
    return true;
}

struct yaml_node *yaml_find(const struct yaml_node *node, const char *key)
{
    if (node == NULL || node->kind != YAML_MAP)
        return NULL;
    for (size_t i = 0; i < node->n; i++)
        if (strcmp(node->entry[i].key, key) == 0)
            return node->entry[i].value;
    return NULL;
}

// ------ from libyaml's document to the tree

// marks of a document's node while its tree is made
enum { OPEN = 1 };

struct builder {
    struct yaml_tree *y;
    yaml_document_t  *document;
    unsigned char    *marks;  // a set of marks for each node of the document
    struct problems  *problems;
    bool              stopped;  // a limit is reached: no more work, no more problems
    size_t            depth;
};

static int line_of(yaml_mark_t mark)
{
    return (int)mark.line + 1;
}

// the first thing that cannot go on ends the work
static struct yaml_node *stop(struct builder *b, int line, const char *why)
{
    if (!b->stopped)
        problems_add(b->problems, line, "", "%s", why);
    b->stopped = true;
    return NULL;
}

static struct yaml_node *build(struct builder *b, int index);

static struct yaml_node *build_scalar(struct builder *b, const yaml_node_t *from)
{
    struct yaml_node *node = yaml_tree_node(b->y, YAML_SCALAR, line_of(from->start_mark));
    if (node == NULL)
        return stop(b, line_of(from->start_mark), "no memory for it");
    const char *text = (const char *)from->data.scalar.value;
    if (strlen(text) != from->data.scalar.length)
        problems_add(b->problems, node->line, "", "a NUL character in a text");
    node->quoted = from->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = yaml_tree_text(b->y, text);
    b->y->n_bytes += from->data.scalar.length;
    if (node->text == NULL || b->y->n_bytes > YAML_MAX_BYTES)
        return stop(b, node->line, "aliases make too much text of it");
    return node;
}

static struct yaml_node *build_list(struct builder *b, const yaml_node_t *from)
{
    struct yaml_node *list = yaml_tree_node(b->y, YAML_LIST, line_of(from->start_mark));
    if (list == NULL)
        return stop(b, line_of(from->start_mark), "no memory for it");
    const yaml_node_item_t *item = from->data.sequence.items.start;
    for (; item < from->data.sequence.items.top && !b->stopped; item++) {
        struct yaml_node *value = build(b, *item);
        if (value == NULL)
            break;
        if (list->n == YAML_MAX_ENTRIES || !yaml_tree_append(b->y, list, NULL, value))
            return stop(b, list->line, "a list of more than 2048 items");
    }
    return list;
}

static bool is_merge(const yaml_node_t *key)
{
    return key->type == YAML_SCALAR_NODE && key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           strcmp((const char *)key->data.scalar.value, "<<") == 0;
}

// adds one key with the line it stands on
static bool map_add(struct builder *b, struct yaml_node *map, const char *key, int line,
                    struct yaml_node *value)
{
    if (map->n == YAML_MAX_ENTRIES || !yaml_tree_append(b->y, map, key, value)) {
        stop(b, map->line, "a map of more than 2048 keys");
        return false;
    }
    map->entry[map->n - 1].line = line;
    return true;
}

static void map_pair(struct builder *b, struct yaml_node *map, const yaml_node_pair_t *pair)
{
    const yaml_node_t *key = yaml_document_get_node(b->document, pair->key);
    int                line = line_of(key->start_mark);
    const char        *name = (const char *)key->data.scalar.value;
    if (key->type != YAML_SCALAR_NODE || strlen(name) != key->data.scalar.length) {
        problems_add(b->problems, line, "", "a key that is not a plain text");
        return;
    }
    for (size_t i = 0; i < map->n; i++)
        if (strcmp(map->entry[i].key, name) == 0) {
            problems_add(b->problems, line, name, "repeated key, first on line %d",
                         map->entry[i].line);
            return;
        }
    const char       *copy = yaml_tree_text(b->y, name);
    struct yaml_node *value = build(b, pair->value);
    if (copy == NULL)
        stop(b, line, "no memory for it");
    if (value != NULL && !b->stopped)
        map_add(b, map, copy, line, value);
}

// adds what map does not have yet
static void map_merge(struct builder *b, struct yaml_node *map, const struct yaml_node *from)
{
    for (size_t i = 0; i < from->n; i++)
        if (yaml_find(map, from->entry[i].key) == NULL &&
            !map_add(b, map, from->entry[i].key, from->entry[i].line, from->entry[i].value))
            return;
}

static void map_merge_value(struct builder *b, struct yaml_node *map, int index)
{
    struct yaml_node *from = build(b, index);
    if (from == NULL)
        return;
    bool good = from->kind == YAML_MAP || from->kind == YAML_LIST;
    for (size_t i = 0; from->kind == YAML_LIST && i < from->n; i++)
        good = good && from->entry[i].value->kind == YAML_MAP;
    if (!good)
        problems_add(b->problems, from->line, "<<", "is no map, allowed: a map or a list of maps");
    else if (from->kind == YAML_MAP)
        map_merge(b, map, from);
    else
        for (size_t i = 0; i < from->n; i++)
            map_merge(b, map, from->entry[i].value);
}

static struct yaml_node *build_map(struct builder *b, const yaml_node_t *from)
{
    struct yaml_node *map = yaml_tree_node(b->y, YAML_MAP, line_of(from->start_mark));
    if (map == NULL)
        return stop(b, line_of(from->start_mark), "no memory for it");
    const yaml_node_pair_t *pair = from->data.mapping.pairs.start;
    const yaml_node_pair_t *end = from->data.mapping.pairs.top;
    // a map's own keys win over merged ones wherever they stand
    for (; pair < end && !b->stopped; pair++)
        if (!is_merge(yaml_document_get_node(b->document, pair->key)))
            map_pair(b, map, pair);
    for (pair = from->data.mapping.pairs.start; pair < end && !b->stopped; pair++)
        if (is_merge(yaml_document_get_node(b->document, pair->key)))
            map_merge_value(b, map, pair->value);
    return map;
}

static struct yaml_node *build(struct builder *b, int index)
{
    const yaml_node_t *from = yaml_document_get_node(b->document, index);
    unsigned char     *marks = &b->marks[index - 1];
    int                line = line_of(from->start_mark);
    if (b->stopped)
        return NULL;
    if (*marks & OPEN)
        return stop(b, line, "an alias stands inside its own anchor");
    if (++b->y->n_nodes > YAML_MAX_NODES)
        return stop(b, line, "aliases make more than 40000 values of it");
    if (b->depth == YAML_MAX_DEPTH)
        return stop(b, line, "nested deeper than 40 levels");
    b->depth++;
    *marks |= OPEN;
    struct yaml_node *node = from->type == YAML_SCALAR_NODE     ? build_scalar(b, from)
                             : from->type == YAML_SEQUENCE_NODE ? build_list(b, from)
                                                                : build_map(b, from);
    *marks &= (unsigned char)~OPEN;
    b->depth--;
    if (node != NULL)
        node->column = (int)from->start_mark.column + 1;
    return b->stopped ? NULL : node;
}

// ------ reading

static struct yaml_node *build_document(struct yaml_tree *y, yaml_document_t *document,
                                        struct problems *problems)
{
    size_t         n = (size_t)(document->nodes.top - document->nodes.start);
    struct builder b = {.y = y, .document = document, .problems = problems};
    if (n == 0) {
        problems_add(problems, 1, "", "nothing in it, expected a map");
        return NULL;
    }
    b.marks = calloc(n, 1);
    if (b.marks == NULL)
        return stop(&b, 1, "no memory for it");
    struct yaml_node *root = build(&b, 1);
    free(b.marks);
    return root;
}

static void add_syntax_problem(const yaml_parser_t *parser, struct problems *problems)
{
    int         line = line_of(parser->problem_mark);
    const char *what = parser->problem != NULL ? parser->problem : "no memory for it";
    if (parser->error == YAML_READER_ERROR)
        problems_add(problems, 0, "", "not YAML: byte %zu: %s", parser->problem_offset, what);
    else if (parser->context != NULL)
        problems_add(problems, line, "", "not YAML: %s, %s (line %d)", what, parser->context,
                     line_of(parser->context_mark));
    else
        problems_add(problems, line, "", "not YAML: %s", what);
}

struct yaml_node *yaml_tree_parse(struct yaml_tree *y, const char *text, size_t size,
                                  struct problems *problems)
{
    yaml_parser_t     parser;
    yaml_document_t   document, second;
    struct yaml_node *root = NULL;
    if (size > YAML_MAX_SIZE) {
        problems_add(problems, 0, "", "%zu bytes, allowed: at most %d", size, YAML_MAX_SIZE);
        return NULL;
    }
    if (!yaml_parser_initialize(&parser)) {
        problems_add(problems, 0, "", "no memory to read it");
        return NULL;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    if (!yaml_parser_load(&parser, &document)) {
        add_syntax_problem(&parser, problems);
        yaml_parser_delete(&parser);
        return NULL;
    }
    root = build_document(y, &document, problems);
    yaml_document_delete(&document);
    // a text that ends at its first document loads as an empty second one
    if (root != NULL && !yaml_parser_load(&parser, &second)) {
        add_syntax_problem(&parser, problems);
        root = NULL;
    } else if (root != NULL) {
        const yaml_node_t *more = yaml_document_get_root_node(&second);
        if (more != NULL)
            problems_add(problems, line_of(more->start_mark), "",
                         "a second document, allowed: one");
        yaml_document_delete(&second);
    }
    yaml_parser_delete(&parser);
    return root;
}
