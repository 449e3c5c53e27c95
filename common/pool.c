#include "common/pool.h"

#include "common/vec.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

// about 100 us: longer than the gaps inside an update and the draw of its batch
#define SPINS 5000

struct pool_worker {
    struct pool *pool;
    size_t       rank;  // 1 ... threads - 1; the caller is 0
    pthread_t    thread;
};

struct pool {
    _Alignas(64) atomic_size_t round;  // grows by one a job
    size_t              threads;
    struct pool_worker *workers;  // (threads - 1)
    size_t              started;
    // the job, written before `round` grows
    const char *name;
    pool_fn    *fn;
    void       *job;
    size_t      parts;
    _Alignas(64) atomic_size_t running;  // workers not done with this round
    struct profile *profile;
    size_t          sleepers;  // workers in wake, under lock
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

// the parts of thread `rank` of `threads`
static void run_share(struct pool *p, size_t rank, size_t threads)
{
    size_t               begin = rank * p->parts / threads, end = (rank + 1) * p->parts / threads;
    struct profile_lane *lane = p->profile == NULL ? NULL : &p->profile->lane[rank];
    for (size_t i = begin; i < end; i++) {
        double start = profile_start(lane);
        p->fn(p->job, i);
        profile_add(lane, p->name, start);
    }
}

// waits until a round other than `seen` begins
static size_t next_round(struct pool *p, size_t seen)
{
    for (int i = 0; i < SPINS; i++) {
        size_t round = atomic_load_explicit(&p->round, memory_order_acquire);
        if (round != seen)
            return round;
        relax();
    }
    pthread_mutex_lock(&p->lock);
    p->sleepers++;
    while (atomic_load(&p->round) == seen)
        pthread_cond_wait(&p->wake, &p->lock);
    p->sleepers--;
    pthread_mutex_unlock(&p->lock);
    return atomic_load(&p->round);
}

static void *worker_main(void *arg)
{
    struct pool_worker *w = arg;
    struct pool        *p = w->pool;
    vec_denormals_flush();
    for (size_t seen = 0;;) {
        seen = next_round(p, seen);
        if (atomic_load(&p->stop))
            return NULL;
        run_share(p, w->rank, p->threads);
        if (atomic_fetch_sub(&p->running, 1) == 1) {
            pthread_mutex_lock(&p->lock);
            if (p->caller_sleeps)
                pthread_cond_signal(&p->done);
            pthread_mutex_unlock(&p->lock);
        }
    }
}

static void begin_round(struct pool *p)
{
    atomic_store(&p->running, p->threads - 1);
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->round, 1);
    if (p->sleepers > 0)
        pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
}

static void wait_round(struct pool *p)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(&p->running, memory_order_acquire) == 0)
            return;
        relax();
    }
    pthread_mutex_lock(&p->lock);
    p->caller_sleeps = true;
    while (atomic_load(&p->running) != 0)
        pthread_cond_wait(&p->done, &p->lock);
    p->caller_sleeps = false;
    pthread_mutex_unlock(&p->lock);
}

struct pool *pool_make(size_t threads, struct error *err)
{
    struct pool *p = aligned_alloc(64, (sizeof *p + 63) / 64 * 64);
    if (p == NULL) {
        error_set(err, ERR_MEMORY, "no memory for a pool of %zu threads", threads);
        return NULL;
    }
    *p = (struct pool){.threads = threads};
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    pthread_cond_init(&p->done, NULL);
    p->workers = calloc(threads, sizeof *p->workers);
    if (p->workers == NULL) {
        error_set(err, ERR_MEMORY, "no memory for a pool of %zu threads", threads);
        pool_free(p);
        return NULL;
    }
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

void pool_free(struct pool *p)
{
    if (p == NULL)
        return;
    atomic_store(&p->stop, true);
    begin_round(p);
    for (size_t i = 0; i < p->started; i++)
        pthread_join(p->workers[i].thread, NULL);
    pthread_cond_destroy(&p->done);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
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

// threads that share a round
static size_t team(const struct pool *p, size_t parts)
{
    return parts == 1 ? 1 : p->threads;
}

struct profile_lane *pool_lane(const struct pool *p, size_t part, size_t parts)
{
    if (p->profile == NULL)
        return NULL;
    size_t rank = 0;
    while ((rank + 1) * parts / team(p, parts) <= part)
        rank++;
    return &p->profile->lane[rank];
}

void pool_run(struct pool *p, const char *name, size_t parts, pool_fn *fn, void *job)
{
    p->name = name;
    p->fn = fn;
    p->job = job;
    p->parts = parts;
    if (team(p, parts) == 1) {
        run_share(p, 0, 1);
        return;
    }
    begin_round(p);
    run_share(p, 0, p->threads);
    wait_round(p);
}
