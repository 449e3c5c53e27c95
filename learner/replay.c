// MAP_ANONYMOUS is not in POSIX
#define _DEFAULT_SOURCE

#include "learner/replay.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define REPLAY_PAGE 4096
#define REPLAY_MAGIC "crossfleet replay"

struct replay_header {
    char             magic[24];
    uint32_t         format;  // 2
    uint32_t         obs, action, words, slots;
    uint64_t         capacity;
    _Atomic uint64_t inserted;  // moves after the rows it counts
};

// the later mark counts once the rows that came with it count
struct replay_slot {
    struct replay_mark before, after;
    uint64_t           at;  // header->inserted from which `after` holds
};

static size_t row_bytes(const struct replay *r)
{
    return r->shape.words * sizeof(float);
}

// header and marks, in whole pages
static size_t head_bytes(const struct replay *r)
{
    size_t bytes = sizeof(struct replay_header) + r->slots * sizeof(struct replay_slot);
    return (bytes + REPLAY_PAGE - 1) / REPLAY_PAGE * REPLAY_PAGE;
}

static bool header_fits(const struct replay *r, const struct replay_header *h)
{
    return memcmp(h->magic, REPLAY_MAGIC, sizeof REPLAY_MAGIC) == 0 && h->format == 2 &&
           h->obs == r->shape.obs && h->action == r->shape.action && h->words == r->shape.words &&
           h->capacity == r->capacity && h->slots == r->slots;
}

static void header_write(const struct replay *r, struct replay_header *h)
{
    memset(h, 0, sizeof *h);
    memcpy(h->magic, REPLAY_MAGIC, sizeof REPLAY_MAGIC);
    h->format = 2;
    h->obs = (uint32_t)r->shape.obs;
    h->action = (uint32_t)r->shape.action;
    h->words = (uint32_t)r->shape.words;
    h->capacity = r->capacity;
    h->slots = (uint32_t)r->slots;
}

// opens or makes the file with its full size; *old says that it was there with that size
static int file_open(const struct replay *r, const char *path, bool resume, bool *old,
                     struct error *err)
{
    int flags = O_RDWR | O_CREAT | O_CLOEXEC | (resume ? 0 : O_TRUNC);
    int fd = open(path, flags, 0644);
    if (fd < 0)
        return error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
    struct stat st;
    if (fstat(fd, &st) < 0) {
        error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
        close(fd);
        return ERR_SYSTEM;
    }
    *old = st.st_size > 0;
    if (*old && (size_t)st.st_size != r->bytes) {
        close(fd);
        return error_set(err, ERR_FORMAT, "%s: %lld bytes, this spec's replay has %zu", path,
                         (long long)st.st_size, r->bytes);
    }
    // blocks are reserved now, so that a full disk is an error here and not a SIGBUS later
    int rc = *old ? 0 : posix_fallocate(fd, 0, (off_t)r->bytes);
    if (rc != 0) {
        close(fd);
        unlink(path);
        return error_set(err, ERR_SYSTEM, "%s: %zu bytes for %llu rows: %s", path, r->bytes,
                         (unsigned long long)r->capacity, strerror(rc));
    }
    return fd;
}

// the mark that holds now; call with the lock held
static struct replay_mark slot_mark(const struct replay *r, const struct replay_slot *s)
{
    return s->at <= r->inserted ? s->after : s->before;
}

// a mark whose rows a killed process did not count must not begin to hold when other rows come
static void slots_settle(struct replay *r)
{
    for (size_t i = 0; i < r->slots; i++) {
        struct replay_slot *s = &r->slot[i];
        s->after = s->before = slot_mark(r, s);
        atomic_signal_fence(memory_order_seq_cst);
        s->at = r->inserted;
    }
}

int replay_init(struct replay *r, struct row_shape shape, uint64_t capacity, size_t slots,
                const char *path, bool resume, struct error *err)
{
    assert(capacity >= 1);
    *r = (struct replay){.shape = shape, .capacity = capacity, .slots = slots};
    if (capacity > (SIZE_MAX - head_bytes(r)) / 2 / row_bytes(r))
        return error_set(err, ERR_MEMORY, "a replay of %llu rows of %zu bytes is too large",
                         (unsigned long long)capacity, row_bytes(r));
    r->bytes = head_bytes(r) + (size_t)capacity * row_bytes(r);

    int  fd = -1;
    bool old = false;
    if (path != NULL && (fd = file_open(r, path, resume, &old, err)) < 0)
        return fd;
    int   flags = path != NULL ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *map = mmap(NULL, r->bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    int   code = errno;
    if (fd >= 0)
        close(fd);
    if (map == MAP_FAILED)
        return error_set(err, ERR_MEMORY, "no memory for %llu rows of %zu bytes (%zu in all): %s",
                         (unsigned long long)capacity, row_bytes(r), r->bytes, strerror(code));
    r->header = map;
    r->slot = (struct replay_slot *)(r->header + 1);
    r->rows = (float *)((char *)map + head_bytes(r));
    if (old && !header_fits(r, r->header)) {
        replay_free(r);
        return error_set(err, ERR_FORMAT, "%s: not a replay of this spec's shape", path);
    }
    if (!old)
        header_write(r, r->header);
    r->inserted = atomic_load(&r->header->inserted);
    slots_settle(r);
    pthread_mutex_init(&r->lock, NULL);
    r->open = true;
    return 0;
}

void replay_free(struct replay *r)
{
    if (r->open)
        pthread_mutex_destroy(&r->lock);
    if (r->header != NULL)
        munmap(r->header, r->bytes);
    *r = (struct replay){0};
}

// a mark that will hold once n more rows count; call with the lock held
static void slot_set(struct replay *r, struct replay_slot *s, size_t n, struct replay_mark mark)
{
    s->before = slot_mark(r, s);
    // a process may be killed between any two stores, so they stay in this order
    atomic_signal_fence(memory_order_seq_cst);
    s->at = r->inserted + n;
    atomic_signal_fence(memory_order_seq_cst);
    s->after = mark;
}

void replay_claim(struct replay *r, size_t slot, uint64_t incarnation)
{
    assert(slot < r->slots);
    pthread_mutex_lock(&r->lock);
    slot_set(r, &r->slot[slot], 0, (struct replay_mark){incarnation, 0});
    pthread_mutex_unlock(&r->lock);
}

void replay_insert(struct replay *r, const void *rows, size_t n, size_t slot,
                   struct replay_mark mark)
{
    assert(n <= r->capacity && slot < r->slots);
    const char *from = rows;
    size_t      bytes = row_bytes(r);
    pthread_mutex_lock(&r->lock);
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
    bool ahead = inserted > r->inserted;
    if (!ahead) {
        r->inserted = inserted;
        atomic_store(&r->header->inserted, inserted);
        memset(r->slot, 0, r->slots * sizeof *r->slot);
    }
    pthread_mutex_unlock(&r->lock);
    if (ahead)
        return error_set(err, ERR_FORMAT, "the checkpoint counts %llu rows, the replay holds fewer",
                         (unsigned long long)inserted);
    return 0;
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

void replay_gather(struct replay *r, struct batch *b)
{
    const struct row_shape *s = &r->shape;
    assert(b->O == s->obs && b->W == s->action);
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < b->B; i++) {
        const float *row = r->rows + (size_t)b->index[i] * s->words;
        memcpy(b->obs + i * s->obs, row, s->obs * sizeof(float));
        memcpy(b->action + i * s->action, row + s->obs, s->action * sizeof(float));
        memcpy(b->next_obs + i * s->obs, row + s->next_obs, s->obs * sizeof(float));
        b->reward[i] = row[s->reward];
        b->discount[i] = row[s->discount];
        memcpy(&b->version[i], &row[s->version], sizeof(uint32_t));
    }
    pthread_mutex_unlock(&r->lock);
}
