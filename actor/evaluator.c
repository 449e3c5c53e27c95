#include "actor/evaluator.h"

#include "actor/play.h"
#include "actor/session.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/stop.h"

#include <stdlib.h>
#include <string.h>

#define IDLE_S 0.2   // between looks at the stop flag
#define POLL_S 0.25  // between two looks at the wire inside an episode

struct evaluator {
    struct session  session;
    struct env     *env;
    struct play     play;
    double          polled_at;  // clock_now()
    enum send_event event;      // what ended an episode early, SEND_NONE: nothing
    struct episode  list[MESSAGE_EPISODES_MAX];
};

// inside an episode: answers heartbeats and notices the end of the run
static bool keep_playing(void *context)
{
    struct evaluator *e = context;
    double            now = clock_now();
    if (now - e->polled_at < POLL_S)
        return true;
    e->polled_at = now;
    e->event = transition_send_poll(e->session.send, 0);
    return e->event == SEND_NONE && stop_signal() == 0;
}

static void evaluate(struct evaluator *e)
{
    const struct transition_send_eval *request = transition_send_eval(e->session.send);
    struct policy                     *p = &e->session.policy;
    size_t                             n = (size_t)request->episodes;
    uint64_t                           seed = request->seed;
    if (request->n != p->n_floats || n > MESSAGE_EPISODES_MAX) {
        log_error("evaluator", "a request with %zu weights and %zu episodes does not fit",
                  request->n, n);
        return;
    }
    memcpy(p->floats, request->floats, request->n * sizeof *request->floats);
    for (size_t i = 0; i < n; i++) {
        double             start = clock_now();
        struct play_result r = play_episode(&e->play, seed, i, keep_playing, e);
        if (e->event != SEND_NONE || stop_signal() != 0)
            return;
        e->list[i] = (struct episode){r.ret, (uint32_t)r.length, (float)(clock_now() - start)};
    }
    transition_send_eval_result(e->session.send, e->list, n);
}

static int evaluator_open(struct evaluator *e, const struct actor_options *o, struct error *err)
{
    if (session_open(&e->session, o, err) < 0)
        return err->code;
    if ((e->env = env_make(&e->session.spec, err)) == NULL)
        return err->code;
    if (session_ready(&e->session, env_info(e->env), 1, err) < 0)
        return err->code;
    return play_init(&e->play, e->env, &e->session.policy, err);
}

// serves requests until something ends the membership
static int serve(struct evaluator *e, bool *again, struct error *err)
{
    struct transition_send *send = e->session.send;
    while (stop_signal() == 0) {
        // what ended an episode early is handled like any other event
        enum send_event event =
            e->event != SEND_NONE ? e->event : transition_send_poll(send, IDLE_S);
        e->event = SEND_NONE;
        if (event == SEND_EVAL)
            evaluate(e);
        else if (event == SEND_REFUSED)
            return error_set(err, ERR_VERSION, "refused: %s", transition_send_text(send));
        else if (event == SEND_NEW_RUN)
            *again = true;
        else if (event == SEND_STOP)
            *again = session_goes_on(&e->session);
        if (event == SEND_STOP || event == SEND_NEW_RUN)
            break;
    }
    return 0;
}

int evaluator_member(const struct actor_options *o, bool *again, struct error *err)
{
    struct evaluator *e = calloc(1, sizeof *e);
    if (e == NULL)
        return error_set(err, ERR_MEMORY, "no memory for the evaluator");
    *again = false;
    int rc = evaluator_open(e, o, err);
    if (rc == 0)
        rc = serve(e, again, err);
    play_free(&e->play);
    env_free(e->env);
    session_close(&e->session);
    free(e);
    return rc;
}
