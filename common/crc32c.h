// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78): the check sum of weights and checkpoints.
//
// SSE4.2's instruction where the processor has it, a table elsewhere; both give the same numbers.
// Thread-safe. Source: RFC 3720, appendix B.4.
#ifndef COMMON_CRC32C_H
#define COMMON_CRC32C_H

#include <stddef.h>
#include <stdint.h>

// Goes on from crc, 0 at the start: crc32c(crc32c(0, a, n), b, m) is that of a followed by b.
uint32_t crc32c(uint32_t crc, const void *data, size_t size);

// The table's way whatever the processor, for tests.
uint32_t crc32c_table(uint32_t crc, const void *data, size_t size);

#endif
