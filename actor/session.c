#include "actor/session.h"

#include "common/bundle.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/stop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOCKETS 8
#define HANDSHAKE_S 1.0    // between looks at the stop flag
#define WAIT_LOG_EVERY 10  // handshake attempts between two lines
#define DRAIN_S 5.0        // longest wait for BYE_ACK
#define FLUSH_S 0.02       // a block that is not full goes out at this age
#define PAUSE_AFTER 3.0    // heartbeat time-outs without weights until acting pauses

static void name_make(char *name, size_t size, const struct actor_options *o)
{
    char host[40] = "";
    gethostname(host, sizeof host - 1);
    if (o->name != NULL)
        snprintf(name, size, "%s", o->name);
    else
        snprintf(name, size, "%s-%ld", host, (long)getpid());
}

// waits for a learner, saying so now and then
static int handshake(struct session *s, struct error *err)
{
    for (unsigned i = 1;; i++) {
        int  rc = transition_send_handshake(s->send, HANDSHAKE_S, NULL, err);
        bool pause = rc == ERR_STOPPED && session_goes_on(s);
        if (rc != ERR_TIMEOUT && !pause)
            return rc;
        // a learner on its way out still answers
        if (pause)
            clock_sleep(0.5);
        // an answer may come yet, and then nothing was wrong
        err->code = 0;
        if (stop_signal() != 0)
            return error_set(err, ERR_STOPPED, "stopped before a learner answered");
        // soon for who mistyped the address, then now and then
        if (i % WAIT_LOG_EVERY == 3)
            log_info("session",
                     "no learner answers at %s yet; is it the address that its --bind names, "
                     "and open from here?",
                     s->options->connect);
    }
}

// the files of the user's own task: a model comes with the spec, a plug-in never does
static int find_files(struct session *s, struct error *err)
{
    const struct transition_send_welcome *w = transition_send_welcome(s->send);
    struct task_spec                     *task = &s->spec.env.task;
    const char                           *plugin = s->options->plugin;
    // a learner at the other end of a local socket is the same user's: its own path is good
    if (plugin != NULL || strncmp(s->options->connect, "ipc://", 6) != 0)
        snprintf(task->plugin, sizeof task->plugin, "%s", plugin != NULL ? plugin : "");
    if (w->assets_size == 0)
        return 0;
    const char *tmp = getenv("TMPDIR");
    snprintf(s->folder, sizeof s->folder, "%s/crossfleet-XXXXXX",
             tmp != NULL && strlen(tmp) < 40 ? tmp : "/tmp");
    if (mkdtemp(s->folder) == NULL) {
        error_set(err, ERR_SYSTEM, "%s: %s", s->folder, strerror(errno));
        s->folder[0] = '\0';
        return err->code;
    }
    return bundle_unpack(w->assets, w->assets_size, s->folder, task->model, sizeof task->model,
                         err);
}

static void remove_files(struct session *s)
{
    if (s->folder[0] == '\0')
        return;
    const struct transition_send_welcome *w = transition_send_welcome(s->send);
    bundle_remove(w->assets, w->assets_size, s->folder);
    s->folder[0] = '\0';
}

int session_open(struct session *s, const struct actor_options *options, struct error *err)
{
    char name[MESSAGE_NAME];
    *s = (struct session){.options = options};
    if (options->keys != NULL && keys_open_actor(&s->keys, options->keys, err) < 0)
        return err->code;
    if ((s->hub = link_hub_open(SOCKETS, err)) == NULL)
        return err->code;
    name_make(name, sizeof name, options);
    const struct transition_send_config config = {
        .address = options->connect,
        .name = name,
        .role = options->evaluator ? ROLE_EVALUATOR : ROLE_ACTOR,
        .keys = options->keys != NULL ? &s->keys : NULL,
        .heartbeat_s = 2.0,
        .timeout_s = 10.0,
        .flush_s = FLUSH_S,
        .hub = s->hub,
    };
    if ((s->send = transition_send_open(&config, err)) == NULL || handshake(s, err) < 0)
        return err->code;
    const struct transition_send_welcome *w = transition_send_welcome(s->send);
    if (spec_parse(&s->spec, w->spec, w->spec_size, "the learner's spec", NULL,
                   &(struct spec_options){0}, NULL, err) < 0)
        return err->code;
    s->spec_hash = spec_hash(&s->spec);
    if (find_files(s, err) < 0)
        return err->code;
    log_info("session", "joined run %016llx as slot %llu, incarnation %llu",
             (unsigned long long)w->run_id, (unsigned long long)w->slot,
             (unsigned long long)w->incarnation);
    return 0;
}

int session_ready(struct session *s, const struct env_info *info, size_t rows, struct error *err)
{
    const struct algorithm_spec      *a = &s->spec.algorithm;
    const struct cluster_spec        *c = &s->spec.cluster;
    const struct transition_send_task task = {
        .name = info->name,
        .obs = info->obs,
        .action = info->action,
        .discrete = info->discrete,
        .low = info->low,
        .high = info->high,
        .max_steps = info->max_steps,
        .threshold = info->threshold,
        .spec_hash = s->spec_hash,
    };
    remove_files(s);
    // a vector step may give every open window at once
    size_t burst = 2 * rows * (size_t)a->n_step;
    size_t window = (size_t)c->credit_window > burst ? (size_t)c->credit_window : burst;
    if (policy_init(&s->policy, &s->spec.actor_net, info->obs, info->action, info->discrete,
                    a->log_std_min, a->log_std_max, rows, err) < 0)
        return err->code;
    s->weights =
        weights_recv_open(s->hub, s->options->connect, s->options->keys != NULL ? &s->keys : NULL,
                          s->policy.n_floats, c->heartbeat_s, c->heartbeat_timeout_s, err);
    if (s->weights == NULL)
        return err->code;
    const struct transition_send_welcome *w = transition_send_welcome(s->send);
    weights_recv_expect(s->weights, w->run_id, w->learner_incarnation);
    return transition_send_ready(s->send, &task, window, err);
}

void session_weights(struct session *s)
{
    uint64_t version;
    if (weights_recv_poll(s->weights, s->policy.floats, &version))
        s->version = version;
}

// warns once when weights are late or missing, and says when they come again
static void weights_warn(struct session *s, bool late, bool missing, double age, double limit)
{
    if (late && !s->warned)
        log_warn("session", "no weights for %.0f s; acting goes on for %.0f s more", age,
                 (PAUSE_AFTER - 1) * limit);
    else if (missing && !s->warned)
        log_warn("session",
                 "acting waits for weights version %llu, here is %llu: weights come from the port "
                 "after that of %s",
                 (unsigned long long)transition_send_min_version(s->send),
                 (unsigned long long)s->version, s->options->connect);
    else if (!late && !missing && s->warned)
        log_info("session", "weights come again");
    s->warned = late || missing;
}

bool session_weights_good(struct session *s)
{
    double age = weights_recv_age(s->weights), limit = s->spec.cluster.heartbeat_timeout_s;
    bool   behind = s->version < transition_send_min_version(s->send);
    bool   late = s->version > 0 && age > limit;
    if (!behind)
        s->behind_at = 0.0;
    else if (s->behind_at == 0.0)
        s->behind_at = clock_now();
    weights_warn(s, late, behind && clock_now() - s->behind_at > limit, age, limit);
    return !behind && !(late && age > PAUSE_AFTER * limit);
}

// the last line of an actor: what it made is in the replay, or it is not
static void leave(struct session *s)
{
    bool     acts = s->weights != NULL && !s->options->evaluator;
    uint64_t in = acts ? transition_send_drain(s->send, DRAIN_S) : 0;
    uint64_t open = transition_send_close(s->send, acts ? 0.0 : DRAIN_S);
    if (acts)
        log_write(open > 0 ? LOG_WARN : LOG_INFO, "session",
                  "left: %llu rows acknowledged, %llu not", (unsigned long long)in,
                  (unsigned long long)open);
}

bool session_goes_on(const struct session *s)
{
    return transition_send_returns(s->send) && strncmp(s->options->connect, "ipc:", 4) != 0;
}

void session_close(struct session *s)
{
    remove_files(s);
    leave(s);
    weights_recv_close(s->weights);
    policy_free(&s->policy);
    if (s->hub != NULL)
        link_hub_close(s->hub);
    keys_close(&s->keys);
    *s = (struct session){0};
}
