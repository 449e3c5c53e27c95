#include "learner/snapshot.h"

#include "learner/learner.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static double mean(double sum, uint64_t n)
{
    return n > 0 ? sum / (double)n : NAN;
}

static void fill_losses(struct status *s, const struct learner *l)
{
    const struct interval *i = &l->interval;
    s->critic_loss = mean(i->critic_loss, i->updates);
    s->q_mean = mean(i->q_mean, i->updates);
    s->sample_age = mean(i->age, i->updates);
    s->actor_loss = mean(i->actor_loss, i->actor_updates);
    s->alpha_loss = mean(i->alpha_loss, i->actor_updates);
    s->entropy = mean(i->entropy, i->actor_updates);
    s->alpha = l->result.alpha;
    s->updates_skipped = l->skipped;
}

static void fill_limiter(struct status *s, struct learner *l)
{
    struct limiter_state state;
    limiter_read(&l->limiter, &state);
    s->steps = state.inserted;
    s->updates = update_count(l->update);
    s->wait_s[STATUS_WAIT_WARMUP] = state.waited[LIMITER_WARMUP];
    s->wait_s[STATUS_WAIT_INSERTS] = state.waited[LIMITER_WAIT_INSERTS];
    s->wait_s[STATUS_WAIT_SAMPLES] = state.waited[LIMITER_WAIT_SAMPLES];
    s->busy_s = l->busy_s;
    if (s->state == STATUS_WARMUP && s->steps >= s->start_step)
        s->state = STATUS_TRAINING;
}

static void fill_wire(struct status *s, struct learner *l, bool row)
{
    struct transition_recv_counters c;
    transition_recv_read(l->recv, &c, row);
    s->lost = c.lost;
    s->duplicates = c.duplicates;
    s->lag_p50 = c.lag_p50;
    s->lag_p99 = c.lag_p99;
    s->n_rejects = 0;
    for (size_t i = 0; i < REJECT_REASONS && s->n_rejects < STATUS_REJECTS; i++) {
        struct status_reject *r = &s->rejects[s->n_rejects++];
        snprintf(r->reason, sizeof r->reason, "%s", reject_name((enum reject_reason)i));
        r->n = c.rejected[i];
    }
}

static void fill_actor(struct status_actor *a, const struct transition_recv_peer *p,
                       double silent_s)
{
    *a = (struct status_actor){
        .slot = (uint32_t)p->slot,
        .state = !p->live                    ? STATUS_ACTOR_GONE
                 : p->last_seen_s > silent_s ? STATUS_ACTOR_SILENT
                                             : STATUS_ACTOR_ACTIVE,
        .evaluator = p->role == ROLE_EVALUATOR,
        .steps = p->rows,
        .lag = (double)p->lag_versions,
        .age_s = p->last_seen_s,
        .restarts = p->restarts,
        .lost = p->lost,
        .wait_s = 1e-3 * (double)p->wait_ms,
        .weights_age_s = p->weights_age_s,
        .weights_bad = p->weights_bad,
    };
    snprintf(a->name, sizeof a->name, "%s", p->name);
    snprintf(a->host, sizeof a->host, "%s", p->host);
}

static void fill_actors(struct status *s, struct learner *l)
{
    s->n_actors = transition_recv_peers(l->recv, l->peers, STATUS_ACTORS);
    for (size_t i = 0; i < s->n_actors; i++)
        fill_actor(&s->actors[i], &l->peers[i], 2 * l->spec.cluster.heartbeat_s);
}

void snapshot_fill(struct learner *l, bool row)
{
    struct status *s = l->status;
    fill_limiter(s, l);
    fill_losses(s, l);
    fill_wire(s, l, row);
    fill_actors(s, l);
    s->weights_version = l->publisher.version;
    s->publishes = l->publisher.version;
    s->replay_rows = replay_size(&l->replay);
    s->checkpoints = checkpoint_written(&l->checkpoint);
    s->evaluations_skipped = l->evaluation.skipped;
}
