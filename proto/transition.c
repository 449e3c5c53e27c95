#include "proto/transition.h"

#include <string.h>

// a float is finite when not all of its exponent bits are set
static uint32_t word_infinite(uint32_t word)
{
    return (word & 0x7f800000u) == 0x7f800000u;
}

bool floats_finite(const void *floats, size_t n)
{
    const unsigned char *p = floats;
    uint32_t             bad = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t word;
        memcpy(&word, p + 4 * i, 4);
        bad |= word_infinite(word);
    }
    return bad == 0;
}

static float row_float(const unsigned char *row, size_t word)
{
    float value;
    memcpy(&value, row + 4 * word, 4);
    return value;
}

uint32_t row_word(const void *row, size_t word)
{
    uint32_t value;
    memcpy(&value, (const unsigned char *)row + 4 * word, 4);
    return value;
}

// NULL when one row is one that an actor may send
static const char *row_check(const unsigned char *row, struct row_shape s, size_t choices)
{
    if (!floats_finite(row, s.flags))
        return "a number that is not finite";
    if ((row_word(row, s.flags) & ~(uint32_t)(ROW_TERMINATED | ROW_TRUNCATED)) != 0)
        return "unknown flags";
    float discount = row_float(row, s.discount);
    if (!(discount >= 0.0f && discount <= 1.0f))
        return "a discount outside [0, 1]";
    for (size_t i = 0; i < s.action; i++) {
        float a = row_float(row, s.obs + i);
        if (choices == 0 && !(a >= -1.0f && a <= 1.0f))
            return "an action outside [-1, 1]";
        if (choices > 0 && !(a >= 0.0f && a < (float)choices && a == (float)(uint32_t)a))
            return "an action that is none of the choices";
    }
    return NULL;
}

const char *rows_check(const void *rows, size_t n, struct row_shape s, size_t choices)
{
    const unsigned char *row = rows;
    for (size_t i = 0; i < n; i++, row += 4 * s.words) {
        const char *why = row_check(row, s, choices);
        if (why != NULL)
            return why;
    }
    return NULL;
}
