// sched_getaffinity is not in POSIX
#define _GNU_SOURCE

#include "common/cores.h"

#include <sched.h>
#include <unistd.h>

size_t cores_available(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
}

size_t cores_cache(void)
{
    long size = 0;
#ifdef _SC_LEVEL2_CACHE_SIZE
    size = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
    return size > 0 ? (size_t)size : (size_t)512 << 10;
}
