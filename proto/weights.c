#include "proto/weights.h"

#include "common/crc32c.h"
#include "proto/message.h"
#include "proto/transition.h"

#include <assert.h>

static uint32_t weights_crc(const struct weights *w)
{
    uint8_t        head[24];
    const uint64_t words[3] = {w->run_id, w->incarnation, w->version};
    for (size_t i = 0; i < sizeof head; i++)
        head[i] = (uint8_t)(words[i / 8] >> (8 * (i % 8)));
    return crc32c(crc32c(0, head, sizeof head), w->floats, w->n * sizeof(float));
}

size_t weights_frame_size(size_t n)
{
    return n * sizeof(float) + MESSAGE_OVERHEAD;
}

size_t weights_encode(void *out, size_t capacity, const struct weights *w)
{
    struct message m = {.kind = MESSAGE_WEIGHTS};
    m.weights = (struct weights_message){
        .run_id = w->run_id,
        .learner_incarnation = w->incarnation,
        .version = w->version,
        .crc = weights_crc(w),
        .floats = {w->floats, w->n * sizeof(float)},
    };
    size_t size = message_encode(out, capacity, &m);
    assert(size > 0);
    return size;
}

int weights_decode(struct weights *w, const void *frame, size_t size, struct error *err)
{
    struct message m;
    int            code = message_decode(&m, frame, size, err);
    if (code < 0)
        return code;
    if (m.kind != MESSAGE_WEIGHTS || m.weights.floats.size % sizeof(float) != 0)
        return error_set(err, ERR_FORMAT, "%s is no weights frame", message_name(m.kind));
    *w = (struct weights){
        .run_id = m.weights.run_id,
        .incarnation = m.weights.learner_incarnation,
        .version = m.weights.version,
        .floats = m.weights.floats.data,
        .n = m.weights.floats.size / sizeof(float),
    };
    if (w->version == 0)
        return error_set(err, ERR_FORMAT, "weights without a version");
    if (weights_crc(w) != m.weights.crc)
        return error_set(err, ERR_FORMAT, "weights version %llu: check sum differs",
                         (unsigned long long)w->version);
    if (!floats_finite(w->floats, w->n))
        return error_set(err, ERR_NUMERIC, "weights version %llu: not finite",
                         (unsigned long long)w->version);
    return 0;
}
