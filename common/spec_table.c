#include "common/spec_table.h"

#include "common/layer_spec.h"
#include "common/spec.h"
#include "common/spec_keys.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// ------ the rows

#define FROM(x) .low = (x)
#define ABOVE(x) .low = (x), .open_low = true
#define TO(x) .high = (double)(x)
#define BELOW(x) .high = (x), .open_high = true
#define IS(x) .preset = (x)
#define OR_NULL(x) , .nullable = true, .null = (x)
#define NEEDED .needed = true

#define MEMBER(m) .offset = offsetof(struct OWNER, m), .size = sizeof(((struct OWNER *)0)->m)
#define UINT(p, m, from, to, d, u, h)                                                              \
    {.path = p, .kind = SPEC_UINT, MEMBER(m), from, to, d, .unit = u, .help = h},
#define NUMBER(p, m, from, to, d, u, h)                                                            \
    {.path = p, .kind = SPEC_NUMBER, MEMBER(m), from, to, d, .unit = u, .help = h},
#define FLAG(p, m, d, h) {.path = p, .kind = SPEC_FLAG, MEMBER(m), d, .unit = "", .help = h},
#define WORD(p, m, w, d, h)                                                                        \
    {.path = p, .kind = SPEC_WORD, MEMBER(m), .words = w, d, .unit = "", .help = h},
#define TEXT(p, m, d, h) {.path = p, .kind = SPEC_TEXT, MEMBER(m), d, .unit = "", .help = h},
#define IGNORED(p, o, w) {.path = p, .only = o, .why = w},

#define OWNER spec
static const struct spec_key keys[] = {SPEC_KEYS(UINT, NUMBER, FLAG, WORD, TEXT)};
#undef OWNER

#define OWNER layer_spec
static const struct spec_key layer_keys[] = {SPEC_LAYER_KEYS(UINT, NUMBER, FLAG, WORD, TEXT)};
#undef OWNER

static const struct spec_ignored ignored[] = {SPEC_IGNORED(IGNORED)};

const struct spec_key *spec_table(size_t *n)
{
    *n = sizeof keys / sizeof keys[0];
    return keys;
}

const struct spec_key *spec_table_layers(size_t *n)
{
    *n = sizeof layer_keys / sizeof layer_keys[0];
    return layer_keys;
}

const struct spec_ignored *spec_table_ignored(size_t *n)
{
    *n = sizeof ignored / sizeof ignored[0];
    return ignored;
}

// ------ words: "first,alias|second"

// index of a word, -1 when it is none
static int word_index(const char *words, const char *text)
{
    size_t length = strlen(text);
    int    index = 0;
    if (length == 0 || strpbrk(text, ",|") != NULL)
        return -1;
    for (const char *at = words;; at += strcspn(at, ",|") + 1) {
        size_t n = strcspn(at, ",|");
        if (n == length && memcmp(at, text, n) == 0)
            return index;
        if (at[n] == '\0')
            return -1;
        index += at[n] == '|';
    }
}

// the first spelling of word `index`, written to out
static void word_put(const char *words, int index, FILE *out)
{
    const char *at = words;
    for (; index > 0; index--)
        at = strchr(at, '|') + 1;
    fprintf(out, "%.*s", (int)strcspn(at, ",|"), at);
}

// ------ values

static void store(const struct spec_key *key, void *base, double value)
{
    char    *member = (char *)base + key->offset;
    uint64_t whole = value >= 0 && value < 0x1p64 ? (uint64_t)value : 0;
    int      word = key->kind == SPEC_WORD ? (int)value : 0;
    bool     flag = value != 0;
    switch (key->kind) {
    case SPEC_UINT:
        memcpy(member, &whole, sizeof whole);
        break;
    case SPEC_NUMBER:
        memcpy(member, &value, sizeof value);
        break;
    case SPEC_FLAG:
        memcpy(member, &flag, sizeof flag);
        break;
    case SPEC_WORD:
        assert(key->size == sizeof word);
        memcpy(member, &word, sizeof word);
        break;
    case SPEC_TEXT:
        member[0] = '\0';
        break;
    }
}

void spec_key_preset(const struct spec_key *key, void *base)
{
    store(key, base, key->preset);
}

static bool in_range(const struct spec_key *key, double value)
{
    return isfinite(value) && (key->open_low ? value > key->low : value >= key->low) &&
           (key->open_high ? value < key->high : value <= key->high);
}

static bool read_text(const struct spec_key *key, char *member, const struct yaml_node *node)
{
    const char *text = yaml_get_text(node);
    double      number;
    bool        flag;
    if (text == NULL || text[0] == '\0' || yaml_is_null(node) || yaml_get_number(node, &number) ||
        yaml_get_bool(node, &flag) || strlen(text) >= key->size)
        return false;
    memcpy(member, text, strlen(text) + 1);
    return true;
}

static bool read_value(const struct spec_key *key, void *base, const struct yaml_node *node)
{
    double      number;
    uint64_t    whole;
    bool        flag;
    const char *text = yaml_get_text(node);
    if (key->nullable && yaml_is_null(node)) {
        store(key, base, key->null);
        return true;
    }
    switch (key->kind) {
    case SPEC_UINT:
        if (!yaml_get_uint(node, &whole) || !in_range(key, (double)whole))
            return false;
        memcpy((char *)base + key->offset, &whole, sizeof whole);
        return true;
    case SPEC_NUMBER:
        if (!yaml_get_number(node, &number) || !in_range(key, number))
            return false;
        store(key, base, number);
        return true;
    case SPEC_FLAG:
        if (!yaml_get_bool(node, &flag))
            return false;
        store(key, base, flag);
        return true;
    case SPEC_WORD:
        if (text == NULL || word_index(key->words, text) < 0)
            return false;
        store(key, base, word_index(key->words, text));
        return true;
    case SPEC_TEXT:
        return read_text(key, (char *)base + key->offset, node);
    }
    return false;
}

bool spec_key_read(const struct spec_key *key, void *base, const struct yaml_node *node,
                   const char *path, struct problems *problems)
{
    char        is[128], allowed[256];
    const char *text = yaml_get_text(node);
    // a variable without a value is a problem already
    if (read_value(key, base, node) || (text != NULL && strstr(text, "${") != NULL))
        return true;
    problems_add(problems, node->line, path, "is %s, allowed: %s",
                 yaml_describe(node, is, sizeof is),
                 spec_key_allowed(key, allowed, sizeof allowed));
    return false;
}

// ------ in words

// "a, b or c" from "a,alias|b|c"
static size_t put_words(const char *words, char *buf, size_t size)
{
    size_t used = 0;
    for (const char *at = words; at != NULL && used < size;) {
        const char *next = strchr(at, '|');
        const char *join = at == words ? "" : next == NULL ? " or " : ", ";
        used +=
            (size_t)snprintf(buf + used, size - used, "%s%.*s", join, (int)strcspn(at, ",|"), at);
        at = next == NULL ? NULL : next + 1;
    }
    return used;
}

static size_t put_range(const struct spec_key *key, char *buf, size_t size)
{
    const char *what = key->kind == SPEC_UINT ? "a whole number" : "a number";
    // bounds that are only there to be finite are not worth showing
    bool no_low = key->low <= -1e6, no_high = key->high >= 1e15;
    if (no_low && !no_high)
        return (size_t)snprintf(buf, size, "a finite %s", what + 2);
    if (no_high)
        return (size_t)snprintf(buf, size, "%s %s %.15g", what,
                                key->open_low ? ">" : ">=", key->low);
    return (size_t)snprintf(buf, size, "%s in %c%.15g, %.15g%c", what, key->open_low ? '(' : '[',
                            key->low, key->high, key->open_high ? ')' : ']');
}

const char *spec_key_allowed(const struct spec_key *key, char *buf, size_t size)
{
    size_t used = 0;
    switch (key->kind) {
    case SPEC_UINT:
    case SPEC_NUMBER:
        used = put_range(key, buf, size);
        break;
    case SPEC_FLAG:
        used = (size_t)snprintf(buf, size, "true or false");
        break;
    case SPEC_WORD:
        used = put_words(key->words, buf, size);
        break;
    case SPEC_TEXT:
        used = (size_t)snprintf(buf, size, "a text shorter than %zu bytes", key->size);
        break;
    }
    if (key->nullable && used < size)
        snprintf(buf + used, size - used, " or null");
    return buf;
}

// ------ writing

// the shortest digits that read back as the same number
static void put_number(double value, FILE *out)
{
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    fputs(text, out);
}

void spec_key_write(const struct spec_key *key, const void *base, FILE *out)
{
    const char *member = (const char *)base + key->offset;
    uint64_t    whole;
    double      number;
    int         word;
    bool        flag;
    switch (key->kind) {
    case SPEC_UINT:
        memcpy(&whole, member, sizeof whole);
        if (key->nullable && !in_range(key, (double)whole))
            fputs("null", out);
        else
            fprintf(out, "%llu", (unsigned long long)whole);
        break;
    case SPEC_NUMBER:
        memcpy(&number, member, sizeof number);
        if (key->nullable && !in_range(key, number))
            fputs("null", out);
        else
            put_number(number, out);
        break;
    case SPEC_FLAG:
        memcpy(&flag, member, sizeof flag);
        fputs(flag ? "true" : "false", out);
        break;
    case SPEC_WORD:
        memcpy(&word, member, sizeof word);
        word_put(key->words, word, out);
        break;
    case SPEC_TEXT:
        if (key->nullable && member[0] == '\0')
            fputs("null", out);
        else
            yaml_put_text(out, member);
        break;
    }
}
