#include "common/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_plain(const struct yaml_node *node)
{
    return node != NULL && node->kind == YAML_SCALAR && !node->quoted;
}

bool yaml_is_null(const struct yaml_node *node)
{
    if (!is_plain(node))
        return false;
    return node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
           strcmp(node->text, "null") == 0 || strcmp(node->text, "Null") == 0 ||
           strcmp(node->text, "NULL") == 0;
}

bool yaml_get_bool(const struct yaml_node *node, bool *y)
{
    static const char *const words[] = {"false", "False", "FALSE", "true", "True", "TRUE"};
    if (!is_plain(node))
        return false;
    for (size_t i = 0; i < 6; i++)
        if (strcmp(node->text, words[i]) == 0) {
            *y = i >= 3;
            return true;
        }
    return false;
}

const char *yaml_get_text(const struct yaml_node *node)
{
    return node != NULL && node->kind == YAML_SCALAR ? node->text : NULL;
}

// ------ numbers

// copies a run of digits without its underscores, each of which must stand between two digits
static bool take_digits(const char **from, char **to)
{
    const char *start = *from;
    for (; (**from >= '0' && **from <= '9') || **from == '_'; (*from)++) {
        if (**from == '_') {
            char next = (*from)[1];
            if (*from == start || (*from)[-1] == '_' || next < '0' || next > '9')
                return false;
            continue;
        }
        *(*to)++ = **from;
    }
    return *from > start;
}

// The text as strtod wants it: [+-] digits [. digits] [e [+-] digits], a leading 0 only before the
// point. Anything else, such as 010, 0x1f, 1e6x, is no number here.
static bool number_clean(const char *text, char *y, size_t size)
{
    char *to = y;
    // y never gets more than text has
    if (strlen(text) >= size)
        return false;
    if (*text == '-' || *text == '+')
        *to++ = *text++;
    const char *start = text;
    bool        whole = take_digits(&text, &to), part = false;
    if (whole && start[0] == '0' && text - start > 1)
        return false;
    if (*text == '.') {
        *to++ = *text++;
        part = take_digits(&text, &to);
        if (!part && *text != '\0' && *text != 'e' && *text != 'E')
            return false;
    }
    if (!whole && !part)
        return false;
    if (*text == 'e' || *text == 'E') {
        *to++ = *text++;
        if (*text == '-' || *text == '+')
            *to++ = *text++;
        if (!take_digits(&text, &to))
            return false;
    }
    *to = '\0';
    return *text == '\0';
}

bool yaml_get_number(const struct yaml_node *node, double *y)
{
    char clean[80];
    if (!is_plain(node))
        return false;
    const char *text = node->text;
    bool        minus = text[0] == '-';
    if (strcmp(text + minus, ".inf") == 0 || strcmp(text, "+.inf") == 0) {
        *y = minus ? -INFINITY : INFINITY;
        return true;
    }
    if (strcmp(text, ".nan") == 0) {
        *y = NAN;
        return true;
    }
    if (!number_clean(text, clean, sizeof clean))
        return false;
    *y = strtod(clean, NULL);
    return true;
}

bool yaml_get_uint(const struct yaml_node *node, uint64_t *y)
{
    char   clean[80];
    double value;
    if (!yaml_get_number(node, &value) || !isfinite(value) ||
        !number_clean(node->text, clean, sizeof clean))
        return false;
    if (clean[strspn(clean, "+0123456789")] == '\0') {
        // whole numbers are exact to the last digit, which a double is not beyond 2^53
        errno = 0;
        *y = strtoull(clean, NULL, 10);
        return errno == 0;
    }
    if (value < 0 || value != floor(value) || value > 9007199254740992.0)
        return false;
    *y = (uint64_t)value;
    return true;
}

// ------ for people

const char *yaml_describe(const struct yaml_node *node, char *buf, size_t size)
{
    double number;
    bool   flag;
    if (node == NULL)
        return "nothing";
    if (node->kind == YAML_LIST)
        return "a list";
    if (node->kind == YAML_MAP)
        return "a map";
    if (yaml_is_null(node))
        return "null";
    if (yaml_get_number(node, &number) || yaml_get_bool(node, &flag))
        snprintf(buf, size, "%.40s", node->text);
    else
        snprintf(buf, size, "the text \"%.60s\"", node->text);
    return buf;
}

void yaml_put_text(FILE *out, const char *text)
{
    putc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c < 0x20 || *c == 0x7f)
            fprintf(out, "\\x%02x", (unsigned)*c);
        else
            putc(*c, out);
    }
    putc('"', out);
}
