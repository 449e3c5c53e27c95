// The rows of common/spec_keys.h, and what one row knows: reading a value, its default, its range in
// words. Read-only; thread-safe.
#ifndef COMMON_SPEC_TABLE_H
#define COMMON_SPEC_TABLE_H

#include "common/problems.h"
#include "common/yaml.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { SPEC_PATH = 256 };

enum spec_key_kind { SPEC_UINT, SPEC_NUMBER, SPEC_FLAG, SPEC_WORD, SPEC_TEXT };

struct spec_key {
    const char        *path;
    enum spec_key_kind kind;
    size_t             offset, size;  // of the member
    double             low, high;
    bool               open_low, open_high;  // the bound itself is out of range
    const char        *words;                // WORD
    bool               needed;
    double             preset;    // default; WORD: index
    bool               nullable;  // may be null, which means:
    double             null;
    const char        *unit, *help;
};

struct spec_ignored {
    const char *path;
    const char *only;  // the one value that is accepted, or NULL for any
    const char *why;
};

// The rows for struct spec, for struct layer_spec (path "LazyLinear.out_features"), and the keys that
// mean nothing here.
const struct spec_key     *spec_table(size_t *n);
const struct spec_key     *spec_table_layers(size_t *n);
const struct spec_ignored *spec_table_ignored(size_t *n);

// Puts the default into base, the struct that the row is about.
void spec_key_preset(const struct spec_key *key, void *base);

// Reads node into base.
//
//   returns  true, or false with a problem added: what it is and what is allowed
bool spec_key_read(const struct spec_key *key, void *base, const struct yaml_node *node,
                   const char *path, struct problems *problems);

// What is allowed, in words: "a number in [0, 1)", "CrossQ or SoftActorCritic".
const char *spec_key_allowed(const struct spec_key *key, char *buf, size_t size);

// Writes the value that base holds as spec_key_read takes it.
void spec_key_write(const struct spec_key *key, const void *base, FILE *out);

#endif
