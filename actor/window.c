#include "actor/window.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int window_init(struct window *w, struct row_shape shape, size_t n_step, double gamma,
                struct error *err)
{
    assert(n_step >= 1);
    *w = (struct window){.shape = shape, .n_step = n_step, .gamma = gamma};
    w->start = calloc(n_step * shape.reward, sizeof *w->start);
    w->reward = calloc(n_step, sizeof *w->reward);
    w->version = calloc(n_step, sizeof *w->version);
    if (w->start == NULL || w->reward == NULL || w->version == NULL) {
        window_free(w);
        return error_set(err, ERR_MEMORY, "no memory for a window of %zu steps", n_step);
    }
    return 0;
}

void window_free(struct window *w)
{
    free(w->start);
    free(w->reward);
    free(w->version);
    *w = (struct window){0};
}

void window_reset(struct window *w)
{
    w->first = 0;
    w->count = 0;
}

// writes the row of the oldest open step and closes it
static void row_emit(struct window *w, float *row, const float *next_obs, bool terminated,
                     bool truncated)
{
    const struct row_shape *s = &w->shape;
    double                  reward = 0;
    for (size_t k = w->count; k-- > 0;)
        reward = w->reward[(w->first + k) % w->n_step] + w->gamma * reward;
    uint32_t flags = (terminated ? ROW_TERMINATED : 0u) | (truncated ? ROW_TRUNCATED : 0u);
    memcpy(row, w->start + w->first * s->reward, s->reward * sizeof *row);
    row[s->reward] = (float)reward;
    row[s->discount] = terminated ? 0.0f : (float)pow(w->gamma, (double)w->count);
    memcpy(row + s->next_obs, next_obs, s->obs * sizeof *row);
    memcpy(&row[s->flags], &flags, sizeof flags);
    memcpy(&row[s->version], &w->version[w->first], sizeof(uint32_t));
    w->first = (w->first + 1) % w->n_step;
    w->count--;
}

size_t window_step(struct window *w, float *rows, const float *obs, const float *action,
                   double reward, const float *next_obs, bool terminated, bool truncated,
                   uint32_t version)
{
    const struct row_shape *s = &w->shape;
    assert(w->count < w->n_step);
    size_t at = (w->first + w->count++) % w->n_step;
    memcpy(w->start + at * s->reward, obs, s->obs * sizeof *obs);
    memcpy(w->start + at * s->reward + s->obs, action, s->action * sizeof *action);
    w->reward[at] = reward;
    w->version[at] = version;
    bool   ended = terminated || truncated;
    size_t n = 0;
    while (w->count == w->n_step || (ended && w->count > 0))
        row_emit(w, rows + n++ * s->words, next_obs, terminated, truncated);
    return n;
}
