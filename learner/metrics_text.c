#include "learner/metrics_text.h"

#include <math.h>

// ---------------------------------------------------------------- format

static void metrics_head(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void metrics_number(FILE *out, double value)
{
    if (isnan(value))
        fputs("NaN\n", out);
    else if (isinf(value))
        fputs(value > 0 ? "+Inf\n" : "-Inf\n", out);
    else
        fprintf(out, "%.15g\n", value);
}

// name{label="value"}; backslash, quote and newline are the three that need escapes
static void metrics_labelled(FILE *out, const char *name, const char *label, const char *text,
                             double value)
{
    fprintf(out, "%s{%s=\"", name, label);
    for (; *text != '\0'; text++) {
        if (*text == '\\' || *text == '"')
            fprintf(out, "\\%c", *text);
        else
            fputs(*text == '\n' ? "\\n" : (char[]){*text, '\0'}, out);
    }
    fputs("\"} ", out);
    metrics_number(out, value);
}

static void metrics_one(FILE *out, const char *name, const char *type, const char *help,
                        double value)
{
    metrics_head(out, name, type, help);
    fprintf(out, "%s ", name);
    metrics_number(out, value);
}

// ---------------------------------------------------------------- groups

static void metrics_totals(FILE *out, const struct status *s)
{
    static const char counter[] = "counter", gauge[] = "gauge";
    metrics_one(out, "crossfleet_env_steps_total", counter,
                "Environment steps whose transitions are in the replay memory.", (double)s->steps);
    metrics_one(out, "crossfleet_updates_total", counter, "Gradient updates.", (double)s->updates);
    metrics_one(out, "crossfleet_updates_skipped_total", counter,
                "Updates left out because a value was not finite.", (double)s->updates_skipped);
    metrics_one(out, "crossfleet_episodes_total", counter, "Finished training episodes.",
                (double)s->episodes);
    metrics_one(out, "crossfleet_evaluations_total", counter, "Finished evaluations.",
                (double)s->evaluations);
    metrics_one(out, "crossfleet_evaluations_skipped_total", counter,
                "Due evaluations left out because one was running.",
                (double)s->evaluations_skipped);
    metrics_one(out, "crossfleet_checkpoints_total", counter, "Complete checkpoints.",
                (double)s->checkpoints);
    metrics_one(out, "crossfleet_transitions_lost_total", counter,
                "Transitions missing in the actors' sequences.", (double)s->lost);
    metrics_one(out, "crossfleet_transitions_duplicate_total", counter,
                "Transitions that came again and were dropped.", (double)s->duplicates);
    metrics_one(out, "crossfleet_replay_rows", gauge, "Rows in the replay memory.",
                (double)s->replay_rows);
    metrics_one(out, "crossfleet_replay_capacity_rows", gauge, "Rows the replay memory can hold.",
                (double)s->replay_capacity);
    metrics_one(out, "crossfleet_actors", gauge, "Connected actors, the evaluator not counted.",
                (double)status_actors_connected(s));
    metrics_one(out, "crossfleet_weights_version", gauge, "Newest published weights.",
                (double)s->weights_version);
    metrics_one(out, "process_resident_memory_bytes", gauge, "Resident memory of the learner.",
                (double)s->rss_bytes);
    metrics_one(out, "process_start_time_seconds", gauge, "Start of the learner, Unix time.",
                s->wall_start);
}

static void metrics_pace(FILE *out, const struct status *s)
{
    static const char gauge[] = "gauge", lag[] = "crossfleet_policy_lag_versions";
    static const char wait[] = "crossfleet_limiter_wait_seconds_total";
    metrics_one(out, "crossfleet_utd_ratio", gauge, "Updates per environment step since warm-up.",
                s->utd);
    metrics_one(out, "crossfleet_utd_ratio_wanted", gauge, "What the spec asks for.",
                s->ratio_q > 0 ? (double)s->ratio_p / (double)s->ratio_q : NAN);
    metrics_one(out, "crossfleet_env_steps_per_second", gauge, "Over the last seconds.", s->fps);
    metrics_one(out, "crossfleet_updates_per_second", gauge, "Over the last seconds.",
                s->updates_per_s);
    metrics_one(out, "crossfleet_learner_utilisation", gauge,
                "Share of the last seconds that went into updates.", s->utilisation);
    metrics_head(out, wait, "counter",
                 "Waiting by reason; warmup, inserts: the learner, samples: the actors.");
    for (int i = 0; i < STATUS_WAITS; i++)
        metrics_labelled(out, wait, "reason", status_wait_name((enum status_wait)i), s->wait_s[i]);
    metrics_head(out, lag, "summary",
                 "Weights versions between a transition's policy and the newest.");
    metrics_labelled(out, lag, "quantile", "0.5", s->lag_p50);
    metrics_labelled(out, lag, "quantile", "0.99", s->lag_p99);
    metrics_one(out, "crossfleet_sample_age_versions", gauge,
                "Mean weights versions between a sampled row and the newest.", s->sample_age);
    metrics_head(out, "crossfleet_messages_rejected_total", "counter",
                 "Messages counted and dropped.");
    for (size_t i = 0; i < s->n_rejects; i++)
        metrics_labelled(out, "crossfleet_messages_rejected_total", "reason", s->rejects[i].reason,
                         (double)s->rejects[i].n);
}

static void metrics_learning(FILE *out, const struct status *s)
{
    static const char gauge[] = "gauge";
    metrics_head(out, "crossfleet_episode_return", gauge,
                 "Training episodes: the last one, the mean of the last 100.");
    metrics_labelled(out, "crossfleet_episode_return", "stat", "last", s->return_last);
    metrics_labelled(out, "crossfleet_episode_return", "stat", "mean", s->return_mean);
    metrics_head(out, "crossfleet_eval_return", gauge,
                 "Evaluations of the deterministic policy, mean of each.");
    metrics_labelled(out, "crossfleet_eval_return", "stat", "last", s->eval_last);
    metrics_labelled(out, "crossfleet_eval_return", "stat", "best", s->eval_best);
    metrics_labelled(out, "crossfleet_eval_return", "stat", "std", s->eval_std);
    metrics_head(out, "crossfleet_loss", gauge, "Means over the last interval.");
    metrics_labelled(out, "crossfleet_loss", "net", "critic", s->critic_loss);
    metrics_labelled(out, "crossfleet_loss", "net", "actor", s->actor_loss);
    metrics_labelled(out, "crossfleet_loss", "net", "alpha", s->alpha_loss);
    metrics_one(out, "crossfleet_entropy_coefficient", gauge, "Temperature alpha.", s->alpha);
}

static void metrics_slots(FILE *out, const struct status *s)
{
    static const struct {
        const char *name, *type, *help;
    } kinds[] = {
        {"crossfleet_slot_steps_total", "counter", "Accepted steps of an actor's slot."},
        {"crossfleet_slot_lag_versions", "gauge", "Versions behind, of the slot's last block."},
        {"crossfleet_slot_age_seconds", "gauge", "Since the slot's last message."},
        {"crossfleet_slot_restarts_total", "counter", "Incarnations after the first."},
        {"crossfleet_slot_wait_seconds_total", "counter", "Waited for credit, of its process."},
        {"crossfleet_slot_weights_age_seconds", "gauge", "Since the actor got valid weights."},
        {"crossfleet_slot_weights_rejected_total", "counter",
         "Frames of weights that the actor did not take."},
    };
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        metrics_head(out, kinds[k].name, kinds[k].type, kinds[k].help);
        for (size_t i = 0; i < s->n_actors; i++) {
            const struct status_actor *a = &s->actors[i];
            const double               values[] = {(double)a->steps,      a->lag,    a->age_s,
                                                   (double)a->restarts,   a->wait_s, a->weights_age_s,
                                                   (double)a->weights_bad};
            char                       slot[16];
            snprintf(slot, sizeof slot, "%u", a->slot);
            metrics_labelled(out, kinds[k].name, "slot", slot, values[k]);
        }
    }
}

void metrics_text_write(FILE *out, const struct status *s)
{
    metrics_totals(out, s);
    metrics_pace(out, s);
    metrics_learning(out, s);
    metrics_slots(out, s);
    metrics_head(out, "crossfleet_build_info", "gauge", "Always 1.");
    metrics_labelled(out, "crossfleet_build_info", "version", s->version, 1);
}
