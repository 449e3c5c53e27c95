// sched_getaffinity is not in POSIX
#define _GNU_SOURCE

#include "common/cores.h"

#include <sched.h>

size_t cores_available(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
}
