// A simulator: one MuJoCo model, its data, and calls that cannot stop the process.
//
// MuJoCo reports a fatal error by a handler that must not return, a warning by one that by default
// writes MUJOCO_LOG.TXT, and a bad state (not finite, or huge) by resetting the simulation without a
// word. Here both handlers are replaced for the whole process, a fatal error jumps back to the caller,
// and a bad state is looked for after each step.
//
// Several simulators may share one model (constant); data belongs to one thread.
#ifndef ACTOR_SIMULATOR_H
#define ACTOR_SIMULATOR_H

#include "actor/mujoco.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

struct simulator {
    mjModel *m;                  // shared by all copies
    size_t   nq, nv, nu, nbody;  // m's sizes
    mjData  *d;                  // owned
    size_t  *users;              // how many simulators hold m; not atomic
    int      frame_skip;         // simulation steps a control step
    double   dt;                 // seconds a control step: timestep x frame_skip
    bool     forces;             // mj_rnePostConstraint after each step: someone reads cfrc_ext
};

// Loads an MJCF file.
//
//   returns  0, or ERR_VERSION (header and library differ), ERR_SPEC with MuJoCo's own words,
//            ERR_MEMORY
//   owns     m and d, until simulator_free
int simulator_load(struct simulator *s, const char *path, int frame_skip, struct error *err);

// A second simulator of the same model, with its own data.
int simulator_copy(struct simulator *s, const struct simulator *of, struct error *err);

void simulator_free(struct simulator *s);

// mj_resetData: the model's own pose at rest. The caller may write qpos and qvel, then calls
// simulator_forward.
void simulator_reset(struct simulator *s);

// One mj_forward.
//
//   returns  false if MuJoCo failed or met a bad state; the simulator is then reset
bool simulator_forward(struct simulator *s);

// One control step: ctrl = action, not clipped (MuJoCo clamps its own copy), frame_skip times
// mj_step, then mj_rnePostConstraint if forces. No mj_forward: derived quantities (xpos, cvel, ...)
// lag behind qpos, as in Gymnasium.
//
//   action   (nu)
//   returns  false if MuJoCo failed or met a bad state; the simulator is then reset
bool simulator_step(struct simulator *s, const float *action);

// The position (3) of the frame of a body that the model must have; valid until simulator_free.
const double *simulator_body(const struct simulator *s, const char *name);

// Runs call(context) so that a fatal error of MuJoCo inside it comes back here.
//
//   returns  0, or ERR_SYSTEM with MuJoCo's words
int simulator_guard(void (*call)(void *context), void *context, struct error *err);

#endif
