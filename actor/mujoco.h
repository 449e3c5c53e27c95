// The one place that includes MuJoCo. Sources under actor/ that need it include this header, nothing
// outside actor/ does: the learner never links MuJoCo.
#ifndef ACTOR_MUJOCO_H
#define ACTOR_MUJOCO_H

#include <mujoco/mujoco.h>

#endif
