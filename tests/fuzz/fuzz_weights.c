// libFuzzer target: any bytes as a weights frame, and any floats in a frame that fits them, whole and with
// one byte changed.
#include "proto/weights.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FLOATS = 256, CAPACITY = 16384 };

static bool same(const struct weights *a, const struct weights *b)
{
    return a->run_id == b->run_id && a->incarnation == b->incarnation && a->version == b->version &&
           a->n == b->n && memcmp(a->floats, b->floats, a->n * sizeof(float)) == 0;
}

static void frame_try(const uint8_t *data, size_t size)
{
    static uint8_t frame[CAPACITY];
    struct weights got, w = {.floats = data + 8, .n = (size - 8) / sizeof(float)};
    if (w.n > FLOATS)
        w.n = FLOATS;
    w.run_id = data[0];
    w.incarnation = data[1];
    w.version = data[2];
    size_t n = weights_encode(frame, sizeof frame, &w);
    int    code = weights_decode(&got, frame, n, NULL);
    if (code == 0 ? !same(&w, &got) : code != ERR_NUMERIC && w.version > 0)
        abort();
    // the first byte of a length may be changed to say the same; nothing else may
    size_t at = ((size_t)data[3] << 8 | data[4]) % n;
    frame[at] ^= data[5] == 0 ? 1 : data[5];
    if (weights_decode(&got, frame, n, NULL) == 0 && !same(&w, &got))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weights w;
    double         sum = 0;
    if (weights_decode(&w, data, size, NULL) == 0)
        for (size_t i = 0; i < w.n; i++) {
            float value;
            memcpy(&value, (const uint8_t *)w.floats + i * sizeof value, sizeof value);
            sum += (double)value;
        }
    if (size >= 8)
        frame_try(data, size);
    return sum != sum;
}
