// Protocol buffers, written into memory that the caller provides: enough for TensorBoard and ONNX.
//
// A message inside another is begun and ended; its length is always written in five bytes, which readers
// take like a shorter one. What does not fit sets `full` and writes nothing more.
// Source: the encoding chapter of the Protocol Buffers documentation.
#ifndef COMMON_PROTOBUF_H
#define COMMON_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct protobuf {
    uint8_t *bytes;  // (capacity)  borrowed
    size_t   capacity, n;
    bool     full;
};

void protobuf_uint(struct protobuf *p, unsigned field, uint64_t value);
void protobuf_float(struct protobuf *p, unsigned field, float value);
void protobuf_double(struct protobuf *p, unsigned field, double value);
void protobuf_bytes(struct protobuf *p, unsigned field, const void *data, size_t size);
void protobuf_text(struct protobuf *p, unsigned field, const char *text);

// Fields between the two calls belong to the message in `field`.
//
//   returns  where its length lies, for protobuf_end
size_t protobuf_begin(struct protobuf *p, unsigned field);
void   protobuf_end(struct protobuf *p, size_t at);

#endif
