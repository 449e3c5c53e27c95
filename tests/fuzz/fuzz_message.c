// libFuzzer target: any bytes as a message, and any message that was read is written and read as the
// same; any words as rows.
#include "proto/message.h"
#include "proto/transition.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t once[1 << 16], twice[1 << 16];

static void message_try(const uint8_t *data, size_t size)
{
    struct message m, again;
    if (message_decode(&m, data, size, NULL) < 0)
        return;
    size_t n = message_encode(once, sizeof once, &m);
    // integers may have come longer than they had to
    if (n == 0 || n > size || message_decode(&again, once, n, NULL) < 0 ||
        message_encode(twice, sizeof twice, &again) != n || memcmp(once, twice, n) != 0)
        abort();
}

static void rows_try(const uint8_t *data, size_t size)
{
    struct row_shape s = row_shape_make(1 + data[0] % 5, 1 + data[1] % 3);
    size_t           n = (size - 2) / (4 * s.words);
    if (rows_check(data + 2, n, s, data[1] % 2 == 0 ? 0 : 3) == NULL && n > 0 &&
        !floats_finite(data + 2, s.flags))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    message_try(data, size);
    if (size >= 2)
        rows_try(data, size);
    return 0;
}
