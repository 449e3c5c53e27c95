// Large zeroed memory for tensors: aligned, on huge pages where the system gives them.
#ifndef COMMON_BLOCK_H
#define COMMON_BLOCK_H

#include <stddef.h>

// Floats to round a tensor up to, so that each starts on a cache line of its own.
#define BLOCK_ALIGN 16

// n rounded up to BLOCK_ALIGN.
static inline size_t block_round(size_t n)
{
    return (n + BLOCK_ALIGN - 1) / BLOCK_ALIGN * BLOCK_ALIGN;
}

// size bytes of zeros, 64-byte aligned; NULL when there is no memory.
void *block_make(size_t size);

// block: from block_make with the same size, or NULL.
void block_free(void *block, size_t size);

#endif
