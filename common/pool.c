#include "common/pool.h"

#include "common/clock.h"
#include "common/vec.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

// Turns of a waiting loop before it sleeps. The most is about 100 us, longer than the gaps inside an
// update and the draw of its batch; the fewest remain where waits are long.
#define SPINS_MOST 5000
#define SPINS_LEAST 100
// A thread that the system has put aside is away for longer; parts differ by less.
#define SHORT_WAIT_S 1e-3

// Parts of the running round that a thread has not begun, open to all: round, next part, end.
struct share {
    _Alignas(64) _Atomic uint64_t ticket;
};

static inline uint64_t ticket_make(uint32_t round, size_t next, size_t end)
{
    return (uint64_t)round << 32 | (uint64_t)next << 16 | end;
}

struct pool_worker {
    struct pool *pool;
    size_t       rank;  // 1 ... threads - 1; the caller is 0
    pthread_t    thread;
};

struct pool {
    _Alignas(64) _Atomic uint32_t round;  // grows by one a job
    size_t              threads;
    struct pool_worker *workers;  // (threads - 1)
    size_t              started;
    struct share       *shares;  // (threads)
    // the job, written before the shares are open
    const char *name;
    pool_fn    *fn;
    void       *job;
    size_t      parts;
    _Alignas(64) atomic_size_t left;  // parts of this round that are not done
    struct profile *profile;
    size_t          spins;               // the caller's patience
    uint8_t         runner[POOL_PARTS];  // rank that runs a part, with a profile
    size_t          sleepers;            // workers in wake, under lock
    pthread_mutex_t lock;
    pthread_cond_t  wake, done;
    bool            caller_sleeps;  // under lock
    atomic_bool     stop;
};

static inline void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// Long waits make the next ones less patient, short ones more: where others want the processor,
// spinning only takes it from the thread that is waited for.
static size_t spins_after(size_t spins, bool brief)
{
    if (!brief)
        return spins / 2 > SPINS_LEAST ? spins / 2 : SPINS_LEAST;
    return spins * 4 < SPINS_MOST ? spins * 4 : SPINS_MOST;
}

// ------ parts

static void run_part(struct pool *p, size_t rank, size_t part)
{
    struct profile_lane *lane = p->profile == NULL ? NULL : &p->profile->lane[rank];
    double               start = profile_start(lane);
    if (lane != NULL)
        p->runner[part] = (uint8_t)rank;
    p->fn(p->job, part);
    profile_add(lane, p->name, start);
}

// takes the next part of a share, while that is of this round
static bool share_take(struct share *s, uint32_t round, size_t *part)
{
    uint64_t t = atomic_load_explicit(&s->ticket, memory_order_acquire);
    for (;;) {
        size_t next = t >> 16 & 0xffff, end = t & 0xffff;
        if (t >> 32 != round || next == end)
            return false;
        *part = next;
        if (atomic_compare_exchange_weak(&s->ticket, &t, t + (1 << 16)))
            return true;
    }
}

// Runs the thread's own parts, then those that other threads have not come to: a round does not wait
// for a thread that the system lets wait.
static void run_parts(struct pool *p, size_t rank, uint32_t round)
{
    size_t part;
    for (size_t i = 0; i < p->threads; i++)
        while (share_take(&p->shares[(rank + i) % p->threads], round, &part)) {
            run_part(p, rank, part);
            if (atomic_fetch_sub(&p->left, 1) > 1 || rank == 0)
                continue;
            pthread_mutex_lock(&p->lock);
            if (p->caller_sleeps)
                pthread_cond_signal(&p->done);
            pthread_mutex_unlock(&p->lock);
        }
}

// ------ rounds

// waits until a round other than `seen` begins
static uint32_t next_round(struct pool *p, uint32_t seen, size_t *spins)
{
    for (size_t i = 0; i < *spins; i++) {
        uint32_t round = atomic_load_explicit(&p->round, memory_order_acquire);
        if (round != seen) {
            *spins = spins_after(*spins, true);
            return round;
        }
        relax();
    }
    double start = clock_now();
    pthread_mutex_lock(&p->lock);
    p->sleepers++;
    while (atomic_load(&p->round) == seen)
        pthread_cond_wait(&p->wake, &p->lock);
    p->sleepers--;
    pthread_mutex_unlock(&p->lock);
    *spins = spins_after(*spins, clock_now() - start < SHORT_WAIT_S);
    return atomic_load(&p->round);
}

static void *worker_main(void *arg)
{
    struct pool_worker *w = arg;
    struct pool        *p = w->pool;
    size_t              spins = SPINS_MOST;
    vec_denormals_flush();
    for (uint32_t seen = 0;;) {
        seen = next_round(p, seen, &spins);
        if (atomic_load(&p->stop))
            return NULL;
        run_parts(p, w->rank, seen);
    }
}

static uint32_t begin_round(struct pool *p)
{
    uint32_t round = atomic_load(&p->round) + 1;
    atomic_store(&p->left, p->parts);
    for (size_t i = 0; i < p->threads; i++) {
        size_t begin = i * p->parts / p->threads, end = (i + 1) * p->parts / p->threads;
        atomic_store_explicit(&p->shares[i].ticket, ticket_make(round, begin, end),
                              memory_order_release);
    }
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->round, round);
    if (p->sleepers > 0)
        pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    return round;
}

static void wait_round(struct pool *p)
{
    for (size_t i = 0; i < p->spins; i++) {
        if (atomic_load_explicit(&p->left, memory_order_acquire) == 0) {
            p->spins = spins_after(p->spins, true);
            return;
        }
        relax();
    }
    double start = clock_now();
    pthread_mutex_lock(&p->lock);
    p->caller_sleeps = true;
    while (atomic_load(&p->left) != 0)
        pthread_cond_wait(&p->done, &p->lock);
    p->caller_sleeps = false;
    pthread_mutex_unlock(&p->lock);
    p->spins = spins_after(p->spins, clock_now() - start < SHORT_WAIT_S);
}

// ------ the pool

struct pool *pool_make(size_t threads, struct error *err)
{
    struct pool *p = aligned_alloc(64, (sizeof *p + 63) / 64 * 64);
    assert(threads >= 1 && threads <= POOL_THREADS);
    if (p == NULL) {
        error_set(err, ERR_MEMORY, "no memory for a pool of %zu threads", threads);
        return NULL;
    }
    *p = (struct pool){.threads = threads, .spins = SPINS_MOST};
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    pthread_cond_init(&p->done, NULL);
    p->workers = calloc(threads, sizeof *p->workers);
    p->shares = aligned_alloc(64, threads * sizeof *p->shares);
    if (p->workers == NULL || p->shares == NULL) {
        error_set(err, ERR_MEMORY, "no memory for a pool of %zu threads", threads);
        pool_free(p);
        return NULL;
    }
    for (size_t i = 0; i < threads; i++)
        atomic_init(&p->shares[i].ticket, 0);
    for (size_t i = 0; i + 1 < threads; i++) {
        struct pool_worker *w = &p->workers[i];
        *w = (struct pool_worker){.pool = p, .rank = i + 1};
        if (pthread_create(&w->thread, NULL, worker_main, w) != 0) {
            error_set(err, ERR_SYSTEM, "cannot start thread %zu of %zu", i + 2, threads);
            pool_free(p);
            return NULL;
        }
        p->started++;
    }
    return p;
}

// wakes the workers with `stop` instead of a job
static void stop_workers(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->stop, true);
    atomic_fetch_add(&p->round, 1);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->started; i++)
        pthread_join(p->workers[i].thread, NULL);
}

void pool_free(struct pool *p)
{
    if (p == NULL)
        return;
    stop_workers(p);
    pthread_cond_destroy(&p->done);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p->shares);
    free(p->workers);
    free(p);
}

size_t pool_threads(const struct pool *p)
{
    return p->threads;
}

void pool_set_profile(struct pool *p, struct profile *profile)
{
    assert(profile == NULL || profile->lanes == p->threads);
    p->profile = profile;
}

struct profile_lane *pool_lane(const struct pool *p, size_t part)
{
    return p->profile == NULL ? NULL : &p->profile->lane[p->runner[part]];
}

struct profile_lane *pool_caller_lane(const struct pool *p)
{
    return p->profile == NULL ? NULL : &p->profile->lane[0];
}

void pool_run(struct pool *p, const char *name, size_t parts, pool_fn *fn, void *job)
{
    assert(parts <= POOL_PARTS);
    p->name = name;
    p->fn = fn;
    p->job = job;
    p->parts = parts;
    if (p->threads == 1 || parts == 1) {
        for (size_t i = 0; i < parts; i++)
            run_part(p, 0, i);
        return;
    }
    uint32_t round = begin_round(p);
    run_parts(p, 0, round);
    wait_round(p);
}
