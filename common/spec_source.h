// From a text to the tree of one spec: which of the named specs, ${variables}, --set.
#ifndef COMMON_SPEC_SOURCE_H
#define COMMON_SPEC_SOURCE_H

#include "common/problems.h"
#include "common/spec.h"
#include "common/yaml.h"

// Picks the spec of that name (NULL or "": the only one). A text whose top level has agent and env is
// itself one spec, called after its file. Names that start with _ are templates, no specs.
//
//   found    out, the name (SPEC_NAME bytes)
//   returns  its map, or NULL with a problem added
struct yaml_node *spec_source_pick(struct yaml_node *root, const char *name, char *found,
                                   struct problems *problems);

// Carries out each --set PATH=VALUE on the spec's map: digits index lists, VALUE is YAML.
void spec_source_set(struct yaml_tree *tree, struct yaml_node *spec,
                     const struct spec_options *options, struct problems *problems);

// Fills ${name} in every scalar below node with the values of --var. A variable without a value is a
// problem; a value without a variable is none.
void spec_source_fill(struct yaml_tree *tree, struct yaml_node *node,
                      const struct spec_options *options, struct problems *problems);

#endif
