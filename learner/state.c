#include "learner/state.h"

#include "common/clock.h"
#include "common/log.h"
#include "learner/learner.h"

#include <assert.h>
#include <inttypes.h>
#include <sodium/crypto_hash_sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 512, COUNTERS = 8, SECONDS = 2 + LIMITER_REASONS, RNG_WORDS = 6 };

// One checkpoint's tensors, with the small ones kept here.
struct state {
    size_t                    n;
    struct update_block       blocks[BLOCKS];
    struct safetensors_tensor tensor[BLOCKS + 6];
    uint64_t                  counters[COUNTERS];
    double                    seconds[SECONDS];
    uint64_t                  sample[RNG_WORDS], noise[RNG_WORDS];
    double                    largest;  // priority
};

// ------ random streams as words

static void rng_pack(uint64_t *words, const struct rng *rng)
{
    memcpy(words, rng->s, sizeof rng->s);
    memcpy(&words[4], &rng->spare, sizeof rng->spare);
    words[5] = (uint64_t)rng->has_spare;
}

static void rng_unpack(struct rng *rng, const uint64_t *words)
{
    memcpy(rng->s, words, sizeof rng->s);
    memcpy(&rng->spare, &words[4], sizeof rng->spare);
    rng->has_spare = words[5] != 0;
}

// ------ listing

static void tensor_add(struct state *s, const char *name, enum safetensors_dtype dtype,
                       const void *data, size_t rows, size_t cols)
{
    size_t n = (rows > 0 ? rows : 1) * (cols > 0 ? cols : 1);
    s->tensor[s->n++] = (struct safetensors_tensor){
        .name = name,
        .dtype = dtype,
        .rank = (rows > 0) + (size_t)(cols > 0),
        .shape = {rows > 0 ? rows : cols, cols},
        .n = n,
        .size = n * safetensors_dtype_size(dtype),
        .data = data,
    };
}

static void counters_fill(struct state *s, struct learner *l)
{
    struct limiter_state limiter;
    limiter_read(&l->limiter, &limiter);
    s->counters[0] = replay_inserted(&l->replay);
    s->counters[1] = l->publisher.version;
    s->counters[2] = l->skipped;
    s->counters[3] = evaluation_next(&l->evaluation, &l->publisher);
    s->counters[4] = l->evaluation.done;
    s->counters[5] = l->evaluation.skipped;
    s->counters[6] = l->next_row;
    s->counters[7] = l->sampler.counted;
    s->seconds[0] = recorder_elapsed(l->recorder);
    s->seconds[1] = l->busy_s;
    memcpy(&s->seconds[2], limiter.waited, sizeof limiter.waited);
    rng_pack(s->sample, &l->sampler.sample);
    rng_pack(s->noise, &l->sampler.noise);
}

static void state_list(struct state *s, struct learner *l)
{
    size_t n = update_blocks(l->update, s->blocks, BLOCKS);
    assert(n <= BLOCKS);
    s->n = 0;
    for (size_t i = 0; i < n; i++) {
        const struct update_block *b = &s->blocks[i];
        tensor_add(s, b->name, b->integer ? SAFETENSORS_U64 : SAFETENSORS_F32, b->data, b->rows,
                   b->cols);
    }
    counters_fill(s, l);
    tensor_add(s, "loop.counters", SAFETENSORS_U64, s->counters, 0, COUNTERS);
    tensor_add(s, "loop.rng_sample", SAFETENSORS_U64, s->sample, 0, RNG_WORDS);
    tensor_add(s, "loop.rng_noise", SAFETENSORS_U64, s->noise, 0, RNG_WORDS);
    if (l->sampler.prioritized) {
        s->largest = l->sampler.priority.largest;
        tensor_add(s, "priority.leaves", SAFETENSORS_F64, priority_leaves(&l->sampler.priority), 0,
                   l->sampler.priority.capacity);
        tensor_add(s, "priority.largest", SAFETENSORS_F64, &s->largest, 0, 0);
    }
    tensor_add(s, "loop.seconds", SAFETENSORS_F64, s->seconds, 0, SECONDS);
}

// ------ writing

static int state_write(struct learner *l, struct error *err)
{
    enum { STRINGS = 6 };
    const char *const keys[STRINGS] = {"run_id", "steps",  "capacity",
                                       "obs",    "action", "incarnation"};
    const uint64_t    values[STRINGS] = {l->identity.run_id,     replay_inserted(&l->replay),
                                         l->replay.capacity,     l->replay.shape.obs,
                                         l->replay.shape.action, l->identity.incarnation};
    char              text[STRINGS][24];
    struct safetensors_string string[STRINGS];
    struct state             *s = calloc(1, sizeof *s);
    if (s == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a checkpoint");
    for (size_t i = 0; i < STRINGS; i++) {
        snprintf(text[i], sizeof text[i], "%" PRIu64, values[i]);
        string[i] = (struct safetensors_string){keys[i], text[i]};
    }
    state_list(s, l);
    // the names must outlive the writing: they are copied into the learner, once, because the
    // checkpoint before this one may still be reading them
    for (size_t i = 0; i < s->n; i++) {
        if (l->names[i][0] == '\0')
            snprintf(l->names[i], sizeof l->names[i], "%s", s->tensor[i].name);
        s->tensor[i].name = l->names[i];
    }
    int rc = checkpoint_write(&l->checkpoint, update_count(l->update), s->tensor, s->n, string,
                              STRINGS, err);
    free(s);
    return rc;
}

int state_save_due(struct learner *l, struct error *err)
{
    struct error failed = {0};
    double       now = clock_now();
    if (checkpoint_error(&l->checkpoint, &failed) < 0)
        log_error("checkpoint", "%s; training goes on without this checkpoint", failed.text);
    double every = l->spec.cluster.checkpoint_interval_s;
    bool   first = l->saved_at == 0 && replay_inserted(&l->replay) > 0;
    if (every == 0 || (!first && (l->saved_at == 0 || now - l->saved_at < every)))
        return 0;
    l->saved_at = now;
    int rc = state_write(l, err);
    return rc == ERR_TIMEOUT ? 0 : rc;
}

int state_save(struct learner *l, struct error *err)
{
    struct error before = {0};
    if (checkpoint_wait(&l->checkpoint, &before) < 0)
        log_error("checkpoint", "%s", before.text);
    if (state_write(l, err) < 0)
        return err->code;
    return checkpoint_wait(&l->checkpoint, err);
}

// ------ reading

static int head_number(const struct safetensors *st, const char *key, uint64_t *value,
                       struct error *err)
{
    const char *text = safetensors_metadata(st, key);
    if (text == NULL || text[0] == '\0' || strspn(text, "0123456789") != strlen(text))
        return error_set(err, ERR_FORMAT, "%s: no number '%s'", st->label, key);
    *value = strtoull(text, NULL, 10);
    return 0;
}

int state_head_read(const struct safetensors *st, struct state_head *head, struct error *err)
{
    double seconds[SECONDS];
    if (head_number(st, "run_id", &head->run_id, err) < 0 ||
        head_number(st, "steps", &head->steps, err) < 0 ||
        head_number(st, "capacity", &head->capacity, err) < 0 ||
        head_number(st, "obs", &head->obs, err) < 0 ||
        head_number(st, "action", &head->action, err) < 0 ||
        head_number(st, "incarnation", &head->incarnation, err) < 0 ||
        safetensors_get(st, "loop.seconds", SAFETENSORS_F64, seconds, SECONDS, err) < 0)
        return err->code;
    head->elapsed_s = seconds[0];
    return 0;
}

static void counters_restore(struct learner *l, const struct state *s)
{
    l->publisher.version = s->counters[1];
    l->skipped = s->counters[2];
    // rows and evaluations may have been written after the checkpoint
    const struct recorder_past past = recorder_past(l->recorder);
    evaluation_resume(&l->evaluation, s->counters[3], replay_inserted(&l->replay), &past);
    l->evaluation.done = past.evaluations;
    l->evaluation.skipped = s->counters[5];
    l->next_row = (past.row_steps / l->spec.meta.log_frequency + 1) * l->spec.meta.log_frequency;
    l->sampler.counted = s->counters[7];
    l->busy_s = s->seconds[1];
    memcpy(l->limiter.waited, &s->seconds[2], sizeof l->limiter.waited);
    rng_unpack(&l->sampler.sample, s->sample);
    rng_unpack(&l->sampler.noise, s->noise);
    limiter_restore(&l->limiter, replay_inserted(&l->replay), update_count(l->update));
}

static int priorities_restore(struct learner *l, struct error *err)
{
    struct priority *p = &l->sampler.priority;
    if (safetensors_get(&l->saved, "priority.leaves", SAFETENSORS_F64, priority_leaves(p),
                        p->capacity, err) < 0 ||
        safetensors_get(&l->saved, "priority.largest", SAFETENSORS_F64, &p->largest, 1, err) < 0)
        return err->code;
    priority_rebuild(p);
    return 0;
}

int state_restore(struct learner *l, struct error *err)
{
    const struct safetensors *st = &l->saved;
    struct state             *s = calloc(1, sizeof *s);
    if (s == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a checkpoint");
    int    rc = 0;
    size_t n = update_blocks(l->update, s->blocks, BLOCKS);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct update_block *b = &s->blocks[i];
        size_t count = (b->rows > 0 ? b->rows : 1) * (b->cols > 0 ? b->cols : 1);
        rc = safetensors_get(st, b->name, b->integer ? SAFETENSORS_U64 : SAFETENSORS_F32, b->data,
                             count, err);
    }
    if (rc == 0)
        rc = safetensors_get(st, "loop.counters", SAFETENSORS_U64, s->counters, COUNTERS, err);
    if (rc == 0)
        rc = safetensors_get(st, "loop.seconds", SAFETENSORS_F64, s->seconds, SECONDS, err);
    if (rc == 0)
        rc = safetensors_get(st, "loop.rng_sample", SAFETENSORS_U64, s->sample, RNG_WORDS, err);
    if (rc == 0)
        rc = safetensors_get(st, "loop.rng_noise", SAFETENSORS_U64, s->noise, RNG_WORDS, err);
    if (rc == 0)
        counters_restore(l, s);
    if (rc == 0 && l->sampler.prioritized)
        rc = priorities_restore(l, err);
    free(s);
    return rc;
}

// ------ hash

void state_hash(struct learner *l, char hex[65])
{
    crypto_hash_sha256_state hash;
    unsigned char            sum[crypto_hash_sha256_BYTES];
    struct state            *s = calloc(1, sizeof *s);
    assert(s != NULL);
    state_list(s, l);
    crypto_hash_sha256_init(&hash);
    // the last tensor holds seconds, which no two runs share
    for (size_t i = 0; i + 1 < s->n; i++)
        crypto_hash_sha256_update(&hash, s->tensor[i].data, s->tensor[i].size);
    crypto_hash_sha256_update(&hash, (const unsigned char *)l->replay.rows,
                              replay_size(&l->replay) * l->replay.shape.words * sizeof(float));
    crypto_hash_sha256_final(&hash, sum);
    for (size_t i = 0; i < sizeof sum; i++)
        snprintf(hex + 2 * i, 3, "%02x", sum[i]);
    free(s);
}
