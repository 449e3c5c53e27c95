#include "learner/plan_measure.h"

#include "common/blas.h"
#include "common/clock.h"
#include "common/command.h"
#include "common/cores.h"
#include "common/policy.h"
#include "common/rng.h"
#include "common/spec.h"
#include "learner/batch.h"
#include "learner/plan.h"
#include "learner/replay.h"
#include "learner/sampler.h"
#include "learner/update.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define UPDATE_SECONDS 2.0
#define POLICY_SECONDS 0.3
#define REPLAY_ROWS 20000  // enough that batches do not lie in a cache
// measured on a core of 2.x GHz: a turn of an actor's loop (credit, polls, message) and a row's way
// through it; a row's way through the learner's network thread
#define TURN_S 4e-6
#define ACTOR_ROW_S 0.4e-6
#define LEARNER_ROW_S 1.2e-6

struct task {
    size_t obs, action;
    bool   discrete;
    double steps_per_s;  // 0: not measured
};

// ---------------------------------------------------------------- what the actor's program knows

// asks the program beside this one: "Pendulum-v1  3  1 in [-2, 2]  200  -  1234567"
static int task_ask(struct task *task, const char *name, bool bench, struct error *err)
{
    char path[2048], command[2300], line[256] = "", kind[16];
    program_directory(path, sizeof path);
    snprintf(command, sizeof command, "'%scrossfleet-actor' envs %s '%s'", path,
             bench ? "--bench" : "", name);
    FILE *out = popen(command, "r");
    bool  found = false;
    while (out != NULL && !found && fgets(line, sizeof line, out) != NULL)
        found = strncmp(line, name, strlen(name)) == 0 &&
                sscanf(line + strlen(name), "%zu %zu %15s", &task->obs, &task->action, kind) == 3;
    // the last column
    char *last = found ? strrchr(line, ' ') : NULL;
    if (out != NULL)
        pclose(out);
    if (last == NULL)
        return error_set(err, ERR_SYSTEM, "%s does not answer: is crossfleet-actor there?",
                         command);
    task->discrete = strcmp(kind, "choices") == 0;
    task->steps_per_s = bench ? strtod(last, NULL) : 0;
    return 0;
}

// ---------------------------------------------------------------- measurements

// seconds of the policy for one turn of M environments, and its size
static int policy_measure(const struct spec *spec, const struct task *t, size_t M, double *turn_s,
                          uint64_t *bytes, struct error *err)
{
    struct policy p;
    struct rng    rng;
    size_t        A = t->action, columns = t->discrete ? 1 : A;
    int rc = policy_init(&p, &spec->actor_net, t->obs, A, t->discrete, spec->algorithm.log_std_min,
                         spec->algorithm.log_std_max, M, err);
    float *block = rc == 0 ? calloc(M * (t->obs + columns + 2 * A), sizeof *block) : NULL;
    if (rc == 0 && block == NULL)
        rc = error_set(err, ERR_MEMORY, "no memory for a policy's input");
    if (rc == 0) {
        rng_init(&rng, 1, RNG_NOISE, 0);
        float *action = block + M * t->obs, *outputs = action + M * columns;
        double start = clock_thread(), now = start;
        for (double turns = 1; now - start < POLICY_SECONDS; turns++) {
            policy_act(&p, action, outputs, block, M, &rng);
            now = clock_thread();
            *turn_s = (now - start) / turns;
        }
        *bytes = p.n_floats * sizeof(float) + 64;
    }
    free(block);
    policy_free(&p);
    return rc;
}

struct learning {
    struct update *update;
    struct replay  replay;
    struct batch   batch;
    struct sampler sampler;
};

static int learning_init(struct learning *l, const struct spec *spec, const struct task *t,
                         size_t threads, struct error *err)
{
    size_t           O = t->obs, W = t->discrete ? 1 : t->action;
    struct row_shape shape = row_shape_make(O, W);
    struct rng       rng;
    *l = (struct learning){.update = update_make(spec, O, t->action, t->discrete, threads, 1, err)};
    float *row = calloc(shape.words, sizeof *row);
    int    rc = l->update == NULL ? err->code
                : row == NULL
                    ? error_set(err, ERR_MEMORY, "no memory for a row")
                    : batch_init(&l->batch, (size_t)spec->memory.batch_size, O, W, t->action, err);
    if (rc == 0)
        rc = replay_init(&l->replay, shape, REPLAY_ROWS, 1, 0, NULL, false, err);
    if (rc == 0)
        rc = sampler_init(&l->sampler, &spec->memory, REPLAY_ROWS, 1, err);
    rng_init(&rng, 1, RNG_SAMPLE, 0);
    for (uint64_t i = 0; rc == 0 && i < REPLAY_ROWS; i++) {
        rng_normal_fill(&rng, row, shape.flags);
        memset(row + O, 0, W * sizeof *row);
        row[shape.discount] = 0.99f;
        replay_insert(&l->replay, row, 1, 0,
                      &(struct replay_mark){.incarnation = 1, .sequence = i + 1});
    }
    free(row);
    return rc;
}

// everything that a checkpoint holds of the networks, and the gradients
static uint64_t learning_bytes(struct learning *l)
{
    size_t               n = update_blocks(l->update, NULL, 0);
    struct update_block *blocks = calloc(n, sizeof *blocks);
    uint64_t             bytes = 0;
    if (blocks == NULL)
        return 0;
    update_blocks(l->update, blocks, n);
    for (size_t i = 0; i < n; i++) {
        size_t rows = blocks[i].rows > 0 ? blocks[i].rows : 1;
        bytes += rows * (blocks[i].cols > 0 ? blocks[i].cols : 1) * sizeof(float);
    }
    free(blocks);
    return bytes + bytes / 3;
}

// seconds of an update. One thread's own time counts; with several the best stretch does, which other
// load disturbs least
static double update_measure(struct learning *l, const struct spec *spec, size_t threads)
{
    double (*clock)(void) = threads > 1 ? clock_now : clock_thread;
    double   begin = clock_now(), best = 1e9;
    uint64_t turn = 8 * spec->algorithm.policy_delay;
    while (clock_now() - begin < UPDATE_SECONDS) {
        double   start = clock();
        uint64_t n = 0;
        // whole turns of the policy delay
        while (n < turn) {
            struct update_result result;
            sampler_draw(&l->sampler, &l->replay, &l->batch, 0);
            update_step(l->update, &l->batch, &result);
            if (!result.skipped)
                sampler_learned(&l->sampler, &l->batch, update_td_error(l->update));
            n++;
        }
        double each = (clock() - start) / (double)n;
        best = each < best ? each : best;
    }
    return best;
}

// ---------------------------------------------------------------- from a spec to a plan

static int measure(struct plan_input *in, const struct learner_options *o, const struct spec *spec,
                   struct error *err)
{
    struct task     task = {0};
    struct learning l = {0};
    double          policy_s = 0;
    size_t          M = (size_t)in->envs;
    if (task_ask(&task, spec->env.name, o->steps_rate == 0, err) < 0 ||
        policy_measure(spec, &task, M, &policy_s, &in->weights_bytes, err) < 0)
        return err->code;
    in->row_bytes = row_shape_make(task.obs, task.discrete ? 1 : task.action).words * sizeof(float);
    in->step_s = o->steps_rate > 0
                     ? 1 / (double)o->steps_rate
                     : 1 / task.steps_per_s + (policy_s + TURN_S) / (double)M + ACTOR_ROW_S;
    int rc = learning_init(&l, spec, &task, (size_t)in->threads, err);
    if (rc == 0) {
        in->network_bytes = learning_bytes(&l);
        in->update_s = o->updates_rate > 0 ? 1 / (double)o->updates_rate
                                           : update_measure(&l, spec, (size_t)in->threads);
    }
    update_free(l.update);
    batch_free(&l.batch);
    replay_free(&l.replay);
    sampler_free(&l.sampler);
    return rc;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static int plan_spec(const struct learner_options *o, const struct spec *spec, FILE *out,
                     struct error *err)
{
    const struct cluster_spec *c = &spec->cluster;
    uint64_t                   actors = o->actors > 0 ? o->actors : 1, cores = o->cores;
    if (cores == 0)
        cores = cores_available();
    struct plan_input in = {
        .actors = actors,
        .envs = spec_envs_per_actor(spec, actors),
        .cores = cores,
        .threads = spec_learner_threads(spec, cores, o->remote ? 0 : actors),
        .remote = o->remote,
        .row_s = o->rows_rate > 0 ? 1 / (double)o->rows_rate : LEARNER_ROW_S,
        .block_rows = c->block_rows,
        .credit_window = c->credit_window,
        .publish_interval_s = c->publish_interval_s,
        .wire_bits_per_s = 1e6 * (double)(o->network > 0 ? o->network : 1000),
        .replay_rows = least(spec->memory.max_size, spec->env.max_frame),
        .max_actors = c->max_actors,
        .max_frame = spec->env.max_frame,
        .start = spec->algorithm.training_start_step,
    };
    spec_ratio(spec, &in.p, &in.q);
    // a warm-up that never ends is a run that only collects
    if (in.start >= in.max_frame)
        in.p = 0;
    if (measure(&in, o, spec, err) < 0)
        return err->code;
    struct plan plan;
    plan_make(&plan, &in);
    (o->json ? plan_print_json : plan_print)(out, &plan, &in, spec->env.name);
    return 0;
}

int plan_run(const struct learner_options *o, FILE *out, struct error *err)
{
    const struct spec_options changes = {o->set.item, o->set.n, o->var.item, o->var.n};
    struct spec              *spec = malloc(sizeof *spec);
    if (spec == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a spec");
    blas_init();
    int rc = spec_load(spec, o->operands.item[0], &changes, stderr, err);
    if (rc == 0)
        rc = plan_spec(o, spec, out, err);
    free(spec);
    return rc;
}
