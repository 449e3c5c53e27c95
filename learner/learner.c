#include "learner/learner.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/stop.h"
#include "learner/lockstep.h"
#include "learner/snapshot.h"
#include "learner/state.h"

#include <math.h>
#include <string.h>

#define WAIT_S 0.02     // longest wait for rows before looking around
#define SERVICE_S 0.05  // between two looks at actors, children and files
#define SHOW_S 0.25     // between two refreshes of what is shown
#define LONELY_S 10.0   // wait for a remote evaluator before a local one is started

// ------ one update

static void interval_add(struct learner *l, const struct update_result *r)
{
    struct interval *i = &l->interval;
    double           age = 0;
    for (size_t b = 0; b < l->batch.B; b++)
        age += (double)l->publisher.version - (double)l->batch.version[b];
    i->updates++;
    i->age += age / (double)l->batch.B;
    i->critic_loss += 0.5 * (r->q1_loss + r->q2_loss);
    i->q_mean += r->q_mean;
    if (r->actor_updated) {
        i->actor_updates++;
        i->actor_loss += r->actor_loss;
        i->alpha_loss += r->alpha_loss;
        i->entropy += r->entropy;
    }
}

// an update that was left out: said once, and too many in a row end the run
static int skip_count(struct learner *l, struct error *err)
{
    uint64_t most = l->spec.cluster.max_skipped_updates;
    l->skipped++;
    if (++l->skipped_in_row == 1)
        log_warn("update", "update %llu left out, %s is not finite",
                 (unsigned long long)update_count(l->update), l->result.why);
    if (l->skipped_in_row < most)
        return 0;
    return error_set(err, ERR_NUMERIC,
                     "%llu updates in a row were not finite (last: %s); try a smaller learning "
                     "rate, clip_grad_val, or look at the task's rewards",
                     (unsigned long long)most, l->result.why);
}

int learner_update(struct learner *l, struct error *err)
{
    struct profile_lane *lane = run_profile_lane(&l->profile);
    double               start = clock_now();
    double progress = (double)replay_inserted(&l->replay) / (double)l->spec.env.max_frame;
    update_set_progress(l->update, progress);
    sampler_draw(&l->sampler, &l->replay, &l->batch, progress);
    profile_add(lane, "sample batch", start);
    update_step(l->update, &l->batch, &l->result);
    if (!l->result.skipped)
        sampler_learned(&l->sampler, &l->batch, update_td_error(l->update));
    limiter_updated(&l->limiter, 1);
    run_profile_update(&l->profile);
    l->busy_s += clock_now() - start;
    if (l->result.skipped)
        return skip_count(l, err);
    l->skipped_in_row = 0;
    interval_add(l, &l->result);
    return 0;
}

int learner_publish(struct learner *l, struct error *err)
{
    struct profile_lane *lane = run_profile_lane(&l->profile);
    double               start = profile_start(lane);
    publisher_fold(&l->publisher);
    l->published_at = clock_now();
    l->published_updates = update_count(l->update);
    int rc = transition_recv_publish(l->recv, l->publisher.version, l->publisher.policy.floats,
                                     l->publisher.policy.n_floats, err);
    profile_add(lane, "publish", start);
    return rc;
}

// ------ between updates

static void episodes_take(struct learner *l)
{
    struct reception_event event;
    while (transition_recv_take_episode(l->recv, &event))
        recorder_episode(l->recorder, (uint32_t)event.slot, event.episode.ret,
                         event.episode.length);
}

// the newest weights as a file; one that cannot be written does not stop training
static void policy_write(struct learner *l)
{
    char         path[RUN_DIR_PATH + 64];
    struct error err = {0};
    if (l->publisher.version == 0)
        return;
    run_dir_file(path, sizeof path, &l->dir, "policy/latest.safetensors");
    if (publisher_save(&l->publisher, path, replay_inserted(&l->replay), l->evaluation.last, &err) <
        0)
        log_warn("learner", "%s", err.text);
}

// a row of progress.csv and the newest policy, every meta.log_frequency steps
static void row_write(struct learner *l)
{
    episodes_take(l);
    snapshot_fill(l, true);
    recorder_interval(l->recorder, l->status);
    l->interval = (struct interval){0};
    l->next_row = (l->status->steps / l->spec.meta.log_frequency + 1) * l->spec.meta.log_frequency;
    policy_write(l);
}

int learner_service(struct learner *l, struct error *err)
{
    double now = clock_now();
    if (replay_inserted(&l->replay) >= l->next_row)
        row_write(l);
    if (now - l->watched_at < SERVICE_S)
        return 0;
    l->watched_at = now;
    if (stop_signal() != 0)
        return error_set(err, ERR_STOPPED, "stopped by signal %d", stop_signal());
    episodes_take(l);
    if (children_watch(&l->children, err) < 0)
        return err->code;
    evaluation_take(&l->evaluation, l->recv, &l->publisher, l->recorder, &l->dir);
    if (now - l->shown_at >= SHOW_S) {
        l->shown_at = now;
        snapshot_fill(l, false);
        recorder_show(l->recorder, l->status);
    }
    return 0;
}

// weights to the actors, at most every publish_interval_s, once training has begun
static int publish_due(struct learner *l, struct error *err)
{
    bool started = replay_inserted(&l->replay) >= l->limiter.config.start;
    bool fresh = l->publisher.version == 0 || update_count(l->update) != l->published_updates;
    if (!started || !fresh || clock_now() - l->published_at < l->spec.cluster.publish_interval_s)
        return 0;
    return learner_publish(l, err);
}

static int evaluation_check(struct learner *l, struct error *err)
{
    uint64_t steps = replay_inserted(&l->replay);
    if (l->publisher.version == 0 || !evaluation_due(&l->evaluation, steps))
        return 0;
    // the final evaluation takes the place of one that is due at the end
    if (steps == l->spec.env.max_frame)
        return 0;
    if (learner_publish(l, err) < 0)
        return err->code;
    evaluation_request(&l->evaluation, l->recv, &l->publisher, steps);
    return 0;
}

// every row is in and its updates are done
static bool all_done(struct learner *l)
{
    uint64_t frames = l->spec.env.max_frame;
    return replay_inserted(&l->replay) >= frames &&
           update_count(l->update) >= limiter_updates_due(&l->limiter, frames);
}

// waits for rows that an update may use
static bool update_wait(struct learner *l)
{
    struct profile_lane *lane = run_profile_lane(&l->profile);
    double               start = profile_start(lane);
    bool                 may = limiter_wait_update(&l->limiter, WAIT_S) == 0;
    profile_add(lane, "wait for rows", start);
    return may;
}

// a checkpoint when one is due, and all that can wait
static int look_around(struct learner *l, struct error *err)
{
    struct profile_lane *lane = run_profile_lane(&l->profile);
    double               start = profile_start(lane);
    if (state_save_due(l, err) < 0 || learner_service(l, err) < 0)
        return err->code;
    profile_add(lane, "look around", start);
    return 0;
}

static int train(struct learner *l, struct error *err)
{
    while (!all_done(l)) {
        if (update_wait(l) && learner_update(l, err) < 0)
            return err->code;
        if (publish_due(l, err) < 0 || evaluation_check(l, err) < 0 || look_around(l, err) < 0)
            return err->code;
    }
    return 0;
}

// ------ the end

// a run without local actors has an evaluator of its own when nobody else evaluates
static int evaluator_provide(struct learner *l, double since, struct error *err)
{
    struct transition_recv_counters counters;
    char                            connect[LINK_ADDRESS];
    if (l->children.n > 0 || clock_now() - since < LONELY_S)
        return 0;
    transition_recv_read(l->recv, &counters, false);
    if (counters.evaluators > 0)
        return 0;
    log_info("learner", "no evaluator has joined: starting one here");
    snprintf(connect, sizeof connect, "ipc://%s/learner", l->socket_dir);
    return children_start(&l->children, NULL, 0, true, connect, l->options->keys,
                          l->options->log_json, err);
}

static int evaluation_wait(struct learner *l, struct error *err)
{
    double since = clock_now();
    while (l->evaluation.running) {
        if (learner_service(l, err) < 0 || evaluator_provide(l, since, err) < 0)
            return err->code;
        clock_sleep(WAIT_S);
    }
    return 0;
}

// the last weights, evaluated as those of the last step
static int evaluate_last(struct learner *l, struct error *err)
{
    transition_recv_stop_actors(l->recv, "all steps are done");
    l->status->state = STATUS_EVALUATING;
    if (evaluation_wait(l, err) < 0 || learner_publish(l, err) < 0)
        return err->code;
    evaluation_request(&l->evaluation, l->recv, &l->publisher, l->spec.env.max_frame);
    if (evaluation_wait(l, err) < 0)
        return err->code;
    policy_write(l);
    return 0;
}

int learner_run(struct learner *l, struct error *err)
{
    int rc = l->options->lockstep ? lockstep_run(l, err) : train(l, err);
    if (rc == 0)
        rc = evaluate_last(l, err);
    l->finished = rc == 0;
    snapshot_fill(l, false);
    return rc;
}
