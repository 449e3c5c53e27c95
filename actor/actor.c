#include "actor/actor.h"

#include "actor/evaluator.h"
#include "actor/rollout.h"
#include "actor/session.h"
#include "common/blas.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/stop.h"

#include <stdlib.h>

#define IDLE_S 0.05  // longest wait for credit or weights before looking around again
#define STATS_S 1.0  // between two reports

struct actor {
    struct session session;
    struct rollout rollout;
    double         stats_at;     // clock_now() of the last report
    uint64_t       steps;        // environment steps since start
    uint64_t       stats_steps;  // those at the last report
    double         waited_s;     // for credit
    uint64_t       epoch;        // restarts of the environments that the learner asked for
};

static int actor_open(struct actor *a, const struct actor_options *o, struct error *err)
{
    if (session_open(&a->session, o, err) < 0)
        return err->code;
    const struct spec *spec = &a->session.spec;
    size_t             M = (size_t)(o->envs > 0 ? o->envs : spec->cluster.envs_per_actor);
    if (rollout_init(&a->rollout, spec, M > 0 ? M : 1, err) < 0 ||
        session_ready(&a->session, rollout_info(&a->rollout), a->rollout.M, err) < 0)
        return err->code;
    const struct transition_send_welcome *w = transition_send_welcome(a->session.send);
    rollout_restart(&a->rollout, w->seed, w->slot, 0);
    a->stats_at = clock_now();
    return 0;
}

static void actor_close(struct actor *a)
{
    session_close(&a->session);
    rollout_free(&a->rollout);
}

// says whether rows of a vector step could be sent
static bool may_send(const struct actor *a)
{
    const struct session *s = &a->session;
    return transition_send_credit(s->send) > 0 &&
           transition_send_room(s->send) >= a->rollout.M * a->rollout.n_step;
}

// lock-step: a new epoch starts every environment anew
static void epoch_follow(struct actor *a)
{
    const struct transition_send_welcome *w = transition_send_welcome(a->session.send);
    uint64_t                              epoch = transition_send_epoch(a->session.send);
    if (epoch == a->epoch)
        return;
    a->epoch = epoch;
    transition_send_discard(a->session.send);
    rollout_restart(&a->rollout, w->seed, w->slot, epoch);
}

static void step(struct actor *a)
{
    struct session *s = &a->session;
    struct rollout *r = &a->rollout;
    epoch_follow(a);
    rollout_step(r, s->version > 0 ? &s->policy : NULL, (uint32_t)s->version);
    a->steps += r->M;
    transition_send_add(s->send, r->rows, r->n_rows);
    for (size_t i = 0; i < r->n_episodes; i++)
        transition_send_episode(s->send, &r->episodes[i]);
}

static void report(struct actor *a)
{
    double now = clock_now(), passed = now - a->stats_at;
    if (passed < STATS_S)
        return;
    const struct stats stats = {
        .steps_per_s = (double)(a->steps - a->stats_steps) / passed,
        .env_broken = a->rollout.broken,
        .version = a->session.version,
        .weights_age_s = weights_recv_age(a->session.weights),
        .wait_ms = (uint64_t)(1e3 * a->waited_s),
        .weights_bad = weights_recv_bad(a->session.weights),
    };
    transition_send_stats(a->session.send, &stats);
    a->stats_at = now;
    a->stats_steps = a->steps;
}

// what the learner said; sets *again when the actor should join anew
static int event_handle(struct actor *a, enum send_event event, bool *done, bool *again,
                        struct error *err)
{
    struct session *s = &a->session;
    if (event == SEND_STOP) {
        log_info("actor", "the learner says stop: %s", transition_send_text(s->send));
        *done = true;
        *again = session_goes_on(s);
    } else if (event == SEND_REFUSED) {
        return error_set(err, ERR_VERSION, "refused: %s", transition_send_text(s->send));
    } else if (event == SEND_LEARNER) {
        const struct transition_send_welcome *w = transition_send_welcome(s->send);
        weights_recv_expect(s->weights, w->run_id, w->learner_incarnation);
        log_info("actor", "the learner is back, incarnation %llu",
                 (unsigned long long)w->learner_incarnation);
    } else if (event == SEND_NEW_RUN) {
        log_info("actor", "another run is at %s: starting over", s->options->connect);
        *done = *again = true;
    }
    return 0;
}

static int act(struct actor *a, bool *again, struct error *err)
{
    struct session *s = &a->session;
    bool            done = false;
    while (!done && stop_signal() == 0) {
        bool credit = may_send(a), ready = credit && session_weights_good(s);
        // with credit and without fresh weights it is the weights' socket that will speak first
        if (credit && !ready)
            weights_recv_wait(s->weights, IDLE_S);
        double          wait = credit ? 0 : IDLE_S, before = credit ? 0 : clock_now();
        enum send_event event = transition_send_poll(s->send, wait);
        if (!credit)
            a->waited_s += clock_now() - before;
        if (event_handle(a, event, &done, again, err) < 0)
            return err->code;
        session_weights(s);
        if (ready && !done)
            step(a);
        report(a);
    }
    return 0;
}

// one membership in a run
static int actor_member(const struct actor_options *o, bool *again, struct error *err)
{
    struct actor *a = calloc(1, sizeof *a);
    if (a == NULL)
        return error_set(err, ERR_MEMORY, "no memory for an actor");
    *again = false;
    int rc = actor_open(a, o, err);
    if (rc == 0)
        rc = act(a, again, err);
    actor_close(a);
    free(a);
    return rc;
}

int actor_run(const struct actor_options *o, struct error *err)
{
    bool again = true;
    int  rc = 0;
    stop_catch();
    blas_init();
    log_open(o->name != NULL ? o->name
             : o->evaluator  ? "evaluator"
                             : "actor",
             LOG_INFO, o->log_json);
    while (rc == 0 && again && stop_signal() == 0)
        rc = o->evaluator ? evaluator_member(o, &again, err) : actor_member(o, &again, err);
    if (rc == ERR_STOPPED)
        err->code = rc = 0;
    if (rc < 0)
        return program_exit(rc);
    return stop_signal() != 0 ? 128 + stop_signal() : EXIT_DONE;
}
