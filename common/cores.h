// Processors that this process may use: its affinity, which a container's cpuset sets too.
#ifndef COMMON_CORES_H
#define COMMON_CORES_H

#include <stddef.h>

// At least 1.
size_t cores_available(void);

#endif
