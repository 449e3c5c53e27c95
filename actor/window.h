// Turns the steps of one environment into rows for the replay (proto/transition.h): n-step returns.
//
//   reward    sum_k gamma^k r_k over the window        discount  gamma^n (1 - terminated)
//   next_obs  the observation n steps later
//
// At the end of an episode the shorter windows come out too, each with its own length's discount, so
// every step gives exactly one row. A truncated window bootstraps (discount > 0), a terminated one does
// not. With n_step 1 a row is the step itself. One environment, one window; not thread-safe.
#ifndef ACTOR_WINDOW_H
#define ACTOR_WINDOW_H

#include "common/error.h"
#include "proto/transition.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct window {
    struct row_shape shape;
    size_t           n_step;
    double           gamma;
    size_t           first, count;  // ring of open steps, oldest at first
    float           *start;         // (n_step, O + W)  observation and action of each
    double          *reward;        // (n_step)
    uint32_t        *version;       // (n_step)  weights that chose the action
};

// returns 0 or ERR_MEMORY; w is then safe to free.
int  window_init(struct window *w, struct row_shape shape, size_t n_step, double gamma,
                 struct error *err);
void window_free(struct window *w);

// Forgets open steps: after a broken step or when the episode's rest was lost.
void window_reset(struct window *w);

// Adds one step. obs (O) before it, action (W) as sent to the policy head, next_obs (O) true successor.
// rows (n_step, words) takes what is finished.
//
//   returns  rows written: 0 or 1, at the end of an episode all that were open
size_t window_step(struct window *w, float *rows, const float *obs, const float *action,
                   double reward, const float *next_obs, bool terminated, bool truncated,
                   uint32_t version);

#endif
