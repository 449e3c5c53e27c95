// From the tree of one spec to struct spec: the work of spec_parse, split by noun. Private to
// common/spec*.c.
#ifndef COMMON_SPEC_BIND_H
#define COMMON_SPEC_BIND_H

#include "common/problems.h"
#include "common/spec.h"
#include "common/spec_table.h"
#include "common/yaml.h"

#include <stdbool.h>
#include <stdio.h>

struct spec_bind {
    struct spec      *spec;
    struct yaml_node *root;  // the spec's map
    struct problems  *problems;
    FILE             *notes;  // may be NULL
};

// Reads every key of the table, notes the ignored ones, reports unknown and missing ones.
void spec_bind_keys(struct spec_bind *b);

// Whether the spec leaves the key at path out, or says null.
bool spec_bind_left_out(const struct spec_bind *b, const char *path);

// The node at a path of keys, NULL when there is none; a list of one, as the lab has for agent and
// env, is seen through.
struct yaml_node *spec_bind_at(const struct spec_bind *b, const char *path);

// Line of the node at path, or of what is nearest above it.
int spec_bind_line(const struct spec_bind *b, const char *path);

// agent.net and agent.critic_net: type, arc, hid_layers (common/spec_net.c).
void spec_bind_nets(struct spec_bind *b);

// env.kwargs, env.observation, env.reward, env.termination (common/spec_task.c).
void spec_bind_task(struct spec_bind *b);

// What depends on other keys: defaults first, then what must fit together (common/spec_check.c).
void spec_bind_resolve(struct spec_bind *b);
void spec_bind_check(struct spec_bind *b);

// Adds "is unknown" with the nearest of n names, or all of them.
void spec_bind_unknown(struct spec_bind *b, int line, const char *path, const char *key,
                       const char *const *names, size_t n);

// Writes the line about a key that is accepted and means nothing here.
void spec_bind_note(struct spec_bind *b, int line, const char *path, const char *why);

#endif
