// Products on AMX, the matrix unit that Intel's servers have since Sapphire Rapids, as exact as in float.
//
// The unit multiplies bf16 numbers, which have 8 bits, and adds up in float. The 24 bits of a float are
// three such numbers, x = x1 + x2 + x3 exactly, |x2| <= 2^-7 |x|, |x3| <= 2^-16 |x|, so that
//
//   x w = x1 w1 + (x1 w2 + x2 w1) + (x1 w3 + x2 w2 + x3 w1) + r,   |r| <= 2^-22 |x w|
//
// Six products of the unit make one of floats, about twice as fast as AVX-512 does. Sums of 16 terms or more
// err less than there, as the unit adds up 32 terms before it adds them to the others.
//
// The unit takes operands and results below 1e-38 for 0, so what is below 1e-33 loses bits, an operand or
// a product of two. An infinite operand makes NaN, not infinity.
//
// Source: Henry, Tang, Heinecke 2019, arXiv:1904.06376 (there BF16x3 with six products).
#ifndef COMMON_PRODUCT_AMX_H
#define COMMON_PRODUCT_AMX_H

#include "common/product_kernel.h"

// The kernel, or NULL where the processor has no such unit or the system does not let this process use
// it (Linux does since 5.16). Any thread.
const struct product_kernel *product_amx_kernel(void);

#endif
