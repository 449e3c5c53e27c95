#include "learner/lockstep.h"

#include "common/clock.h"
#include "common/stop.h"
#include "learner/learner.h"
#include "learner/state.h"

#include <inttypes.h>

#define COLLECT_S 0.5  // between two looks at the stop flag while rows are awaited

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static int actors_wait(struct learner *l, struct error *err)
{
    while (transition_recv_wait_actors(l->recv, (size_t)l->options->actors, COLLECT_S) != 0) {
        if (stop_signal() != 0)
            return error_set(err, ERR_STOPPED, "stopped before all actors came");
        if (children_watch(&l->children, err) < 0)
            return err->code;
    }
    return 0;
}

// rows that each slot gives in this round: as many as it has environments, but never past `until`
static uint64_t share(const struct learner *l, uint64_t inserted, uint64_t until, uint64_t slot)
{
    uint64_t each = l->spec.cluster.envs_per_actor, left = until - inserted;
    return slot * each >= left ? 0 : smaller(each, left - slot * each);
}

// an actor that died took its environments' states with it: the run cannot be repeated from here
static int actors_check(struct learner *l, struct error *err)
{
    if (stop_signal() != 0)
        return error_set(err, ERR_STOPPED, "stopped by signal %d", stop_signal());
    if (children_watch(&l->children, err) < 0)
        return err->code;
    for (size_t i = 0; i < l->children.n; i++) {
        const struct child *c = &l->children.child[i];
        if (!c->evaluator && (c->pid == 0 || c->restarts > 0))
            return error_set(err, ERR_SYSTEM, "%s died; lock-step goes on with --resume", c->name);
    }
    return 0;
}

// one round's rows, up to `until` in all
static int round_collect(struct learner *l, uint64_t until, struct error *err)
{
    uint64_t inserted = replay_inserted(&l->replay);
    uint64_t epoch = inserted / l->spec.cluster.lockstep_checkpoint_steps;
    for (uint64_t slot = 0; slot < l->options->actors; slot++) {
        uint64_t n = share(l, inserted, until, slot);
        if (n > 0 &&
            transition_recv_grant(l->recv, (size_t)slot, n, l->publisher.version, epoch, err) < 0)
            return err->code;
    }
    for (uint64_t slot = 0; slot < l->options->actors; slot++) {
        uint64_t n = share(l, inserted, until, slot);
        int      rc = n == 0 ? 0 : ERR_TIMEOUT;
        while (rc == ERR_TIMEOUT) {
            rc = transition_recv_collect(l->recv, (size_t)slot, n, COLLECT_S, err);
            if (rc == ERR_TIMEOUT && actors_check(l, err) < 0)
                rc = err->code;
        }
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int round_update(struct learner *l, struct error *err)
{
    uint64_t inserted = replay_inserted(&l->replay);
    uint64_t due = limiter_updates_due(&l->limiter, inserted), before = update_count(l->update);
    for (uint64_t i = before; i < due; i++)
        if (learner_update(l, err) < 0)
            return err->code;
    bool started = inserted >= l->limiter.config.start;
    if (!started || (l->publisher.version > 0 && due == before))
        return 0;
    return learner_publish(l, err);
}

// training waits for its evaluations, so that the next one is never skipped
static int round_evaluate(struct learner *l, struct error *err)
{
    uint64_t steps = replay_inserted(&l->replay);
    if (l->publisher.version == 0 || !evaluation_due(&l->evaluation, steps) ||
        steps == l->spec.env.max_frame)
        return 0;
    evaluation_request(&l->evaluation, l->recv, &l->publisher, steps);
    while (l->evaluation.running) {
        clock_sleep(0.005);
        if (learner_service(l, err) < 0)
            return err->code;
    }
    return 0;
}

int lockstep_run(struct learner *l, struct error *err)
{
    uint64_t every = l->spec.cluster.lockstep_checkpoint_steps, end = l->spec.env.max_frame;
    if (actors_wait(l, err) < 0)
        return err->code;
    for (uint64_t steps; (steps = replay_inserted(&l->replay)) < end;) {
        uint64_t until = smaller((steps / every + 1) * every, end);
        if (round_collect(l, until, err) < 0 || round_update(l, err) < 0 ||
            round_evaluate(l, err) < 0 || learner_service(l, err) < 0)
            return err->code;
        // the next round's epoch is a new one, whether or not a run goes on from here
        if (replay_inserted(&l->replay) == until && until < end && state_save(l, err) < 0)
            return err->code;
    }
    return 0;
}
