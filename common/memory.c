// _SC_PHYS_PAGES is not in POSIX
#define _DEFAULT_SOURCE

#include "common/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

// the number in a file; UINT64_MAX: no file, or the word "max"
static uint64_t limit_read(const char *path)
{
    uint64_t limit;
    FILE    *f = fopen(path, "re");
    if (f == NULL)
        return UINT64_MAX;
    if (fscanf(f, "%" SCNu64, &limit) != 1)
        limit = UINT64_MAX;
    fclose(f);
    return limit;
}

uint64_t memory_total(void)
{
    long     pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    uint64_t total = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : UINT64_MAX;
    // inside a container its own group is mounted here, in version 2 or 1
    const uint64_t limits[] = {limit_read("/sys/fs/cgroup/memory.max"),
                               limit_read("/sys/fs/cgroup/memory/memory.limit_in_bytes")};
    for (int i = 0; i < 2; i++)
        total = limits[i] < total ? limits[i] : total;
    return total;
}

uint64_t memory_resident(void)
{
    unsigned long long total, resident = 0;
    FILE              *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%llu %llu", &total, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}
