// What this process may use of the machine.
#ifndef COMMON_CORES_H
#define COMMON_CORES_H

#include <stddef.h>

// Processors: its affinity, which a container's cpuset sets too. At least 1.
size_t cores_available(void);

// Bytes of a core's second-level cache, 512 KB if the system does not tell.
size_t cores_cache(void);

#endif
