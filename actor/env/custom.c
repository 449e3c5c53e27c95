// custom: a task of the user's own, a MuJoCo model and lists of terms (common/task_spec.h).
//
//   observation  the numbers of the observation terms, in order
//   reward       sum of weight x value over the reward terms; alive counts 0 in a terminating step
//   terminated   a termination term left its range; limit env.max_t, or 1000 steps
//   start        the model's pose at rest, qpos + U(-noise.qpos, noise.qpos), qvel + U(-noise.qvel,
//                noise.qvel); the quaternions of free and ball joints are normalised again
//
// As in Gymnasium's tasks, positions of bodies and sites are those of the last simulation step's
// evaluation and so lag a little behind qpos.
#include "actor/env/term.h"

#include "common/problems.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct custom {
    double      noise_qpos, noise_qvel;
    size_t      n_observation, n_reward, n_termination;
    struct term observation[TASK_TERMS], reward[TASK_TERMS], termination[TASK_TERMS];
};

// binds a list; what is wrong goes to problems
static void bind(struct term *terms, struct simulator *s, const struct task_term *spec, size_t n,
                 const char *list, enum task_section section, struct problems *problems)
{
    for (size_t i = 0; i < n; i++) {
        char problem[512], path[64];
        task_term_check(&spec[i], section, problem, sizeof problem);
        if (problem[0] == '\0')
            term_bind(&terms[i], &spec[i], s, problem, sizeof problem);
        snprintf(path, sizeof path, "env.%s.%zu", list, i);
        if (problem[0] != '\0')
            problems_add(problems, spec[i].line, path, "%s", problem);
        s->forces |= term_needs_forces(spec[i].term);
    }
}

static int bind_all(struct custom *c, struct simulator *s, const struct spec *spec,
                    struct error *err)
{
    const struct task_spec *task = &spec->env.task;
    struct problems         problems;
    problems_init(&problems, spec->file);
    c->n_observation = task->n_observation;
    c->n_reward = task->n_reward;
    c->n_termination = task->n_termination;
    bind(c->observation, s, task->observation, task->n_observation, "observation", TASK_OBSERVATION,
         &problems);
    bind(c->reward, s, task->reward, task->n_reward, "reward", TASK_REWARD, &problems);
    bind(c->termination, s, task->termination, task->n_termination, "termination", TASK_TERMINATION,
         &problems);
    if (task->n_observation == 0)
        problems_add(&problems, 0, "env.observation", "needs at least one term");
    if (task->n_reward == 0)
        problems_add(&problems, 0, "env.reward", "needs at least one term");
    int rc = problems_error(&problems, err);
    problems_free(&problems);
    return rc;
}

static int open(struct env *env, const struct spec *spec, struct error *err)
{
    const struct task_spec *task = &spec->env.task;
    if (task->model[0] == '\0')
        return error_set(err, ERR_SPEC, "%s: env.model: a custom task needs a MuJoCo model",
                         spec->file);
    int skip = task->frame_skip > 0 ? (int)task->frame_skip : 1;
    int rc = simulator_load(&env->sim, task->model, skip, err);
    if (rc < 0)
        return rc;
    struct custom *c = env->instance = calloc(1, sizeof *c);
    if (c == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a custom task");
    c->noise_qpos = task->noise_qpos;
    c->noise_qvel = task->noise_qvel;
    return bind_all(c, &env->sim, spec, err);
}

static int copy(struct env *env, const struct env *of, struct error *err)
{
    env->instance = malloc(sizeof(struct custom));
    if (env->instance == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a custom task");
    memcpy(env->instance, of->instance, sizeof(struct custom));
    return 0;
}

static void close(struct env *env)
{
    free(env->instance);
}

static void start(struct env *env, struct rng *rng)
{
    const struct custom *c = env->instance;
    noise_uniform(rng, env->sim.d->qpos, env->sim.nq, c->noise_qpos);
    noise_uniform(rng, env->sim.d->qvel, env->sim.nv, c->noise_qvel);
    mj_normalizeQuat(env->sim.m, env->sim.d->qpos);
}

static void observe(const struct env *env, struct row *row)
{
    const struct custom *c = env->instance;
    for (size_t i = 0; i < c->n_observation; i++)
        c->observation[i].read(&env->sim, &c->observation[i], row);
}

static bool is_terminated(const struct custom *c, const struct simulator *s)
{
    bool outside = false;
    for (size_t i = 0; i < c->n_termination; i++) {
        double value = term_value(&c->termination[i], s);
        outside |= value < c->termination[i].range[0] || value > c->termination[i].range[1];
    }
    return outside;
}

static struct env_step step(struct env *env, const float *action)
{
    struct custom *c = env->instance;
    for (size_t i = 0; i < c->n_reward; i++)
        term_before(&c->reward[i], &env->sim);
    struct env_step s = {.broken = !simulator_step(&env->sim, action)};
    s.terminated = is_terminated(c, &env->sim);
    for (size_t i = 0; i < c->n_reward; i++)
        if (!(c->reward[i].alive && s.terminated))
            s.reward += c->reward[i].weight * term_value(&c->reward[i], &env->sim);
    return s;
}

const struct env_task custom_task = {
    .name = "custom",
    .max_steps = 1000,
    .threshold = NAN,
    .open = open,
    .copy = copy,
    .close = close,
    .start = start,
    .observe = observe,
    .step = step,
};
