// The row: one transition as it travels on the wire and lies in the replay memory, so that a block
// moves by memcpy. 32-bit little-endian words:
//
//   obs         O  float   observation before the step
//   action      W  float   continuous: A values in [-1, 1]; discrete: one, the index
//   reward      1  float   sum of the n-step window, discounted
//   discount    1  float   gamma^n * (1 - terminated): what the bootstrap value is multiplied with
//   next_obs    O  float   true successor, never a reset's observation
//   flags       1  uint32  ROW_TERMINATED, ROW_TRUNCATED
//   version     1  uint32  weights version that chose the action, 0: uniform random
//
// words = 2 O + W + 4.
#ifndef PROTO_TRANSITION_H
#define PROTO_TRANSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ROW_TERMINATED = 1u, ROW_TRUNCATED = 2u };

struct row_shape {
    size_t obs;     // O
    size_t action;  // W: columns of the action
    size_t words;   // of a row
    size_t reward;  // word where it stands; likewise the next four
    size_t discount;
    size_t next_obs;
    size_t flags;
    size_t version;
};

// obs, action >= 1.
static inline struct row_shape row_shape_make(size_t obs, size_t action)
{
    struct row_shape s = {.obs = obs, .action = action};
    s.reward = obs + action;
    s.discount = s.reward + 1;
    s.next_obs = s.discount + 1;
    s.flags = s.next_obs + obs;
    s.version = s.flags + 1;
    s.words = s.version + 1;
    return s;
}

// One word of a row, whatever its alignment.
uint32_t row_word(const void *row, size_t word);

// Says whether n little-endian floats, of any alignment, are all finite.
bool floats_finite(const void *floats, size_t n);

// Checks rows (n, words) that a peer sent: finite, flags known, discount in [0, 1], actions in
// [-1, 1], or an index below `choices` when that is not 0 (discrete).
//
//   returns  NULL, or what is wrong
const char *rows_check(const void *rows, size_t n, struct row_shape s, size_t choices);

#endif
