// libFuzzer target: any bytes as a safetensors file; each number of each tensor is read.
#include "common/safetensors.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct safetensors st;
    double             sum = 0;
    if (safetensors_parse(&st, data, size, "f", NULL) == 0)
        for (size_t i = 0; i < st.n; i++) {
            if (safetensors_find(&st, st.tensor[i].name) != &st.tensor[i])
                abort();
            for (size_t k = 0; k < st.tensor[i].n; k++)
                sum += safetensors_number(&st.tensor[i], k) > 0;
        }
    safetensors_free(&st);
    return sum < 0;
}
