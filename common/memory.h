// How much memory there is for this process, and how much it has.
#ifndef COMMON_MEMORY_H
#define COMMON_MEMORY_H

#include <stdint.h>

// Bytes it may use: the machine's, or less when its control group says so; UINT64_MAX when nobody says.
uint64_t memory_total(void);

// Bytes of it that are in memory now, 0 when nobody says.
uint64_t memory_resident(void);

#endif
