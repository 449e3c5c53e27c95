#include "learner/scalar.h"

#include <stdio.h>

static uint64_t scalar_reject_sum(const struct status *s)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < s->n_rejects; i++)
        sum += s->rejects[i].n;
    return sum;
}

// clang-format off
#define SCALARS(X)                                                                  \
    X(steps,        "time/total_timesteps",        (double)s->steps)                \
    X(elapsed,      "time/time_elapsed",           s->elapsed_s)                    \
    X(fps,          "time/fps",                    s->fps)                          \
    X(updates,      "train/n_updates",             (double)s->updates)              \
    X(critic_loss,  "train/critic_loss",           s->critic_loss)                  \
    X(actor_loss,   "train/actor_loss",            s->actor_loss)                   \
    X(alpha,        "train/ent_coef",              s->alpha)                        \
    X(alpha_loss,   "train/ent_coef_loss",         s->alpha_loss)                   \
    X(entropy,      "train/entropy",               s->entropy)                      \
    X(q_mean,       "train/q_mean",                s->q_mean)                       \
    X(rate,         "train/learning_rate",         s->learning_rate)                \
    X(ep_return,    "rollout/ep_rew_mean",         s->return_mean)                  \
    X(ep_length,    "rollout/ep_len_mean",         s->length_mean)                  \
    X(episodes,     "rollout/episodes",            (double)s->episodes)             \
    X(eval_return,  "eval/mean_reward",            s->eval_last)                    \
    X(utd,          "learner/utd",                 s->utd)                          \
    X(utilisation,  "learner/utilisation",         s->utilisation)                  \
    X(update_rate,  "learner/updates_per_s",       s->updates_per_s)                \
    X(skipped,      "learner/updates_skipped",     (double)s->updates_skipped)      \
    X(wait_warmup,  "learner/wait_warmup_s",       s->wait_s[STATUS_WAIT_WARMUP])   \
    X(wait_inserts, "learner/wait_inserts_s",      s->wait_s[STATUS_WAIT_INSERTS])  \
    X(wait_samples, "learner/wait_samples_s",      s->wait_s[STATUS_WAIT_SAMPLES])  \
    X(version,      "learner/weights_version",     (double)s->weights_version)      \
    X(replay,       "learner/replay_rows",         (double)s->replay_rows)          \
    X(sample_age,   "learner/sample_age_versions", s->sample_age)                   \
    X(rss,          "learner/rss_mb",              (double)s->rss_bytes / 1e6)      \
    X(lag_p50,      "lag/versions_p50",            s->lag_p50)                      \
    X(lag_p99,      "lag/versions_p99",            s->lag_p99)                      \
    X(actors,       "net/actors",                  (double)status_actors_connected(s)) \
    X(lost,         "net/transitions_lost",        (double)s->lost)                 \
    X(duplicates,   "net/transitions_duplicate",   (double)s->duplicates)           \
    X(rejected,     "net/messages_rejected",       (double)scalar_reject_sum(s))

#define SCALAR_FUNCTION(id, name, value)                \
    static double scalar_##id(const struct status *s)   \
    {                                                   \
        return value;                                   \
    }
SCALARS(SCALAR_FUNCTION)

#define SCALAR_ROW(id, name, value) {name, scalar_##id},
static const struct scalar scalar_rows[] = {SCALARS(SCALAR_ROW)};
// clang-format on

const struct scalar *scalar_table(size_t *n)
{
    *n = sizeof scalar_rows / sizeof *scalar_rows;
    return scalar_rows;
}

void scalar_header(char *text, size_t size)
{
    size_t n, used = 0;
    for (const struct scalar *row = scalar_table(&n), *end = row + n; row < end; row++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? "," : "", row->name);
    snprintf(text + used, size - used, "\n");
}
