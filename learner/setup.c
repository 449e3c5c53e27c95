// learner_open and learner_close: what a learner is made of, in order.
#include "common/blas.h"
#include "common/clock.h"
#include "common/cores.h"
#include "common/log.h"
#include "common/stop.h"
#include "common/version.h"
#include "learner/learner.h"
#include "learner/resume.h"
#include "learner/state.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_BIND "tcp://127.0.0.1:5555"
#define DEFAULT_TOLERANCE 128  // rows: some round trips of the fastest tasks
#define TASK_WAIT_S 0.1        // between looks at children while no actor is ready
#define DRAIN_S 4.0            // longest wait for actors' last rows
#define GRACE_S 3.0            // local actors get to leave; with a checkpoint less than 10 s in all

// ------ spec

static int spec_open(struct learner *l, struct error *err)
{
    const struct learner_options *o = l->options;
    const struct spec_options     changes = {o->set.item, o->set.n, o->var.item, o->var.n};
    if (spec_load(&l->spec, o->operands.item[0], &changes, o->quiet ? NULL : stderr, err) < 0)
        return err->code;
    if (o->seed != OPTION_UNSET)
        l->spec.seed = o->seed;
    l->spec.cluster.envs_per_actor = spec_envs_per_actor(&l->spec, o->actors);
    if (o->actors > l->spec.cluster.max_actors)
        return error_set(err, ERR_SPEC, "--actors %" PRIu64 ": cluster.max_actors is %" PRIu64,
                         o->actors, l->spec.cluster.max_actors);
    // actors may be elsewhere, so a custom task's model goes to them with the spec
    if (l->spec.env.task.model[0] != '\0')
        return bundle_pack(&l->bundle, l->spec.env.task.model, MESSAGE_ASSETS_MAX, err);
    return 0;
}

// ------ what is shown

static void status_fill(struct learner *l, const struct state_head *head)
{
    struct status *s = l->status;
    status_init(s);
    s->state = STATUS_LOADING;
    snprintf(s->run_id, sizeof s->run_id, "%016" PRIx64, l->identity.run_id);
    snprintf(s->name, sizeof s->name, "%s", l->spec.name);
    snprintf(s->env, sizeof s->env, "%s", l->spec.env.name);
    snprintf(s->algorithm, sizeof s->algorithm, "%s",
             l->spec.algorithm.kind == ALGORITHM_SAC ? "SAC" : "CrossQ");
    snprintf(s->bind, sizeof s->bind, "%s", l->bind);
    s->seed = l->spec.seed;
    s->spec_text = l->spec_text;
    s->run_path = l->dir.path;
    s->max_frame = l->spec.env.max_frame;
    s->start_step = l->spec.algorithm.training_start_step;
    spec_ratio(&l->spec, &s->ratio_p, &s->ratio_q);
    s->learning_rate = l->spec.actor_net.optim.lr;
    if (!l->replay.open)
        return;
    // a run that goes on shows where it stands before its first actor is back
    s->steps = replay_inserted(&l->replay);
    s->updates = head->updates;
    s->replay_rows = replay_size(&l->replay);
    s->replay_capacity = l->replay.capacity;
}

static int shown_open(struct learner *l, const struct state_head *head, struct error *err)
{
    const char *http = l->options->http;
    // without a checkpoint the run starts anew; otherwise the replay has kept every row
    bool rolled_back = l->options->lockstep || head->run_id == 0;
    if ((l->status = calloc(1, sizeof *l->status)) == NULL ||
        (l->peers = calloc(STATUS_ACTORS, sizeof *l->peers)) == NULL ||
        status_store_init(&l->store) != 0)
        return error_set(err, ERR_MEMORY, "no memory for the status");
    status_fill(l, head);
    status_store_put(&l->store, l->status);
    if (http == NULL || strcmp(http, "off") != 0) {
        if ((l->http = http_start(&l->store, http, err)) == NULL)
            return err->code;
        snprintf(l->status->http, sizeof l->status->http, "%s", http_url(l->http));
    }
    char folder[512];
    program_folder(folder, sizeof folder);
    snprintf(l->resume_command, sizeof l->resume_command,
             "%scrossfleet-learner train %s --run %s --resume", folder,
             l->options->operands.item[0], l->dir.path);
    const struct recorder_options recorder = {
        .dir = &l->dir,
        .env = l->spec.env.name,
        .spec_text = l->spec_text,
        .resume_command = l->resume_command,
        .quiet = l->options->quiet,
        .store = &l->store,
        .resume_steps = rolled_back ? head->steps : UINT64_MAX,
        .resume_elapsed_s = rolled_back ? head->elapsed_s : INFINITY,
    };
    return (l->recorder = recorder_open(&recorder, err)) != NULL ? 0 : err->code;
}

// ------ replay

// rows that the replay can take back: the largest insert; in lock-step, where a ring wraps, all since
// the older one of two checkpoints besides
static size_t undo_choose(const struct learner *l, uint64_t capacity)
{
    const struct cluster_spec *c = &l->spec.cluster;
    uint64_t                   undo = c->block_rows;
    if (l->options->lockstep && c->envs_per_actor > undo)
        undo = c->envs_per_actor;
    if (l->options->lockstep && capacity < l->spec.env.max_frame)
        undo += 2 * c->lockstep_checkpoint_steps;
    return (size_t)undo;
}

// rows that the replay should hold
static uint64_t capacity_choose(const struct learner *l)
{
    uint64_t frames = l->spec.env.max_frame, rows = l->spec.memory.max_size;
    return rows < frames ? rows : frames;
}

static int replay_open(struct learner *l, uint64_t capacity, uint64_t obs, uint64_t action,
                       struct error *err)
{
    char path[RUN_DIR_PATH + 64];
    run_dir_file(path, sizeof path, &l->dir, "checkpoint/replay.bin");
    return replay_init(&l->replay, row_shape_make((size_t)obs, (size_t)action), capacity,
                       (size_t)l->spec.cluster.max_actors, undo_choose(l, capacity), path,
                       l->saved.n > 0, err);
}

// ------ wire

// a directory for the socket of local actors
static int socket_dir_make(struct learner *l, struct error *err)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(l->socket_dir, sizeof l->socket_dir, "%s/crossfleet-XXXXXX",
             tmp != NULL && strlen(tmp) < 40 ? tmp : "/tmp");
    if (mkdtemp(l->socket_dir) != NULL)
        return 0;
    error_set(err, ERR_SYSTEM, "%s: %s", l->socket_dir, strerror(errno));
    l->socket_dir[0] = '\0';
    return err->code;
}

// how far each slot's rows were in the replay when the run was left; NULL: a new run
static int marks_read(struct learner *l, struct replay_mark **marks, struct error *err)
{
    uint64_t slots = l->spec.cluster.max_actors;
    *marks = NULL;
    if (!l->replay.open || l->options->lockstep)
        return 0;
    if ((*marks = calloc((size_t)slots, sizeof **marks)) == NULL)
        return error_set(err, ERR_MEMORY, "no memory for %" PRIu64 " actors", slots);
    for (size_t i = 0; i < slots; i++)
        (*marks)[i] = replay_mark(&l->replay, i);
    return 0;
}

static struct reception_config reception_config_make(const struct learner     *l,
                                                     const struct replay_mark *marks)
{
    const struct cluster_spec *c = &l->spec.cluster;
    return (struct reception_config){
        .run_id = l->identity.run_id,
        .incarnation = l->identity.incarnation,
        .seed = l->spec.seed,
        .task = l->spec.env.name,
        .spec_text = l->spec_text,
        .spec_size = strlen(l->spec_text),
        .spec_hash = spec_hash(&l->spec),
        .assets = l->bundle.bytes,
        .assets_size = l->bundle.size,
        .max_actors = c->max_actors,
        .credit_window = c->credit_window,
        .block_rows = c->block_rows,
        .max_policy_lag = c->max_policy_lag,
        .heartbeat_s = c->heartbeat_s,
        .timeout_s = c->heartbeat_timeout_s,
        .lockstep = l->options->lockstep,
        .marks = marks,
    };
}

static int wire_open(struct learner *l, struct error *err)
{
    const struct learner_options *o = l->options;
    char                          ipc[LINK_ADDRESS];
    struct replay_mark           *marks;
    if (socket_dir_make(l, err) < 0 ||
        (o->keys != NULL && keys_open_learner(&l->keys, o->keys, err) < 0) ||
        marks_read(l, &marks, err) < 0)
        return err->code;
    snprintf(ipc, sizeof ipc, "ipc://%s/learner", l->socket_dir);
    struct transition_recv_config config = {
        .reception = reception_config_make(l, marks),
        .bind = {ipc},
        .n_bind = 1,
        .keys = o->keys != NULL ? &l->keys : NULL,
        .insecure = o->insecure,
    };
    snprintf(l->bind, sizeof l->bind, "%s", ipc);
    if (o->bind != NULL || o->actors == 0) {
        config.bind[config.n_bind++] = o->bind != NULL ? o->bind : DEFAULT_BIND;
        snprintf(l->bind, sizeof l->bind, "%s", config.bind[1]);
    }
    l->recv = transition_recv_start(&config, err);
    free(marks);
    if (l->recv == NULL)
        return err->code;
    if (o->actors == 0)
        return 0;
    return children_start(&l->children, NULL, (size_t)o->actors, true, ipc, o->keys, o->log_json,
                          err);
}

// waits for the first actor's READY, minding signals and children
static int task_wait(struct learner *l, struct error *err)
{
    double said = clock_now();
    // who starts actors once /healthz is 200 waits for it now
    l->status->state = STATUS_WARMUP;
    status_store_put(&l->store, l->status);
    while (transition_recv_wait_task(l->recv, &l->task, TASK_WAIT_S) != 0) {
        if (stop_signal() != 0)
            return error_set(err, ERR_STOPPED, "stopped before an actor came");
        if (children_watch(&l->children, err) < 0)
            return err->code;
        if (clock_now() - said > 10) {
            said = clock_now();
            log_info("learner",
                     "no actor has come yet; start some with: crossfleet-actor run "
                     "--connect %s",
                     l->bind);
        }
    }
    return 0;
}

// ------ learning

static int limiter_open(struct learner *l, struct error *err)
{
    struct limiter_config config = {
        .start = l->spec.algorithm.training_start_step,
        .max_frame = l->spec.env.max_frame,
        .insert_block = l->spec.cluster.block_rows,
        .sample_block = 1,
    };
    spec_ratio(&l->spec, &config.p, &config.q);
    uint64_t twice = 2 * limiter_least_tolerance(&config),
             given = (uint64_t)l->spec.cluster.limiter_tolerance;
    config.tolerance = given > 0 ? given : twice > DEFAULT_TOLERANCE ? twice : DEFAULT_TOLERANCE;
    l->status->tolerance = (double)config.tolerance;
    return limiter_init(&l->limiter, &config, err);
}

static int publisher_open(struct learner *l, struct error *err)
{
    const struct reception_task *t = &l->task;
    struct policy_about          about = {.eval_return = NAN};
    snprintf(about.version, sizeof about.version, "%s", version_text());
    snprintf(about.run_id, sizeof about.run_id, "%016" PRIx64, l->identity.run_id);
    snprintf(about.env, sizeof about.env, "%s", t->name);
    for (size_t i = 0; !t->discrete && i < t->action && i < POLICY_MAX_ACTION; i++) {
        about.low[i] = t->low[i];
        about.high[i] = t->high[i];
    }
    return publisher_init(&l->publisher, &l->spec, update_actor(l->update), (size_t)t->action,
                          t->discrete, &about, err);
}

static int rows_sync(void *replay, struct error *err)
{
    return replay_sync(replay, err);
}

static int learning_open(struct learner *l, struct error *err)
{
    const struct reception_task *t = &l->task;
    size_t                       O = (size_t)t->obs, A = (size_t)t->action, W = t->discrete ? 1 : A;
    if (l->replay.open && (l->replay.shape.obs != O || l->replay.shape.action != W))
        return error_set(err, ERR_VERSION, "the checkpoint is of a task with other sizes than %s",
                         t->name);
    if (!l->replay.open && replay_open(l, capacity_choose(l), O, W, err) < 0)
        return err->code;
    size_t threads = (size_t)spec_learner_threads(&l->spec, cores_available(), l->options->actors);
    l->update = update_make(&l->spec, O, A, t->discrete, threads, l->spec.seed, err);
    if (l->update == NULL || limiter_open(l, err) < 0 || publisher_open(l, err) < 0 ||
        batch_init(&l->batch, (size_t)l->spec.memory.batch_size, O, W, A, err) < 0)
        return err->code;
    if (l->options->profile != NULL &&
        run_profile_start(&l->profile, l->update, l->options->profile, err) < 0)
        return err->code;
    if (sampler_init(&l->sampler, &l->spec.memory, l->replay.capacity, l->spec.seed, err) < 0)
        return err->code;
    evaluation_init(&l->evaluation, &l->spec, 0);
    char path[RUN_DIR_PATH + 64];
    run_dir_file(path, sizeof path, &l->dir, "checkpoint");
    if (checkpoint_open(&l->checkpoint, path, rows_sync, &l->replay, err) < 0)
        return err->code;
    l->next_row = l->spec.meta.log_frequency;
    if (l->saved.n > 0 && state_restore(l, err) < 0)
        return err->code;
    l->status->replay_capacity = l->replay.capacity;
    return transition_recv_open(l->recv, &l->replay, &l->limiter, err);
}

// ------ all of it

int learner_open(struct learner *l, const struct learner_options *options, struct error *err)
{
    struct state_head head = {0};
    *l = (struct learner){.options = options};
    blas_init();
    // the text comes after the check, which takes over the seed of a run that goes on
    if (spec_open(l, err) < 0 || resume_check(l, err) < 0 ||
        (l->spec_text = spec_text(&l->spec, err)) == NULL ||
        run_dir_open(&l->dir, options->run, l->spec.name, l->spec.seed, options->resume,
                     l->spec_text, err) < 0 ||
        resume_load(l, &head, err) < 0)
        return err->code;
    if (l->finished)
        return 0;
    // the checkpoint has a priority for each row of its time
    uint64_t capacity =
        l->spec.memory.kind == MEMORY_PRIORITIZED ? head.capacity : capacity_choose(l);
    if (l->saved.n > 0 && (replay_open(l, capacity, head.obs, head.action, err) < 0 ||
                           resume_rewind(l, &head, err) < 0))
        return err->code;
    if (shown_open(l, &head, err) < 0 || wire_open(l, err) < 0)
        return err->code;
    snprintf(l->status->bind, sizeof l->status->bind, "%s", l->bind);
    if (task_wait(l, err) < 0 || learning_open(l, err) < 0)
        return err->code;
    safetensors_free(&l->saved);
    // the policy that was in use goes on being used, under its old number
    if (l->publisher.version > 0) {
        l->publisher.version--;
        if (learner_publish(l, err) < 0)
            return err->code;
    }
    l->opened = true;
    return 0;
}

static void socket_dir_remove(const struct learner *l)
{
    static const char *const names[] = {"learner", "learner-weights"};
    char                     path[128];
    for (size_t i = 0; l->socket_dir[0] != '\0' && i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", l->socket_dir, names[i]);
        unlink(path);
    }
    if (l->socket_dir[0] != '\0')
        rmdir(l->socket_dir);
}

void learner_close(struct learner *l)
{
    if (!l->finished)
        transition_recv_pause(l->recv);
    transition_recv_stop(l->recv, l->finished ? "the run is finished" : "the learner stops",
                         DRAIN_S);
    children_stop(&l->children, GRACE_S);
    socket_dir_remove(l);
    checkpoint_close(&l->checkpoint);
    recorder_close(l->recorder, l->status);
    http_stop(l->http);
    run_profile_stop(&l->profile);
    publisher_free(&l->publisher);
    sampler_free(&l->sampler);
    batch_free(&l->batch);
    update_free(l->update);
    limiter_free(&l->limiter);
    replay_free(&l->replay);
    safetensors_free(&l->saved);
    keys_close(&l->keys);
    if (!l->opened)
        run_dir_discard(&l->dir);
    run_dir_close(&l->dir);
    if (l->peers != NULL)
        status_store_free(&l->store);
    free(l->peers);
    free(l->status);
    free(l->spec_text);
    bundle_free(&l->bundle);
    *l = (struct learner){0};
}
