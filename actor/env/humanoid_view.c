#include "actor/env/humanoid_view.h"

#include <math.h>

void humanoid_observe(const struct env *env, struct humanoid_view view, struct row *row)
{
    const mjData *d = env->sim.d;
    size_t        skip = view.exclude_positions ? 2 : 0, bodies = env->sim.nbody - 1;
    row_put(row, d->qpos + skip, env->sim.nq - skip);
    row_put(row, d->qvel, env->sim.nv);
    if (view.cinert)
        row_put(row, d->cinert + 10, 10 * bodies);
    if (view.cvel)
        row_put(row, d->cvel + 6, 6 * bodies);
    if (view.qfrc_actuator)
        row_put(row, d->qfrc_actuator + 6, env->sim.nv - 6);
    if (view.cfrc_ext)
        row_put(row, d->cfrc_ext + 6, 6 * bodies);
}

double humanoid_control_cost(const struct env *env, double weight)
{
    return weight * sum_squares(env->sim.d->ctrl, env->sim.nu, -INFINITY, INFINITY);
}

double humanoid_contact_cost(const struct env *env, double weight, const double *range)
{
    double sum = sum_squares(env->sim.d->cfrc_ext, 6 * env->sim.nbody, -INFINITY, INFINITY);
    return clip(weight * sum, range[0], range[1]);
}
