#include "learner/sampler.h"

#include <stdlib.h>

int sampler_init(struct sampler *s, const struct memory_spec *memory, uint64_t capacity,
                 uint64_t seed, struct error *err)
{
    *s = (struct sampler){.memory = memory, .prioritized = memory->kind == MEMORY_PRIORITIZED};
    rng_init(&s->sample, seed, RNG_SAMPLE, 0);
    rng_init(&s->noise, seed, RNG_NOISE, 0);
    if (!s->prioritized)
        return 0;
    s->uniform = calloc((size_t)memory->batch_size, sizeof *s->uniform);
    if (s->uniform == NULL)
        return error_set(err, ERR_MEMORY, "no memory for %llu draws",
                         (unsigned long long)memory->batch_size);
    return priority_init(&s->priority, (size_t)capacity, memory->alpha, memory->epsilon, err);
}

void sampler_free(struct sampler *s)
{
    priority_free(&s->priority);
    free(s->uniform);
    *s = (struct sampler){0};
}

// rows that came since the last batch, the newest N of them
static void rows_enter(struct sampler *s, uint64_t inserted, uint64_t capacity)
{
    if (inserted - s->counted > capacity)
        s->counted = inserted - capacity;
    for (; s->counted < inserted; s->counted++)
        priority_insert(&s->priority, (size_t)(s->counted % capacity));
}

static void draw_by_priority(struct sampler *s, struct replay *replay, struct batch *b,
                             double progress)
{
    const struct memory_spec *m = s->memory;
    uint64_t                  inserted = replay_inserted(replay), capacity = replay->capacity;
    uint64_t                  size = inserted < capacity ? inserted : capacity;
    rows_enter(s, inserted, capacity);
    for (size_t i = 0; i < b->B; i++)
        s->uniform[i] = rng_uniform(&s->sample);
    priority_draw(&s->priority, b->index, s->uniform, b->B);
    if (m->use_cer)
        b->index[b->B - 1] = (inserted - 1) % capacity;
    priority_weights(&s->priority, b->weight, b->index, b->B, (size_t)size,
                     m->beta + (m->beta_final - m->beta) * progress);
}

void sampler_draw(struct sampler *s, struct replay *replay, struct batch *b, double progress)
{
    if (s->prioritized) {
        draw_by_priority(s, replay, b, progress);
    } else {
        replay_draw(replay, b, s->memory->use_cer, &s->sample);
        for (size_t i = 0; i < b->B; i++)
            b->weight[i] = 1;
    }
    replay_gather(replay, b);
    rng_normal_pairs(&s->noise, b->noise_next, b->B * b->A);
    rng_normal_pairs(&s->noise, b->noise_policy, b->B * b->A);
}

void sampler_learned(struct sampler *s, const struct batch *b, const float *td_error)
{
    if (s->prioritized)
        priority_update(&s->priority, b->index, td_error, b->B);
}
