// A strict JSON scanner over bytes in memory: the caller knows the grammar and asks for what must
// come next. libyaml would read JSON too, but not the surrogate pairs of \u escapes.
//
// The first failure sticks: later calls do nothing and return false, so a caller may check once.
// Source: RFC 8259.
#ifndef COMMON_JSON_SCAN_H
#define COMMON_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_scan {
    const char *text;    // borrowed
    size_t      size;    // bytes of text
    size_t      at;      // next byte
    const char *failed;  // NULL, or what was wrong at byte `at`
};

void json_scan_init(struct json_scan *s, const char *text, size_t size);

// Takes c (one of { } [ ] : ,) if it comes next, after blanks.
bool json_scan_take(struct json_scan *s, char c);

// Fails unless c comes next.
bool json_scan_expect(struct json_scan *s, char c);

// Reads a string into y without its escapes, ending in NUL: at most as many bytes as it has in the
// text, its two quotes counted. A string with a NUL of its own fails, and so does broken UTF-8.
bool json_scan_string(struct json_scan *s, char *y);

// Reads a whole number without sign, fraction or exponent.
bool json_scan_uint(struct json_scan *s, uint64_t *y);

// Fails unless only blanks are left.
bool json_scan_end(struct json_scan *s);

// Marks a failure of the caller's own at this place; keeps an earlier one. Always false.
bool json_scan_fail(struct json_scan *s, const char *why);

#endif
