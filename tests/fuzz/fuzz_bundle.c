// libFuzzer target: any bytes, with a fitting check sum, as the files of a custom task.
#include "common/bundle.h"
#include "common/crc32c.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bundle_check(data, size);
    uint8_t *whole = malloc(size + 4);
    if (whole == NULL)
        return 0;
    memcpy(whole, data, size);
    uint32_t crc = crc32c(0, data, size);
    for (size_t i = 0; i < 4; i++)
        whole[size + i] = (uint8_t)(crc >> (8 * i));
    bundle_check(whole, size + 4);
    free(whole);
    return 0;
}
