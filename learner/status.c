#include "learner/status.h"

#include "common/error.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// ---------------------------------------------------------------- snapshot

void status_init(struct status *s)
{
    memset(s, 0, sizeof *s);
    double *unknown[] = {
        &s->critic_loss, &s->actor_loss,  &s->alpha,       &s->alpha_loss,    &s->entropy,
        &s->q_mean,      &s->lag_p50,     &s->lag_p99,     &s->sample_age,    &s->learning_rate,
        &s->eta_s,       &s->utd,         &s->fps,         &s->updates_per_s, &s->utilisation,
        &s->return_last, &s->return_mean, &s->length_mean, &s->eval_last,     &s->eval_best,
        &s->eval_std,
    };
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        *unknown[i] = NAN;
    for (size_t i = 0; i < STATUS_WAITS; i++)
        s->wait_share[i] = NAN;
}

void status_curve_add(struct status_curve *c, uint64_t steps, double elapsed_s, double value)
{
    if (c->stride == 0)
        c->stride = 1;
    if (c->seen++ % c->stride != 0)
        return;
    if (c->n == STATUS_CURVE) {
        for (size_t i = 0; i < STATUS_CURVE / 2; i++)
            c->points[i] = c->points[2 * i];
        c->n = STATUS_CURVE / 2;
        c->stride *= 2;
    }
    c->points[c->n++] =
        (struct status_point){.steps = steps, .elapsed_s = elapsed_s, .value = value};
}

size_t status_actors_connected(const struct status *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_actors; i++)
        n += s->actors[i].state != STATUS_ACTOR_GONE && !s->actors[i].evaluator;
    return n;
}

// ---------------------------------------------------------------- words

// below this share nobody calls it waiting
#define STATUS_WAIT_SHOWN 0.1

// shares in tens: a screen reader speaks the sentence whenever it changes
void status_sentence(char *text, size_t size, const struct status *s)
{
    char   a[32], b[32];
    double inserts = s->wait_share[STATUS_WAIT_INSERTS];
    double samples = s->wait_share[STATUS_WAIT_SAMPLES];
    status_format_count(a, sizeof a, s->steps);
    status_format_count(b, sizeof b, s->start_step);
    if (s->state == STATUS_LOADING)
        snprintf(text, size, "The learner is starting.");
    else if (s->state == STATUS_STOPPING)
        snprintf(text, size, "The learner is writing its last checkpoint.");
    else if (s->state == STATUS_DONE)
        snprintf(text, size, "Training is done.");
    else if (s->state == STATUS_EVALUATING)
        snprintf(text, size, "Every step is done; the learner waits for the final evaluation.");
    else if (status_actors_connected(s) == 0)
        snprintf(text, size, "No actor is connected; the learner waits for one at %s.",
                 s->bind[0] != '\0' ? s->bind : "its address");
    else if (s->state == STATUS_WARMUP)
        snprintf(text, size, "Warm-up: the learner waits for the first %s steps, %s are there.", b,
                 a);
    else if (inserts >= STATUS_WAIT_SHOWN && inserts >= samples)
        snprintf(
            text, size,
            "The learner waits for the actors about %.0f%% of the time: more actors would help.",
            10 * round(10 * inserts));
    else if (samples >= STATUS_WAIT_SHOWN)
        snprintf(text, size,
                 "The actors wait for the learner about %.0f%% of the time: updates set the pace.",
                 10 * round(10 * samples));
    else
        snprintf(text, size, "Nobody waits: learner and actors keep the same pace.");
}

void status_bottleneck(char *text, size_t size, const struct status *s)
{
    double inserts = s->wait_share[STATUS_WAIT_INSERTS];
    double samples = s->wait_share[STATUS_WAIT_SAMPLES];
    if (s->state != STATUS_TRAINING)
        snprintf(text, size, "%s", status_state_name(s->state));
    else if (status_actors_connected(s) == 0)
        snprintf(text, size, "no actor connected");
    else if (inserts >= STATUS_WAIT_SHOWN && inserts >= samples)
        snprintf(text, size, "learner waits for actors %.0f%%", 100 * inserts);
    else if (samples >= STATUS_WAIT_SHOWN)
        snprintf(text, size, "actors wait for learner %.0f%%", 100 * samples);
    else
        snprintf(text, size, "balanced");
}

const char *status_state_name(enum status_state state)
{
    static const char *const names[] = {"loading",    "warm-up",  "training",
                                        "evaluating", "stopping", "done"};
    return names[state];
}

const char *status_actor_state_name(enum status_actor_state state)
{
    static const char *const names[] = {"gone", "active", "silent"};
    return names[state];
}

const char *status_wait_name(enum status_wait reason)
{
    static const char *const names[] = {"warmup", "inserts", "samples"};
    return names[reason];
}

void status_format_count(char *text, size_t size, uint64_t n)
{
    char   digits[24];
    size_t length = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    size_t k = 0;
    for (size_t i = 0; i < length && k + 2 < size; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            text[k++] = ',';
        text[k++] = digits[i];
    }
    text[k] = '\0';
}

void status_format_duration(char *text, size_t size, double seconds)
{
    if (!isfinite(seconds) || seconds < 0)
        snprintf(text, size, "-");
    else if (seconds < 99.5)
        snprintf(text, size, "%.0f s", seconds);
    else if (seconds < 5970)
        snprintf(text, size, "%.0f min", seconds / 60);
    else if (seconds < 172800)
        snprintf(text, size, "%d h %02d min", (int)(seconds / 3600), (int)(seconds / 60) % 60);
    else
        snprintf(text, size, "%d d %02d h", (int)(seconds / 86400), (int)(seconds / 3600) % 24);
}

// ---------------------------------------------------------------- store

int status_store_init(struct status_store *store)
{
    status_init(&store->now);
    return pthread_mutex_init(&store->lock, NULL) == 0 ? 0 : ERR_SYSTEM;
}

void status_store_free(struct status_store *store)
{
    pthread_mutex_destroy(&store->lock);
}

void status_store_put(struct status_store *store, const struct status *s)
{
    pthread_mutex_lock(&store->lock);
    store->now = *s;
    pthread_mutex_unlock(&store->lock);
}

void status_store_get(struct status_store *store, struct status *s)
{
    pthread_mutex_lock(&store->lock);
    *s = store->now;
    pthread_mutex_unlock(&store->lock);
}
