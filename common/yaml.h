// A YAML text as a tree: scalars, lists and maps with their lines. JSON is YAML.
//
// Aliases and merges (`<<: *a`, `<<: [*a, *b]`) are expanded: the tree has no sharing, and a node
// keeps the line on which its text stands, also when an alias brought it elsewhere. Refused: an
// alias inside its own anchor, more nodes than a spec can need (alias bombs), deep nesting, keys
// that are no plain text, repeated keys, a second document. Not thread-safe.
#ifndef COMMON_YAML_H
#define COMMON_YAML_H

#include "common/problems.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    YAML_MAX_SIZE = 256 * 1024,  // bytes of text
    YAML_MAX_NODES = 40000,      // after expansion
    YAML_MAX_BYTES = 1 << 22,    // of scalars after expansion
    YAML_MAX_ENTRIES = 2048,     // of one list or map
    YAML_MAX_DEPTH = 40,
};

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node;

struct yaml_entry {
    const char       *key;   // NULL in a list
    int               line;  // of the key
    struct yaml_node *value;
};

struct yaml_node {
    enum yaml_kind     kind;
    int                line, column;  // from 1
    bool               quoted;  // SCALAR: in quotes or a block, so text whatever it looks like
    const char        *text;    // SCALAR
    size_t             n;       // LIST, MAP
    struct yaml_entry *entry;   // (n) LIST, MAP in the order of the text, merged ones last
};

struct yaml_block;

struct yaml_tree {
    struct yaml_block *blocks;  // the memory of all nodes and texts
    size_t             n_nodes, n_bytes;
};

// Reads a text into a tree; more than one text may go into the same y, which starts zeroed.
//
//   returns  the root, or NULL with a problem added; repeated keys are problems, but give a tree
//   owns     y owns the nodes, until yaml_tree_free
struct yaml_node *yaml_tree_parse(struct yaml_tree *y, const char *text, size_t size,
                                  struct problems *problems);
void              yaml_tree_free(struct yaml_tree *y);

// A new node, or NULL without memory.
struct yaml_node *yaml_tree_node(struct yaml_tree *y, enum yaml_kind kind, int line);

// A copy of text that lives as long as y, or NULL without memory.
const char *yaml_tree_text(struct yaml_tree *y, const char *text);

// Value of a key of a map; NULL when there is none, or node is no map.
struct yaml_node *yaml_find(const struct yaml_node *node, const char *key);

// Appends key: value to a map (key a text of y), or value to a list (key NULL).
//
//   returns  false without memory
bool yaml_tree_append(struct yaml_tree *y, struct yaml_node *node, const char *key,
                      struct yaml_node *value);

// ------ what a scalar says; false when it says something else

bool yaml_is_null(const struct yaml_node *node);                // null, ~ or nothing
bool yaml_get_bool(const struct yaml_node *node, bool *y);      // true or false
bool yaml_get_number(const struct yaml_node *node, double *y);  // 1_000, 3e5, .5, .inf, .nan
bool yaml_get_uint(const struct yaml_node *node, uint64_t *y);  // 3, 1_000, also 3e5, 2000000.0
const char *yaml_get_text(const struct yaml_node *node);        // NULL: no scalar

// What a node is, for messages: "a list", "the text \"abc\"", "null"; buf is where it may be made.
const char *yaml_describe(const struct yaml_node *node, char *buf, size_t size);

// Writes text as a scalar that reads back as the same text.
void yaml_put_text(FILE *out, const char *text);

#endif
