// How much memory this process may use: the machine's, or less when its control group says so.
#ifndef COMMON_MEMORY_H
#define COMMON_MEMORY_H

#include <stdint.h>

// Bytes; UINT64_MAX when nobody says.
uint64_t memory_total(void);

#endif
