// libFuzzer target: any text as a spec, and what was read as a spec reads back as the same.
#include "common/spec.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct spec spec, again;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const         set[] = {"agent.net.hid_layers.0=8", "env.kwargs.a=[1, 2]"};
    static const char *const         var[] = {"env=A", "frames=1e5"};
    static const struct spec_options options = {set, 2, var, 2};
    const char                      *text = (const char *)data;
    char                            *written = NULL;
    size_t                           n = 0;
    spec_parse(&spec, text, size, "f", "a", &options, NULL, NULL);
    if (spec_parse(&spec, text, size, "f", NULL, NULL, NULL, NULL) != 0)
        return 0;
    FILE *out = open_memstream(&written, &n);
    if (out == NULL || spec_write(&spec, out, NULL) != 0 || fclose(out) != 0 ||
        spec_parse(&again, written, n, "f", NULL, NULL, NULL, NULL) != 0 ||
        spec_hash(&spec) != spec_hash(&again))
        abort();
    free(written);
    return 0;
}
