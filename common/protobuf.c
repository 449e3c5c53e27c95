#include "common/protobuf.h"

#include <string.h>

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5, LENGTH_BYTES = 5 };

static void put(struct protobuf *p, const void *data, size_t size)
{
    if (p->full || size > p->capacity - p->n) {
        p->full = true;
        return;
    }
    memcpy(p->bytes + p->n, data, size);
    p->n += size;
}

static void put_varint(struct protobuf *p, uint64_t value)
{
    uint8_t bytes[10];
    size_t  n = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[n++] = (uint8_t)(value | 0x80);
    bytes[n++] = (uint8_t)value;
    put(p, bytes, n);
}

static void put_key(struct protobuf *p, unsigned field, unsigned wire)
{
    put_varint(p, (uint64_t)field << 3 | wire);
}

static void put_fixed(struct protobuf *p, uint64_t bits, size_t size)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(bits >> (8 * i));
    put(p, bytes, size);
}

void protobuf_uint(struct protobuf *p, unsigned field, uint64_t value)
{
    put_key(p, field, WIRE_VARINT);
    put_varint(p, value);
}

void protobuf_float(struct protobuf *p, unsigned field, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_key(p, field, WIRE_FIXED32);
    put_fixed(p, bits, sizeof bits);
}

void protobuf_double(struct protobuf *p, unsigned field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_key(p, field, WIRE_FIXED64);
    put_fixed(p, bits, sizeof bits);
}

void protobuf_bytes(struct protobuf *p, unsigned field, const void *data, size_t size)
{
    put_key(p, field, WIRE_BYTES);
    put_varint(p, size);
    put(p, data, size);
}

void protobuf_text(struct protobuf *p, unsigned field, const char *text)
{
    protobuf_bytes(p, field, text, strlen(text));
}

size_t protobuf_begin(struct protobuf *p, unsigned field)
{
    static const uint8_t room[LENGTH_BYTES];
    put_key(p, field, WIRE_BYTES);
    put(p, room, sizeof room);
    return p->n;
}

void protobuf_end(struct protobuf *p, size_t at)
{
    if (p->full)
        return;
    size_t length = p->n - at;
    for (size_t i = 0; i < LENGTH_BYTES; i++)
        p->bytes[at - LENGTH_BYTES + i] =
            (uint8_t)((length >> (7 * i) & 0x7f) | (i + 1 < LENGTH_BYTES ? 0x80 : 0));
}
