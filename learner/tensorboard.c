#include "learner/tensorboard.h"

#include "common/clock.h"
#include "common/crc32c.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// room before the summary: record header 12, wall time 9, step 11, tag and length of the summary 11
enum { TB_ROOM = 48, TB_TAIL = 4 };
enum { TB_VARINT = 0, TB_FIXED64 = 1, TB_BYTES = 2, TB_FIXED32 = 5 };

// ---------------------------------------------------------------- protobuf

static size_t tb_varint(uint8_t *out, uint64_t value)
{
    size_t n = 0;
    for (; value >= 0x80; value >>= 7)
        out[n++] = (uint8_t)(value | 0x80);
    out[n++] = (uint8_t)value;
    return n;
}

static size_t tb_varint_size(uint64_t value)
{
    uint8_t scratch[10];
    return tb_varint(scratch, value);
}

static size_t tb_fixed(uint8_t *out, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> (8 * i));
    return bytes;
}

static size_t tb_key(uint8_t *out, unsigned field, unsigned wire)
{
    return tb_varint(out, field << 3 | wire);
}

// a field that holds bytes, or the beginning of one whose content follows when data is NULL
static size_t tb_bytes(uint8_t *out, unsigned field, const void *data, size_t size)
{
    size_t n = tb_key(out, field, TB_BYTES);
    n += tb_varint(out + n, size);
    if (data == NULL)
        return n;
    memcpy(out + n, data, size);
    return n + size;
}

// bytes of a field with content of this size; field < 16
static size_t tb_bytes_size(size_t size)
{
    return 1 + tb_varint_size(size) + size;
}

static size_t tb_double(uint8_t *out, unsigned field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    size_t n = tb_key(out, field, TB_FIXED64);
    return n + tb_fixed(out + n, bits, 8);
}

// ---------------------------------------------------------------- records

static uint32_t tb_masked_crc(const void *data, size_t size)
{
    uint32_t crc = crc32c(0, data, size);
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

// Writes the event whose bytes are at data; 12 bytes before and 4 after it belong to the record.
static int tb_write(struct tensorboard *tb, uint8_t *data, size_t size, struct error *err)
{
    uint8_t *record = data - 12;
    tb_fixed(record, size, 8);
    tb_fixed(record + 8, tb_masked_crc(record, 8), 4);
    tb_fixed(data + size, tb_masked_crc(data, size), 4);
    ssize_t written = write(tb->fd, record, size + 16);
    if (written == (ssize_t)(size + 16))
        return 0;
    return error_set(err, ERR_SYSTEM, "TensorBoard file: %s",
                     written < 0 ? strerror(errno) : "no space left");
}

static int tb_write_first(struct tensorboard *tb, uint64_t first_step, struct error *err)
{
    uint8_t  record[96], *data = record + 12;
    uint8_t *p = data + tb_double(data, 1, clock_wall());
    p += tb_bytes(p, 3, "brain.Event:2", 13);
    int code = tb_write(tb, data, (size_t)(p - data), err);
    if (code != 0 || first_step == 0)
        return code;
    // SessionLog START: whatever older files hold from this step on is void
    p = data + tb_double(data, 1, clock_wall());
    p += tb_key(p, 2, TB_VARINT);
    p += tb_varint(p, first_step);
    p += tb_bytes(p, 7, "\x08\x01", 2);
    return tb_write(tb, data, (size_t)(p - data), err);
}

// ---------------------------------------------------------------- API

int tensorboard_open(struct tensorboard *tb, const char *directory, size_t capacity,
                     uint64_t first_step, struct error *err)
{
    char path[1024], host[65] = "host";
    *tb = (struct tensorboard){.capacity = capacity, .used = 0};
    tb->buffer = malloc(TB_ROOM + capacity + TB_TAIL);
    if (tb->buffer == NULL)
        return error_set(err, ERR_MEMORY, "TensorBoard: no memory for %zu bytes", capacity);
    gethostname(host, sizeof host - 1);
    snprintf(path, sizeof path, "%s/events.out.tfevents.%010lld.%s.%ld.0", directory,
             (long long)clock_wall(), host, (long)getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) {
        tensorboard_close(tb);
        return error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
    }
    tb->fd = fd;
    return tb_write_first(tb, first_step, err);
}

void tensorboard_close(struct tensorboard *tb)
{
    if (tb->fd > 0)
        close(tb->fd);
    free(tb->buffer);
    *tb = (struct tensorboard){.fd = 0};
}

// Begins Summary.Value {1 tag, ...} whose other fields have size bytes; NULL when there is no room.
static uint8_t *tb_value(struct tensorboard *tb, const char *tag, size_t size)
{
    size_t value = tb_bytes_size(strlen(tag)) + size;
    if (tb->buffer == NULL || tb->used + tb_bytes_size(value) > tb->capacity)
        return NULL;
    uint8_t *p = tb->buffer + TB_ROOM + tb->used;
    tb->used += tb_bytes_size(value);
    p += tb_bytes(p, 1, NULL, value);
    return p + tb_bytes(p, 1, tag, strlen(tag));
}

void tensorboard_scalar(struct tensorboard *tb, const char *tag, double value)
{
    float    single = (float)value;
    uint32_t bits;
    memcpy(&bits, &single, sizeof bits);
    uint8_t *p = isfinite(value) ? tb_value(tb, tag, 5) : NULL;
    if (p == NULL)
        return;
    p += tb_key(p, 2, TB_FIXED32);
    tb_fixed(p, bits, 4);
}

void tensorboard_text(struct tensorboard *tb, const char *tag, const char *text)
{
    // metadata {plugin_data {plugin_name "text"}}, tensor {dtype STRING, string_val text}
    static const uint8_t metadata[] = {0x0a, 6, 0x0a, 4, 't', 'e', 'x', 't'};
    size_t               length = strlen(text);
    size_t               tensor = 2 + tb_bytes_size(length);
    uint8_t *p = tb_value(tb, tag, tb_bytes_size(sizeof metadata) + tb_bytes_size(tensor));
    if (p == NULL)
        return;
    p += tb_bytes(p, 9, metadata, sizeof metadata);
    p += tb_bytes(p, 8, NULL, tensor);
    p += tb_key(p, 1, TB_VARINT);
    p += tb_varint(p, 7);
    tb_bytes(p, 8, text, length);
}

void tensorboard_image(struct tensorboard *tb, const char *tag, size_t width, size_t height,
                       const void *encoded, size_t size)
{
    size_t image = 1 + tb_varint_size(height) + 1 + tb_varint_size(width) + 2 + tb_bytes_size(size);
    uint8_t *p = tb_value(tb, tag, tb_bytes_size(image));
    if (p == NULL)
        return;
    p += tb_bytes(p, 4, NULL, image);
    p += tb_key(p, 1, TB_VARINT);
    p += tb_varint(p, height);
    p += tb_key(p, 2, TB_VARINT);
    p += tb_varint(p, width);
    p += tb_key(p, 3, TB_VARINT);
    p += tb_varint(p, 3);
    tb_bytes(p, 4, encoded, size);
}

int tensorboard_end(struct tensorboard *tb, uint64_t step, struct error *err)
{
    if (tb->used == 0)
        return 0;
    uint8_t  head[TB_ROOM];
    uint8_t *p = head + tb_double(head, 1, clock_wall());
    p += tb_key(p, 2, TB_VARINT);
    p += tb_varint(p, step);
    p += tb_bytes(p, 5, NULL, tb->used);
    size_t n = (size_t)(p - head);
    assert(n + 12 <= TB_ROOM);
    uint8_t *data = tb->buffer + TB_ROOM - n;
    memcpy(data, head, n);
    size_t size = n + tb->used;
    tb->used = 0;
    return tb_write(tb, data, size, err);
}
