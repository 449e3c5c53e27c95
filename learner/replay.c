#include "learner/replay.h"

#include "learner/replay_file.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

// Rows that replay_gather asks for before it comes to them.
#define AHEAD 8

int replay_init(struct replay *r, struct row_shape shape, uint64_t capacity, size_t slots,
                size_t undo, const char *path, bool resume, struct error *err)
{
    assert(capacity >= 1);
    *r = (struct replay){.shape = shape, .capacity = capacity, .slots = slots, .undo = undo};
    int rc = replay_file_open(r, path, resume, err);
    if (rc < 0)
        return rc;
    pthread_mutex_init(&r->lock, NULL);
    r->open = true;
    return 0;
}

void replay_free(struct replay *r)
{
    if (r->open)
        pthread_mutex_destroy(&r->lock);
    replay_file_close(r);
    *r = (struct replay){0};
}

// the mark that holds now; call with the lock held
static struct replay_mark slot_mark(const struct replay *r, const struct replay_slot *s)
{
    return s->at <= r->inserted ? s->after : s->before;
}

// stores in the order in which a killed learner must leave them; the kernel sees all of them
static void order(void)
{
    atomic_signal_fence(memory_order_seq_cst);
}

// a mark that will hold once n more rows count; call with the lock held
static void slot_set(struct replay *r, struct replay_slot *s, size_t n,
                     const struct replay_mark *mark)
{
    s->before = slot_mark(r, s);
    order();
    s->at = UINT64_MAX;
    order();
    s->after = *mark;
    order();
    s->at = r->inserted + n;
    order();
}

void replay_claim(struct replay *r, size_t slot, const struct replay_mark *mark)
{
    assert(slot < r->slots);
    pthread_mutex_lock(&r->lock);
    slot_set(r, &r->slot[slot], 0, mark);
    pthread_mutex_unlock(&r->lock);
}

void replay_insert(struct replay *r, const void *rows, size_t n, size_t slot,
                   const struct replay_mark *mark)
{
    assert(n <= r->capacity && slot < r->slots && (r->undo == 0 || n <= r->undo));
    const char *from = rows;
    size_t      bytes = r->shape.words * sizeof(float);
    pthread_mutex_lock(&r->lock);
    if (r->undo > 0) {
        if (r->header->reached < r->inserted + n)
            r->header->reached = r->inserted + n;
        order();
        replay_file_keep(r, r->inserted, n);
        r->header->writing_n = n;
        atomic_store_explicit(&r->header->writing_at, r->inserted, memory_order_release);
        order();
    }
    size_t at = (size_t)(r->inserted % r->capacity);
    size_t first = n < r->capacity - at ? n : (size_t)r->capacity - at;
    memcpy((char *)r->rows + at * bytes, from, first * bytes);
    memcpy(r->rows, from + first * bytes, (n - first) * bytes);
    slot_set(r, &r->slot[slot], n, mark);
    r->inserted += n;
    atomic_store_explicit(&r->header->inserted, r->inserted, memory_order_release);
    pthread_mutex_unlock(&r->lock);
}

struct replay_mark replay_mark(struct replay *r, size_t slot)
{
    assert(slot < r->slots);
    pthread_mutex_lock(&r->lock);
    struct replay_mark mark = slot_mark(r, &r->slot[slot]);
    pthread_mutex_unlock(&r->lock);
    return mark;
}

int replay_rewind(struct replay *r, uint64_t inserted, struct error *err)
{
    pthread_mutex_lock(&r->lock);
    uint64_t now = r->inserted, reached = r->header->reached;
    bool     ahead = inserted > now;
    // while nothing was overwritten there is nothing to put back
    bool far = now > r->capacity && reached > inserted && reached - inserted > r->undo;
    if (!ahead && !far) {
        replay_file_undo(r, inserted, now);
        r->inserted = inserted;
        atomic_store(&r->header->inserted, inserted);
        memset(r->slot, 0, r->slots * sizeof *r->slot);
    }
    pthread_mutex_unlock(&r->lock);
    if (ahead)
        return error_set(err, ERR_FORMAT, "the checkpoint counts %llu rows, the replay holds fewer",
                         (unsigned long long)inserted);
    if (far)
        return error_set(err, ERR_FORMAT,
                         "the checkpoint is %llu rows behind the replay, which can go back %zu",
                         (unsigned long long)(reached - inserted), r->undo);
    return 0;
}

int replay_sync(struct replay *r, struct error *err)
{
    // without the lock: rows may go on coming in
    return replay_file_sync(r, err);
}

uint64_t replay_inserted(struct replay *r)
{
    pthread_mutex_lock(&r->lock);
    uint64_t n = r->inserted;
    pthread_mutex_unlock(&r->lock);
    return n;
}

uint64_t replay_size(struct replay *r)
{
    uint64_t n = replay_inserted(r);
    return n < r->capacity ? n : r->capacity;
}

void replay_draw(struct replay *r, struct batch *b, bool newest, struct rng *sample)
{
    uint64_t inserted = replay_inserted(r);
    uint64_t size = inserted < r->capacity ? inserted : r->capacity;
    assert(size >= 1);
    for (size_t i = 0; i < b->B; i++)
        b->index[i] = rng_below(sample, size);
    if (newest)
        b->index[b->B - 1] = (inserted - 1) % r->capacity;
}

static inline void row_fetch(const float *row, size_t words)
{
    for (size_t i = 0; i < words; i += 16)
        __builtin_prefetch(row + i);
}

void replay_gather(struct replay *r, struct batch *b)
{
    const struct row_shape *s = &r->shape;
    assert(b->O == s->obs && b->W == s->action);
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < b->B; i++) {
        const float *row = r->rows + (size_t)b->index[i] * s->words;
        // rows lie anywhere in memory: the ones to come are on their way meanwhile
        if (i + AHEAD < b->B)
            row_fetch(r->rows + (size_t)b->index[i + AHEAD] * s->words, s->words);
        memcpy(b->obs + i * s->obs, row, s->obs * sizeof(float));
        memcpy(b->action + i * s->action, row + s->obs, s->action * sizeof(float));
        memcpy(b->next_obs + i * s->obs, row + s->next_obs, s->obs * sizeof(float));
        b->reward[i] = row[s->reward];
        b->discount[i] = row[s->discount];
        memcpy(&b->version[i], &row[s->version], sizeof(uint32_t));
    }
    pthread_mutex_unlock(&r->lock);
}
