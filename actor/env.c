#include "actor/env_task.h"

#include "actor/assets.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ------ the table: one line a task, here and below

extern const struct env_task acrobot_task, ant_task, cart_pole_task, half_cheetah_task, hopper_task,
    humanoid_task, humanoid_standup_task, inverted_double_pendulum_task, inverted_pendulum_task,
    mountain_car_task, mountain_car_continuous_task, pendulum_task, pusher_task, reacher_task,
    swimmer_task, walker2d_task;

static const struct env_task *const tasks[] = {
    &acrobot_task,
    &ant_task,
    &cart_pole_task,
    &half_cheetah_task,
    &hopper_task,
    &humanoid_task,
    &humanoid_standup_task,
    &inverted_double_pendulum_task,
    &inverted_pendulum_task,
    &mountain_car_task,
    &mountain_car_continuous_task,
    &pendulum_task,
    &pusher_task,
    &reacher_task,
    &swimmer_task,
    &walker2d_task,
};
enum { N_TASKS = sizeof tasks / sizeof tasks[0] };

// tasks of the user's own, which are nothing without a spec
extern const struct env_task        custom_task, plugin_task;
static const struct env_task *const own_tasks[] = {&custom_task, &plugin_task};
enum { N_OWN = sizeof own_tasks / sizeof own_tasks[0] };

const char *env_simulator_version(void)
{
    return mj_versionString();
}

const char *env_name(size_t i)
{
    return i < N_TASKS ? tasks[i]->name : NULL;
}

static const struct env_task *find_task(const char *name, struct error *err)
{
    char   names[1024] = "";
    size_t used = 0;
    for (size_t i = 0; i < N_TASKS + N_OWN; i++) {
        const struct env_task *task = i < N_TASKS ? tasks[i] : own_tasks[i - N_TASKS];
        if (strcmp(task->name, name) == 0)
            return task;
        used += (size_t)snprintf(names + used, sizeof names - used, " %s", task->name);
    }
    error_set(err, ERR_SPEC, "env.name: there is no task %s, allowed:%s", name, names);
    return NULL;
}

// ------ making

static int open_simulator(struct env *env, int frame_skip, struct error *err)
{
    char path[4096];
    int  rc = assets_find(path, sizeof path, env->task->model, err);
    if (rc == 0)
        rc = simulator_load(&env->sim, path, frame_skip, err);
    return rc;
}

// the bounds of a MuJoCo task are its actuators' control ranges, which Gymnasium rounds to float32
static int take_bounds(struct env *env, struct error *err)
{
    const mjModel *m = env->sim.m;
    if (m->nu < 1 || m->nu > ENV_MAX_ACTION)
        return error_set(err, ERR_SPEC, "model of %s has %d actuators, allowed: 1 to %d",
                         env->task->name, (int)m->nu, ENV_MAX_ACTION);
    env->info.action = (size_t)m->nu;
    for (int i = 0; i < m->nu; i++) {
        if (!m->actuator_ctrllimited[i])
            return error_set(err, ERR_SPEC, "model of %s: actuator %d needs a ctrlrange",
                             env->task->name, i);
        env->info.low[i] = (double)(float)m->actuator_ctrlrange[2 * i];
        env->info.high[i] = (double)(float)m->actuator_ctrlrange[2 * i + 1];
    }
    return 0;
}

static void describe(struct env *env, const struct spec *spec)
{
    const struct env_task *task = env->task;
    snprintf(env->info.name, sizeof env->info.name, "%s", task->name);
    env->info.max_steps = spec->env.max_t != 0 ? spec->env.max_t : task->max_steps;
    env->info.threshold = task->threshold;
    env->info.discrete = task->actions != 0;
    env->info.action = task->actions != 0 ? task->actions : 1;
    env->info.low[0] = -task->bound;
    env->info.high[0] = task->bound;
}

// what depends on the finished task: the observation's size and memory
static int add_memory(struct env *env, struct error *err)
{
    struct row count = {0};
    if (env->task->state != 0)
        env->state = calloc(env->task->state, sizeof *env->state);
    if (env->task->state == 0 || env->state != NULL)
        env->task->observe(env, &count);
    env->info.obs = count.n;
    env->obs = calloc(count.n + 1, sizeof *env->obs);
    if (env->obs == NULL || (env->task->state != 0 && env->state == NULL))
        return error_set(err, ERR_MEMORY, "no memory for an environment");
    return 0;
}

static int make(struct env *env, const struct spec *spec, struct error *err)
{
    const struct env_task *task = env->task;
    int                    frame_skip = task->frame_skip;
    describe(env, spec);
    int rc = task->own_kwargs ? 0
                              : env_args_fill(env->args, task->model != NULL ? &frame_skip : NULL,
                                              task->args, task->n_args, spec, err);
    if (rc == 0 && task->model != NULL)
        rc = open_simulator(env, frame_skip, err);
    if (rc == 0 && task->open != NULL)
        rc = task->open(env, spec, err);
    if (rc == 0 && env->sim.m != NULL)
        rc = take_bounds(env, err);
    env->sim.forces |= task->forces;
    if (rc == 0)
        rc = add_memory(env, err);
    return rc;
}

static struct env *allocate(const struct env_task *task, struct error *err)
{
    struct env *env = calloc(1, sizeof *env);
    if (env != NULL) {
        env->task = task;
        env->args = calloc(1, task->args_size + 1);
    }
    if (env == NULL || env->args == NULL) {
        free(env);
        error_set(err, ERR_MEMORY, "no memory for an environment");
        return NULL;
    }
    return env;
}

struct env *env_make(const struct spec *spec, struct error *err)
{
    const struct env_task *task = find_task(spec->env.name, err);
    struct env            *env = task != NULL ? allocate(task, err) : NULL;
    if (env != NULL && make(env, spec, err) < 0) {
        env_free(env);
        env = NULL;
    }
    return env;
}

struct env *env_copy(const struct env *env, struct error *err)
{
    struct env *copy = allocate(env->task, err);
    if (copy == NULL)
        return NULL;
    copy->info = env->info;
    memcpy(copy->args, env->args, env->task->args_size);
    int rc = env->sim.m != NULL ? simulator_copy(&copy->sim, &env->sim, err) : 0;
    if (rc == 0 && env->task->copy != NULL)
        rc = env->task->copy(copy, env, err);
    if (rc == 0)
        rc = add_memory(copy, err);
    if (rc < 0) {
        env_free(copy);
        return NULL;
    }
    return copy;
}

void env_free(struct env *env)
{
    if (env == NULL)
        return;
    if (env->task->close != NULL)
        env->task->close(env);
    simulator_free(&env->sim);
    free(env->args);
    free(env->state);
    free(env->obs);
    free(env);
}

const struct env_info *env_info(const struct env *env)
{
    return &env->info;
}

// ------ stepping

// observes in double, hands out float; false if a number is not finite
static bool observe(struct env *env, float *obs)
{
    struct row row = {.x = env->obs};
    env->task->observe(env, &row);
    assert(row.n == env->info.obs);
    bool finite = true;
    for (size_t i = 0; i < row.n; i++) {
        float x = (float)env->obs[i];
        finite &= isfinite(x) != 0;
        if (obs != NULL)
            obs[i] = x;
    }
    return finite;
}

void env_reset(struct env *env, struct rng *rng, float *obs)
{
    env->elapsed = 0;
    if (env->sim.m != NULL)
        simulator_reset(&env->sim);
    env->task->start(env, rng);
    if (env->sim.m != NULL)
        simulator_forward(&env->sim);
    observe(env, obs);
}

struct env_step env_step(struct env *env, const float *action, float *obs)
{
    struct env_step s = env->task->step(env, action);
    env->elapsed++;
    s.truncated = env->elapsed >= env->info.max_steps;
    s.broken |= !observe(env, obs) || !isfinite(s.reward);
    return s;
}

void env_scale_action(const struct env_info *info, float *y, const float *x)
{
    for (size_t i = 0; i < info->action; i++)
        y[i] = (float)(info->low[i] + ((double)x[i] + 1) / 2 * (info->high[i] - info->low[i]));
}

// ------ states

size_t env_state_size(const struct env *env)
{
    return env->sim.m != NULL ? env->sim.nq + env->sim.nv : env->task->state;
}

void env_get_state(const struct env *env, double *state)
{
    const mjData *d = env->sim.d;
    if (d == NULL) {
        memcpy(state, env->state, env->task->state * sizeof *state);
        return;
    }
    size_t nq = env->sim.nq, nv = env->sim.nv;
    memcpy(state, d->qpos, nq * sizeof *state);
    memcpy(state + nq, d->qvel, nv * sizeof *state);
}

void env_set_state(struct env *env, const double *state, uint64_t elapsed, float *obs)
{
    env->elapsed = elapsed;
    if (env->sim.m == NULL) {
        memcpy(env->state, state, env->task->state * sizeof *state);
    } else {
        size_t nq = env->sim.nq, nv = env->sim.nv;
        simulator_reset(&env->sim);
        memcpy(env->sim.d->qpos, state, nq * sizeof *state);
        memcpy(env->sim.d->qvel, state + nq, nv * sizeof *state);
        simulator_forward(&env->sim);
    }
    observe(env, obs);
}

double env_step_seconds(const struct env *env)
{
    return env->sim.m != NULL ? env->sim.dt : env->task->dt > 0 ? env->task->dt : 0.05;
}

const double *env_observation(const struct env *env)
{
    return env->obs;
}
