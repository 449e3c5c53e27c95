#include "learner/status_json.h"

#include <math.h>

// ---------------------------------------------------------------- format

void status_json_string(FILE *out, const char *text)
{
    putc('"', out);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20)
            fprintf(out, "\\u%04x", (unsigned)c);
        else
            putc(c, out);
    }
    putc('"', out);
}

static void json_text(FILE *out, const char *key, const char *text)
{
    fprintf(out, "\"%s\":", key);
    status_json_string(out, text != NULL ? text : "");
    putc(',', out);
}

static void json_value(FILE *out, double value)
{
    if (isfinite(value))
        fprintf(out, "%.10g", value);
    else
        fputs("null", out);
}

static void json_number(FILE *out, const char *key, double value)
{
    fprintf(out, "\"%s\":", key);
    json_value(out, value);
    putc(',', out);
}

static void json_count(FILE *out, const char *key, uint64_t value)
{
    fprintf(out, "\"%s\":%llu,", key, (unsigned long long)value);
}

// ---------------------------------------------------------------- groups

static void json_identity(FILE *out, const struct status *s)
{
    char sentence[256], bottleneck[96];
    status_sentence(sentence, sizeof sentence, s);
    status_bottleneck(bottleneck, sizeof bottleneck, s);
    json_text(out, "version", s->version);
    json_text(out, "state", status_state_name(s->state));
    json_text(out, "sentence", sentence);
    json_text(out, "bottleneck", bottleneck);
    json_text(out, "run_id", s->run_id);
    json_text(out, "run", s->run_path);
    json_text(out, "name", s->name);
    json_text(out, "env", s->env);
    json_text(out, "algorithm", s->algorithm);
    json_text(out, "bind", s->bind);
    json_text(out, "spec", s->spec_text);
    json_count(out, "seed", s->seed);
    json_number(out, "started", s->wall_start);
    json_number(out, "elapsed_s", s->elapsed_s);
    json_number(out, "eta_s", s->eta_s);
}

static void json_pace(FILE *out, const struct status *s)
{
    double wanted = s->ratio_q > 0 ? (double)s->ratio_p / (double)s->ratio_q : NAN;
    double after = s->steps > s->start_step ? (double)(s->steps - s->start_step) : NAN;
    // the limiter lets updates run this share ahead or behind
    double slack = wanted * s->tolerance / after;
    json_count(out, "steps", s->steps);
    json_count(out, "max_frame", s->max_frame);
    json_count(out, "start_step", s->start_step);
    json_count(out, "updates", s->updates);
    json_count(out, "updates_skipped", s->updates_skipped);
    json_number(out, "utd", s->utd);
    json_number(out, "utd_wanted", wanted);
    json_number(out, "utd_low", fmax(0, wanted - slack));
    json_number(out, "utd_high", wanted + slack);
    json_number(out, "fps", s->fps);
    json_number(out, "updates_per_s", s->updates_per_s);
    json_number(out, "utilisation", s->utilisation);
    fputs("\"wait\":{", out);
    for (int i = 0; i < STATUS_WAITS; i++) {
        fprintf(out, "%s\"%s\":{", i > 0 ? "," : "", status_wait_name((enum status_wait)i));
        json_number(out, "seconds", s->wait_s[i]);
        fputs("\"share\":", out);
        json_value(out, s->wait_share[i]);
        putc('}', out);
    }
    fputs("},", out);
    json_count(out, "weights_version", s->weights_version);
    json_count(out, "publishes", s->publishes);
    json_number(out, "lag_p50", s->lag_p50);
    json_number(out, "lag_p99", s->lag_p99);
    json_number(out, "sample_age", s->sample_age);
    json_count(out, "replay_rows", s->replay_rows);
    json_count(out, "replay_capacity", s->replay_capacity);
    json_count(out, "rss_bytes", s->rss_bytes);
    json_count(out, "checkpoints", s->checkpoints);
}

static void json_traffic(FILE *out, const struct status *s)
{
    json_count(out, "lost", s->lost);
    json_count(out, "duplicates", s->duplicates);
    fputs("\"rejected\":{", out);
    for (size_t i = 0; i < s->n_rejects; i++) {
        if (i > 0)
            putc(',', out);
        status_json_string(out, s->rejects[i].reason);
        fprintf(out, ":%llu", (unsigned long long)s->rejects[i].n);
    }
    fputs("},", out);
    json_count(out, "actors_connected", status_actors_connected(s));
    fputs("\"actors\":[", out);
    for (size_t i = 0; i < s->n_actors; i++) {
        const struct status_actor *a = &s->actors[i];
        fputs(i > 0 ? ",{" : "{", out);
        json_text(out, "name", a->name);
        json_text(out, "host", a->host);
        json_text(out, "state", status_actor_state_name(a->state));
        json_text(out, "role", a->evaluator ? "evaluator" : "actor");
        json_count(out, "steps", a->steps);
        json_number(out, "steps_per_s", a->steps_per_s);
        json_number(out, "lag", a->lag);
        json_number(out, "age_s", a->age_s);
        json_count(out, "restarts", a->restarts);
        json_count(out, "lost", a->lost);
        json_number(out, "wait_s", a->wait_s);
        json_number(out, "weights_age_s", a->weights_age_s);
        json_count(out, "weights_bad", a->weights_bad);
        fprintf(out, "\"slot\":%u}", a->slot);
    }
    fputs("],", out);
}

static void json_curve(FILE *out, const char *key, const struct status_curve *c)
{
    fprintf(out, "\"%s\":[", key);
    for (size_t i = 0; i < c->n; i++) {
        fprintf(out, "%s[%llu,%.7g,", i > 0 ? "," : "", (unsigned long long)c->points[i].steps,
                c->points[i].elapsed_s);
        json_value(out, c->points[i].value);
        putc(']', out);
    }
    putc(']', out);
}

static void json_learning(FILE *out, const struct status *s)
{
    json_count(out, "episodes", s->episodes);
    json_number(out, "return_last", s->return_last);
    json_number(out, "return_mean", s->return_mean);
    json_number(out, "length_mean", s->length_mean);
    json_count(out, "evaluations", s->evaluations);
    json_count(out, "evaluations_skipped", s->evaluations_skipped);
    json_number(out, "eval_last", s->eval_last);
    json_number(out, "eval_std", s->eval_std);
    json_number(out, "eval_best", s->eval_best);
    json_count(out, "eval_best_steps", s->eval_best_steps);
    json_number(out, "critic_loss", s->critic_loss);
    json_number(out, "actor_loss", s->actor_loss);
    json_number(out, "alpha", s->alpha);
    json_number(out, "entropy", s->entropy);
    json_number(out, "q_mean", s->q_mean);
}

void status_json_write(FILE *out, const struct status *s)
{
    putc('{', out);
    json_identity(out, s);
    json_pace(out, s);
    json_learning(out, s);
    json_traffic(out, s);
    json_curve(out, "train_curve", &s->train);
    putc(',', out);
    json_curve(out, "eval_curve", &s->eval);
    fputs("}\n", out);
}
