#include "common/json_scan.h"

#include <string.h>

void json_scan_init(struct json_scan *s, const char *text, size_t size)
{
    *s = (struct json_scan){.text = text, .size = size};
}

bool json_scan_fail(struct json_scan *s, const char *why)
{
    if (s->failed == NULL)
        s->failed = why;
    return false;
}

static void skip_blanks(struct json_scan *s)
{
    while (s->at < s->size && memchr(" \t\r\n", s->text[s->at], 4) != NULL)
        s->at++;
}

bool json_scan_take(struct json_scan *s, char c)
{
    if (s->failed != NULL)
        return false;
    skip_blanks(s);
    if (s->at >= s->size || s->text[s->at] != c)
        return false;
    s->at++;
    return true;
}

bool json_scan_expect(struct json_scan *s, char c)
{
    if (json_scan_take(s, c))
        return true;
    switch (c) {
    case '{':
        return json_scan_fail(s, "expected {");
    case '}':
        return json_scan_fail(s, "expected , or }");
    case '[':
        return json_scan_fail(s, "expected [");
    case ']':
        return json_scan_fail(s, "expected , or ]");
    case ':':
        return json_scan_fail(s, "expected :");
    default:
        return json_scan_fail(s, "expected another character");
    }
}

// four hexadecimal digits after \u
static bool take_hex(struct json_scan *s, uint32_t *y)
{
    *y = 0;
    for (int i = 0; i < 4; i++, s->at++) {
        char     c = s->at < s->size ? s->text[s->at] : '\0';
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (uint32_t)(c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            digit = (uint32_t)(c - 'A' + 10);
        else
            return json_scan_fail(s, "\\u without four hexadecimal digits");
        *y = *y << 4 | digit;
    }
    return true;
}

static size_t put_utf8(char *y, uint32_t c)
{
    if (c < 0x80) {
        y[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        y[0] = (char)(0xc0 | c >> 6);
        y[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        y[0] = (char)(0xe0 | c >> 12);
        y[1] = (char)(0x80 | (c >> 6 & 63));
        y[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    y[0] = (char)(0xf0 | c >> 18);
    y[1] = (char)(0x80 | (c >> 12 & 63));
    y[2] = (char)(0x80 | (c >> 6 & 63));
    y[3] = (char)(0x80 | (c & 63));
    return 4;
}

// what follows a backslash
static bool take_escape(struct json_scan *s, char *y, size_t *n)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    char              c = s->at < s->size ? s->text[s->at] : '\0';
    const char       *known = c != '\0' ? strchr(from, c) : NULL;
    if (known != NULL) {
        s->at++;
        y[(*n)++] = to[known - from];
        return true;
    }
    if (c != 'u')
        return json_scan_fail(s, "unknown escape");
    s->at++;
    uint32_t code, low;
    if (!take_hex(s, &code))
        return false;
    if (code >= 0xd800 && code < 0xdc00) {
        if (s->size - s->at < 2 || memcmp(s->text + s->at, "\\u", 2) != 0)
            return json_scan_fail(s, "half a surrogate pair");
        s->at += 2;
        if (!take_hex(s, &low))
            return false;
        if (low < 0xdc00 || low > 0xdfff)
            return json_scan_fail(s, "half a surrogate pair");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code < 0xe000) {
        return json_scan_fail(s, "half a surrogate pair");
    } else if (code == 0) {
        return json_scan_fail(s, "NUL in a string");
    }
    *n += put_utf8(y + *n, code);
    return true;
}

// bytes of the UTF-8 sequence at p, 0 when it is none
static size_t utf8_length(const unsigned char *p, size_t left)
{
    size_t   n = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 0;
    uint32_t code = n == 1 ? p[0] : n == 0 ? 0 : p[0] & (0x7fu >> n);
    if (n == 0 || n > left || p[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 63);
    }
    bool longer = (n == 3 && code < 0x800) || (n == 4 && code < 0x10000);
    bool surrogate = code >= 0xd800 && code < 0xe000;
    return longer || surrogate || code > 0x10ffff ? 0 : n;
}

bool json_scan_string(struct json_scan *s, char *y)
{
    size_t n = 0;
    if (!json_scan_take(s, '"'))
        return json_scan_fail(s, "expected a string");
    while (s->at < s->size) {
        unsigned char c = (unsigned char)s->text[s->at];
        if (c == '"') {
            s->at++;
            y[n] = '\0';
            return true;
        }
        if (c == '\\') {
            s->at++;
            if (!take_escape(s, y, &n))
                return false;
            continue;
        }
        size_t length = utf8_length((const unsigned char *)s->text + s->at, s->size - s->at);
        if (c < 0x20 || length == 0)
            return json_scan_fail(s, "bad byte in a string");
        memcpy(y + n, s->text + s->at, length);
        n += length;
        s->at += length;
    }
    return json_scan_fail(s, "string without its end");
}

bool json_scan_uint(struct json_scan *s, uint64_t *y)
{
    if (s->failed != NULL)
        return false;
    skip_blanks(s);
    size_t start = s->at;
    *y = 0;
    for (; s->at < s->size && s->text[s->at] >= '0' && s->text[s->at] <= '9'; s->at++) {
        uint64_t digit = (uint64_t)(s->text[s->at] - '0');
        if (*y > (UINT64_MAX - digit) / 10)
            return json_scan_fail(s, "number beyond 64 bits");
        *y = *y * 10 + digit;
    }
    if (s->at == start || (s->text[start] == '0' && s->at > start + 1))
        return json_scan_fail(s, "expected a whole number");
    return true;
}

bool json_scan_end(struct json_scan *s)
{
    if (s->failed != NULL)
        return false;
    skip_blanks(s);
    return s->at == s->size ? true : json_scan_fail(s, "more than one value");
}
