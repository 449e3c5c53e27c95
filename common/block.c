// MADV_HUGEPAGE and MAP_ANONYMOUS are no part of POSIX
#define _DEFAULT_SOURCE

#include "common/block.h"

#include <stdint.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

// whole huge pages for all but small blocks
static size_t block_size(size_t size)
{
    size_t page = size < HUGE_PAGE ? 4096 : HUGE_PAGE;
    return (size + page - 1) / page * page;
}

void *block_make(size_t size)
{
    size_t room = block_size(size == 0 ? 1 : size);
    size_t extra = room < HUGE_PAGE ? 0 : HUGE_PAGE;
    char  *base =
        mmap(NULL, room + extra, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        return NULL;
    if (extra == 0)
        return base;
    // a huge page starts at a multiple of its size: give the rest back
    size_t skip = (HUGE_PAGE - (uintptr_t)base % HUGE_PAGE) % HUGE_PAGE;
    if (skip > 0)
        munmap(base, skip);
    if (extra > skip)
        munmap(base + skip + room, extra - skip);
#ifdef MADV_HUGEPAGE
    madvise(base + skip, room, MADV_HUGEPAGE);
#endif
    return base + skip;
}

void block_free(void *block, size_t size)
{
    if (block != NULL)
        munmap(block, block_size(size == 0 ? 1 : size));
}
