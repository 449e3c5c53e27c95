// What Humanoid-v5 and HumanoidStandup-v5 observe, and the costs they share.
#ifndef ACTOR_ENV_HUMANOID_VIEW_H
#define ACTOR_ENV_HUMANOID_VIEW_H

#include "actor/env_task.h"

struct humanoid_view {
    bool exclude_positions, cinert, cvel, qfrc_actuator, cfrc_ext;  // what to leave out or put in
};

// qpos[2:] (or all), qvel, then as asked for and without the world's row: cinert, cvel,
// qfrc_actuator without the root's 6, cfrc_ext
void humanoid_observe(const struct env *env, struct humanoid_view view, struct row *row);

// weight sum(ctrl^2), in double unlike control_cost
double humanoid_control_cost(const struct env *env, double weight);

// weight sum(cfrc_ext^2), clipped to range
double humanoid_contact_cost(const struct env *env, double weight, const double *range);

#endif
