// Replays Gymnasium's trajectories (tests/golden/env/README.md has the format and the tolerances) and
// prints a line a file: the largest difference |a - b| / (1 + |b|) of observations and rewards within
// the first 50 steps of an episode, and overall, where chaos has its way.
//
// The files are $CROSSFLEET_GOLDEN/env/*.safetensors, tests/golden by default.
#include "actor/env.h"
#include "actor/mujoco.h"
#include "common/safetensors.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EARLY = 50, MAX_STATE = 256 };

struct golden {
    struct safetensors               st;
    const char                      *task;
    bool                             mujoco;
    size_t                           episodes, steps;              // E, T
    const struct safetensors_tensor *start;                        // (E)
    const struct safetensors_tensor *qpos0, *qvel0, *qpos, *qvel;  // MuJoCo
    const struct safetensors_tensor *state0, *state;               // classic control
    const struct safetensors_tensor *obs0, *obs, *action, *reward, *terminated, *truncated;
};

struct result {
    double obs_early, reward_early, obs, reward;
    int    complaints;
};

// ------ tolerances

// for the observations, states and rewards of step t (from 0); INFINITY: not compared
static double tolerance(const struct golden *g, size_t t)
{
    if (!g->mujoco)
        return t < EARLY || strcmp(g->task, "CartPole-v1") == 0 ? 1e-12 : 1e-9;
    if (strcmp(g->task, "Swimmer-v5") == 0 && t >= EARLY)
        return 1e-7;
    return t < 10 ? 1e-9 : t < 25 ? 1e-7 : t < EARLY ? 1e-5 : INFINITY;
}

// classic control observes in float32; its sines may round to the next one on another machine
static double obs_tolerance(const struct golden *g, size_t t)
{
    return g->mujoco ? tolerance(g, t) : 2e-7;
}

static double difference(double a, double b)
{
    return isfinite(a) ? fabs(a - b) / (1 + fabs(b)) : INFINITY;
}

// largest difference between x (n) and row i of a tensor
static double row_difference(const double *x, size_t n, const struct safetensors_tensor *t,
                             size_t i)
{
    double worst = 0;
    for (size_t k = 0; k < n; k++)
        worst = fmax(worst, difference(x[k], safetensors_number(t, i * n + k)));
    return worst;
}

// the observation as Gymnasium gives it: float64, or float32 in classic control
static double obs_difference(const struct golden *g, const struct env *env,
                             const struct safetensors_tensor *want, size_t i)
{
    double        row[1024];
    size_t        n = env_info(env)->obs;
    const double *obs = env_observation(env);
    for (size_t k = 0; k < n; k++)
        row[k] = g->mujoco ? obs[k] : (double)(float)obs[k];
    return row_difference(row, n, want, i);
}

static void check(struct result *r, const char *what, size_t episode, size_t step, double found,
                  double allowed)
{
    if (found > allowed && r->complaints++ < 3)
        printf("    episode %zu step %zu: %s is off by %.1e, allowed %.0e\n", episode, step, what,
               found, allowed);
}

// ------ one file

static const struct safetensors_tensor *find(struct golden *g, const char *name, bool *complete)
{
    const struct safetensors_tensor *t = safetensors_find(&g->st, name);
    *complete &= t != NULL;
    return t;
}

static bool open_golden(struct golden *g, const char *path)
{
    struct error err = {0};
    *g = (struct golden){0};
    if (safetensors_load(&g->st, path, &err) < 0) {
        printf("%s: %s\n", path, err.text);
        return false;
    }
    bool complete = true;
    g->task = safetensors_metadata(&g->st, "task");
    g->mujoco = safetensors_find(&g->st, "qpos0") != NULL;
    g->start = find(g, "episode_start", &complete);
    if (g->mujoco) {
        g->qpos0 = find(g, "qpos0", &complete);
        g->qvel0 = find(g, "qvel0", &complete);
        g->qpos = find(g, "qpos", &complete);
        g->qvel = find(g, "qvel", &complete);
    } else {
        g->state0 = find(g, "state0", &complete);
        g->state = find(g, "state", &complete);
    }
    g->obs0 = find(g, "obs0", &complete);
    g->obs = find(g, "obs", &complete);
    g->action = find(g, "action", &complete);
    g->reward = find(g, "reward", &complete);
    g->terminated = find(g, "terminated", &complete);
    g->truncated = find(g, "truncated", &complete);
    if (!complete || g->task == NULL) {
        printf("%s: not a golden trajectory of an environment\n", path);
        return false;
    }
    g->episodes = g->start->n;
    g->steps = g->reward->n;
    return true;
}

// the sizes that the file and the environment must share
static bool sizes_fit(const struct golden *g, const struct env *env)
{
    const struct env_info *info = env_info(env);
    size_t                 width = info->discrete ? 1 : info->action;
    size_t                 state = g->mujoco ? (g->qpos->n + g->qvel->n) : g->state->n;
    return g->obs->n == g->steps * info->obs && g->action->n == g->steps * width &&
           g->terminated->n == g->steps && g->truncated->n == g->steps &&
           state == g->steps * env_state_size(env) && env_state_size(env) <= MAX_STATE;
}

// row i of (qpos, qvel) or of state
static void read_state(double *state, const struct safetensors_tensor *a,
                       const struct safetensors_tensor *b, size_t na, size_t nb, size_t i)
{
    for (size_t k = 0; k < na; k++)
        state[k] = safetensors_number(a, i * na + k);
    for (size_t k = 0; k < nb; k++)
        state[na + k] = safetensors_number(b, i * nb + k);
}

static void golden_state(const struct golden *g, double *state, size_t i)
{
    if (g->mujoco)
        read_state(state, g->qpos, g->qvel, g->qpos->n / g->steps, g->qvel->n / g->steps, i);
    else
        read_state(state, g->state, NULL, g->state->n / g->steps, 0, i);
}

static void begin_episode(const struct golden *g, struct env *env, size_t e, struct result *r)
{
    double state[MAX_STATE];
    if (g->mujoco)
        read_state(state, g->qpos0, g->qvel0, g->qpos0->n / g->episodes, g->qvel0->n / g->episodes,
                   e);
    else
        read_state(state, g->state0, NULL, g->state0->n / g->episodes, 0, e);
    env_set_state(env, state, 0, NULL);
    double found = obs_difference(g, env, g->obs0, e);
    r->obs_early = fmax(r->obs_early, found);
    r->obs = fmax(r->obs, found);
    check(r, "the first observation", e, 0, found, obs_tolerance(g, 0));
}

static double state_difference(const struct golden *g, const struct env *env, size_t i)
{
    double got[MAX_STATE], want[MAX_STATE], worst = 0;
    env_get_state(env, got);
    golden_state(g, want, i);
    for (size_t k = 0; k < env_state_size(env); k++)
        worst = fmax(worst, difference(got[k], want[k]));
    return worst;
}

// step t of episode e, which is row i of the file
static void replay_step(const struct golden *g, struct env *env, size_t e, size_t t, size_t i,
                        struct result *r)
{
    const struct env_info *info = env_info(env);
    size_t                 width = info->discrete ? 1 : info->action;
    float                  action[ENV_MAX_ACTION], obs[1024];
    double                 state[MAX_STATE];
    for (size_t k = 0; k < width; k++)
        action[k] = (float)safetensors_number(g->action, i * width + k);
    if (strcmp(g->task, "CartPole-v1") == 0 && t > 0) {
        // its feedback episode is unstable in open loop, so each step starts from the golden state
        golden_state(g, state, i - 1);
        env_set_state(env, state, t, NULL);
    }
    struct env_step s = env_step(env, action, obs);

    double by_obs = obs_difference(g, env, g->obs, i);
    double by_reward = difference(s.reward, safetensors_number(g->reward, i));
    r->obs = fmax(r->obs, by_obs);
    r->reward = fmax(r->reward, by_reward);
    if (t < EARLY) {
        r->obs_early = fmax(r->obs_early, by_obs);
        r->reward_early = fmax(r->reward_early, by_reward);
    }
    check(r, "the observation", e, t + 1, by_obs,
          isfinite(tolerance(g, t)) ? obs_tolerance(g, t) : INFINITY);
    check(r, "the reward", e, t + 1, by_reward, tolerance(g, t));
    check(r, "the state", e, t + 1, state_difference(g, env, i), tolerance(g, t));
    check(r, "truncated", e, t + 1, s.truncated != (safetensors_number(g->truncated, i) != 0), 0);
    if (isfinite(tolerance(g, t))) {
        bool terminated = safetensors_number(g->terminated, i) != 0;
        check(r, "terminated", e, t + 1, s.terminated != terminated, 0);
        check(r, "broken", e, t + 1, s.broken, 0);
    }
}

static bool replay(const struct golden *g, struct env *env, struct result *r)
{
    if (!sizes_fit(g, env)) {
        printf("%s: sizes of the file do not fit the task\n", g->task);
        return false;
    }
    // in reverse order, so that nothing of one episode can help the next
    for (size_t e = g->episodes; e-- > 0;) {
        size_t begin = (size_t)safetensors_number(g->start, e);
        size_t end = e + 1 < g->episodes ? (size_t)safetensors_number(g->start, e + 1) : g->steps;
        begin_episode(g, env, e, r);
        for (size_t t = 0; begin + t < end && end <= g->steps; t++)
            replay_step(g, env, e, t, begin + t, r);
    }
    return r->complaints == 0;
}

// NULL, or why this file cannot be replayed here
static const char *reason_to_skip(const struct golden *g)
{
    const char *version = safetensors_metadata(&g->st, "mujoco");
    bool        known = false;
    for (size_t i = 0; env_name(i) != NULL; i++)
        known |= strcmp(env_name(i), g->task) == 0;
    if (!known)
        return "there is no such task here";
    if (g->mujoco && version != NULL && strcmp(version, mj_versionString()) != 0)
        return "it was made with another version of MuJoCo";
    return NULL;
}

static bool test_file(const char *path)
{
    struct golden g;
    bool          good = open_golden(&g, path);
    if (good && reason_to_skip(&g) != NULL) {
        printf("%s: skipped, %s\n", g.task, reason_to_skip(&g));
    } else if (good) {
        struct spec   spec = {0};
        struct error  err = {0};
        struct result r = {0};
        snprintf(spec.env.name, sizeof spec.env.name, "%s", g.task);
        struct env *env = env_make(&spec, &err);
        if (env == NULL)
            printf("%s: %s\n", g.task, err.text);
        good = env != NULL && replay(&g, env, &r);
        printf("%s: episodes=%zu steps=%zu obs_50=%.1e reward_50=%.1e obs_all=%.1e reward_all=%.1e "
               "tolerance=%s %s\n",
               g.task, g.episodes, g.steps, r.obs_early, r.reward_early, r.obs, r.reward,
               g.mujoco ? "1e-9,1e-7,1e-5 to steps 10,25,50" : "1e-12 to step 50, then 1e-9",
               good ? "ok" : "OUT OF TOLERANCE");
        env_free(env);
    }
    safetensors_free(&g.st);
    return good;
}

static int is_golden(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot != NULL && strcmp(dot, ".safetensors") == 0;
}

int main(void)
{
    const char     *root = getenv("CROSSFLEET_GOLDEN");
    char            directory[1024], path[2048];
    struct dirent **entries;
    snprintf(directory, sizeof directory, "%s/env", root != NULL ? root : "tests/golden");
    int n = scandir(directory, &entries, is_golden, alphasort);
    if (n <= 0) {
        printf("%s: no golden files\n", directory);
        return 1;
    }
    bool good = true;
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
        good &= test_file(path);
        free(entries[i]);
    }
    free(entries);
    return good ? 0 : 1;
}
