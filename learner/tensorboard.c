#include "learner/tensorboard.h"

#include "common/clock.h"
#include "common/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// of a record: length and its check sum before the data, the data's check sum after
enum { TB_HEAD = 12, TB_TAIL = 4 };
// fields of an event that come after its values
enum { TB_END = 32 };

// ---------------------------------------------------------------- records

static uint32_t tb_masked_crc(const void *data, size_t size)
{
    uint32_t crc = crc32c(0, data, size);
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

static void tb_fixed(uint8_t *out, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

// Writes the event as one record and begins the next.
static int tb_write(struct tensorboard *tb, struct error *err)
{
    uint8_t *record = tb->buffer;
    size_t   size = tb->event.n;
    tb_fixed(record, size, 8);
    tb_fixed(record + 8, tb_masked_crc(record, 8), 4);
    tb_fixed(record + TB_HEAD + size, tb_masked_crc(record + TB_HEAD, size), 4);
    tb->event.n = 0;
    ssize_t written = write(tb->fd, record, TB_HEAD + size + TB_TAIL);
    if (written == (ssize_t)(TB_HEAD + size + TB_TAIL))
        return 0;
    return error_set(err, ERR_SYSTEM, "TensorBoard file: %s",
                     written < 0 ? strerror(errno) : "no space left");
}

static int tb_write_first(struct tensorboard *tb, uint64_t first_step, struct error *err)
{
    protobuf_double(&tb->event, 1, clock_wall());
    protobuf_text(&tb->event, 3, "brain.Event:2");
    int code = tb_write(tb, err);
    if (code != 0 || first_step == 0)
        return code;
    // SessionLog {status START}: whatever older files hold from this step on is void
    protobuf_double(&tb->event, 1, clock_wall());
    protobuf_uint(&tb->event, 2, first_step);
    protobuf_bytes(&tb->event, 7, "\x08\x01", 2);
    return tb_write(tb, err);
}

// ---------------------------------------------------------------- API

int tensorboard_open(struct tensorboard *tb, const char *directory, size_t capacity,
                     uint64_t first_step, struct error *err)
{
    char path[1024], host[65] = "host";
    *tb = (struct tensorboard){.fd = 0};
    tb->buffer = malloc(TB_HEAD + capacity + TB_END + TB_TAIL);
    if (tb->buffer == NULL)
        return error_set(err, ERR_MEMORY, "TensorBoard: no memory for %zu bytes", capacity);
    tb->event = (struct protobuf){.bytes = tb->buffer + TB_HEAD, .capacity = capacity + TB_END};
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

// Begins Value {tag, ...}, the first one also the Summary around them all.
//
//   returns  where its length lies, for tb_value_end
static size_t tb_value_begin(struct tensorboard *tb, const char *tag)
{
    if (tb->event.n == 0)
        tb->summary = protobuf_begin(&tb->event, 5);
    tb->kept = tb->event.n;
    size_t value = protobuf_begin(&tb->event, 1);
    protobuf_text(&tb->event, 1, tag);
    return value;
}

// Closes a Value, or takes it back when the event's own fields would not fit behind it.
static void tb_value_end(struct tensorboard *tb, size_t value)
{
    protobuf_end(&tb->event, value);
    if (tb->event.full || tb->event.n + TB_END > tb->event.capacity)
        tb->event.n = tb->kept;
    tb->event.full = false;
}

void tensorboard_scalar(struct tensorboard *tb, const char *tag, double scalar)
{
    if (!isfinite(scalar))
        return;
    size_t value = tb_value_begin(tb, tag);
    protobuf_float(&tb->event, 2, (float)scalar);
    tb_value_end(tb, value);
}

void tensorboard_text(struct tensorboard *tb, const char *tag, const char *text)
{
    // metadata {plugin_data {plugin_name "text"}}, tensor {dtype STRING, string_val text}
    static const uint8_t metadata[] = {0x0a, 6, 0x0a, 4, 't', 'e', 'x', 't'};
    size_t               value = tb_value_begin(tb, tag);
    protobuf_bytes(&tb->event, 9, metadata, sizeof metadata);
    size_t tensor = protobuf_begin(&tb->event, 8);
    protobuf_uint(&tb->event, 1, 7);
    protobuf_text(&tb->event, 8, text);
    protobuf_end(&tb->event, tensor);
    tb_value_end(tb, value);
}

void tensorboard_image(struct tensorboard *tb, const char *tag, size_t width, size_t height,
                       const void *encoded, size_t size)
{
    size_t value = tb_value_begin(tb, tag);
    size_t image = protobuf_begin(&tb->event, 4);
    protobuf_uint(&tb->event, 1, height);
    protobuf_uint(&tb->event, 2, width);
    protobuf_uint(&tb->event, 3, 3);
    protobuf_bytes(&tb->event, 4, encoded, size);
    protobuf_end(&tb->event, image);
    tb_value_end(tb, value);
}

int tensorboard_end(struct tensorboard *tb, uint64_t step, struct error *err)
{
    // nothing but the beginning of an empty summary?
    if (tb->event.n <= tb->summary) {
        tb->event.n = 0;
        return 0;
    }
    protobuf_end(&tb->event, tb->summary);
    protobuf_double(&tb->event, 1, clock_wall());
    protobuf_uint(&tb->event, 2, step);
    return tb_write(tb, err);
}
