// The weights frame: WEIGHTS of proto/message.h with its check sum. Floats are little-endian, in the
// order of the policy's parameters; every number of the frame is under the check sum.
#ifndef PROTO_WEIGHTS_H
#define PROTO_WEIGHTS_H

#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

struct weights {
    uint64_t    run_id;
    uint64_t    incarnation;  // of the learner; weights are ordered by (incarnation, version)
    uint64_t    version;      // >= 1
    const void *floats;       // (n) little-endian, possibly unaligned: borrows the frame
    size_t      n;
};

// Bytes that weights_encode needs for n floats at most.
size_t weights_frame_size(size_t n);

// Writes the frame into out (capacity >= weights_frame_size(w->n)).
//
//   returns  bytes written
size_t weights_encode(void *out, size_t capacity, const struct weights *w);

// Reads and checks a frame: shape, check sum, every float finite.
//
//   returns  0, ERR_FORMAT, or ERR_NUMERIC when a float is not finite
int weights_decode(struct weights *w, const void *frame, size_t size, struct error *err);

#endif
