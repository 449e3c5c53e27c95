#include "learner/batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// rounds up to whole cache lines, so that every column starts on one
static size_t aligned(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

int batch_init(struct batch *b, size_t B, size_t O, size_t W, size_t A, struct error *err)
{
    assert(B >= 1 && O >= 1 && W >= 1 && A >= 1);
    *b = (struct batch){.B = B, .O = O, .W = W, .A = A};
    struct {
        void **column;
        size_t bytes;
    } parts[] = {
        {(void **)&b->obs, B * O * sizeof(float)},
        {(void **)&b->action, B * W * sizeof(float)},
        {(void **)&b->reward, B * sizeof(float)},
        {(void **)&b->discount, B * sizeof(float)},
        {(void **)&b->next_obs, B * O * sizeof(float)},
        {(void **)&b->weight, B * sizeof(float)},
        {(void **)&b->noise_next, B * A * sizeof(float)},
        {(void **)&b->noise_policy, B * A * sizeof(float)},
        {(void **)&b->version, B * sizeof(uint32_t)},
        {(void **)&b->index, B * sizeof(uint64_t)},
    };
    size_t total = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        total += aligned(parts[i].bytes);
    b->block = aligned_alloc(64, total);
    if (b->block == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a batch of %zu rows (%zu bytes)", B,
                         total);
    memset(b->block, 0, total);
    char *at = b->block;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        *parts[i].column = at;
        at += aligned(parts[i].bytes);
    }
    return 0;
}

void batch_free(struct batch *b)
{
    free(b->block);
    *b = (struct batch){0};
}
