// What a checkpoint costs at the size of a long run: HalfCheetah's rows, critic 512. One JSON line.
//
//   ROWS=1000000  CRITIC=512  THREADS=1  DIR=/tmp (where the run directory would be)
//
// write_s and bytes are of one checkpoint in the background, stall_ms is how long the update loop waits
// for its copy (the longest of all), stall_cpu_ms the same in processor time, which a busy machine does
// not stretch, slowest_update_ms the longest update while one is being written.
// restart_s is from nothing, with the replay's file dropped from the page cache where the kernel allows
// it, to the end of the first update; a learner waits for its first actor besides.
#define _DEFAULT_SOURCE  // mkdtemp, posix_fadvise

#include "common/blas.h"
#include "common/clock.h"
#include "common/log.h"
#include "learner/checkpoint.h"
#include "learner/replay.h"
#include "learner/update.h"
#include "tests/bench/measure.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OBS = 17, ACT = 6, BLOCK = 64, BLOCKS = 512, CHECKPOINTS = 5, CALM = 50 };

struct bench {
    uint64_t            rows, critic, threads;
    char                dir[512], file[600], sets[2][128];
    struct spec         spec;
    struct update      *update;
    struct replay       replay;
    struct batch        batch;
    struct checkpoint   checkpoint;
    struct rng          sample;
    struct update_block blocks[BLOCKS];
    size_t              n_blocks;
};

static void must(int rc, const struct error *err)
{
    if (rc == 0)
        return;
    fprintf(stderr, "bench_checkpoint: %s\n", err->text);
    exit(1);
}

static int sync_rows(void *replay, struct error *err)
{
    return replay_sync(replay, err);
}

// everything that a learner needs before its first update
static void open_all(struct bench *b, bool resume, struct error *err)
{
    must(replay_init(&b->replay, row_shape_make(OBS, ACT), b->rows, 1024, BLOCK, b->file, resume,
                     err),
         err);
    b->update = update_make(&b->spec, OBS, ACT, false, b->threads, 1, err);
    must(b->update == NULL ? -1 : 0, err);
    must(batch_init(&b->batch, (size_t)b->spec.memory.batch_size, OBS, ACT, ACT, err), err);
    must(checkpoint_open(&b->checkpoint, b->dir, sync_rows, &b->replay, err), err);
    b->n_blocks = update_blocks(b->update, b->blocks, BLOCKS);
    for (size_t i = 0; i < b->batch.B; i++)
        b->batch.weight[i] = 1;
}

static void close_all(struct bench *b)
{
    checkpoint_close(&b->checkpoint);
    update_free(b->update);
    batch_free(&b->batch);
    replay_free(&b->replay);
}

static void fill(struct bench *b)
{
    float            rows[BLOCK * (2 * OBS + ACT + 4)] = {0};
    struct row_shape s = b->replay.shape;
    for (uint64_t i = 0; i < b->rows; i += BLOCK) {
        for (size_t k = 0; k < BLOCK; k++) {
            rng_normal_fill(&b->sample, rows + k * s.words, s.flags);
            for (size_t a = 0; a < ACT; a++)
                rows[k * s.words + OBS + a] = (float)rng_range(&b->sample, -1, 1);
            rows[k * s.words + s.discount] = 0.99f;
        }
        size_t n = b->rows - i < BLOCK ? (size_t)(b->rows - i) : BLOCK;
        replay_insert(&b->replay, rows, n, 0, &(struct replay_mark){1, i + n, "a"});
    }
}

// one update with the row that came for it; seconds
static double step(struct bench *b)
{
    struct update_result result;
    float                row[2 * OBS + ACT + 4] = {0};
    double               start = clock_now();
    row[b->replay.shape.discount] = 0.99f;
    replay_insert(&b->replay, row, 1, 0, &(struct replay_mark){1, b->replay.inserted + 1, "a"});
    replay_draw(&b->replay, &b->batch, false, &b->sample);
    replay_gather(&b->replay, &b->batch);
    update_step(b->update, &b->batch, &result);
    return clock_now() - start;
}

// the update's blocks as a checkpoint; seconds that the loop waits for it
static double save(struct bench *b, struct error *err)
{
    struct safetensors_tensor tensor[BLOCKS];
    double                    start = clock_now();
    for (size_t i = 0; i < b->n_blocks; i++) {
        const struct update_block *block = &b->blocks[i];
        size_t n = (block->rows > 0 ? block->rows : 1) * (block->cols > 0 ? block->cols : 1);
        enum safetensors_dtype dtype = block->integer ? SAFETENSORS_U64 : SAFETENSORS_F32;
        tensor[i] = (struct safetensors_tensor){
            .name = block->name,
            .dtype = dtype,
            .rank = 1,
            .shape = {n},
            .n = n,
            .size = n * safetensors_dtype_size(dtype),
            .data = block->data,
        };
    }
    must(checkpoint_write(&b->checkpoint, update_count(b->update), tensor, b->n_blocks, NULL, 0,
                          err),
         err);
    return clock_now() - start;
}

static bool busy(struct bench *b)
{
    pthread_mutex_lock(&b->checkpoint.lock);
    bool now = b->checkpoint.busy;
    pthread_mutex_unlock(&b->checkpoint.lock);
    return now;
}

static double restart(struct bench *b, struct error *err)
{
    struct safetensors st = {0};
    uint64_t           number;
    int                fd = open(b->file, O_RDONLY);
    if (fd >= 0) {
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        close(fd);
    }
    double start = clock_now();
    must(checkpoint_load(b->dir, &st, &number, err), err);
    open_all(b, true, err);
    for (size_t i = 0; i < b->n_blocks; i++) {
        const struct update_block *block = &b->blocks[i];
        size_t n = (block->rows > 0 ? block->rows : 1) * (block->cols > 0 ? block->cols : 1);
        must(safetensors_get(&st, block->name, block->integer ? SAFETENSORS_U64 : SAFETENSORS_F32,
                             block->data, n, err),
             err);
    }
    safetensors_free(&st);
    step(b);
    return clock_now() - start;
}

static void spec_make(struct bench *b, struct error *err)
{
    const char *sets[2] = {b->sets[0], b->sets[1]};
    for (int i = 0; i < 2; i++)
        snprintf(b->sets[i], sizeof b->sets[i],
                 "agent.critic_net.arc.modules.body.Sequential.%d.LazyLinear.out_features=%llu",
                 i == 0 ? 1 : 4, (unsigned long long)b->critic);
    const struct spec_options options = {sets, 2, NULL, 0};
    must(spec_load(&b->spec, "configs/paper/halfcheetah.yaml", &options, NULL, err), err);
}

int main(void)
{
    static struct bench b;
    static struct error err;
    const char         *dir = getenv("DIR");
    blas_init();
    log_open("bench", LOG_ERROR, false);
    b.rows = (uint64_t)bench_number("ROWS", 1000000);
    b.critic = (uint64_t)bench_number("CRITIC", 512);
    b.threads = (uint64_t)bench_number("THREADS", 1);
    snprintf(b.dir, sizeof b.dir, "%s/crossfleet-bench-XXXXXX", dir != NULL ? dir : "/tmp");
    if (mkdtemp(b.dir) == NULL)
        must(error_set(&err, ERR_SYSTEM, "%s: cannot be made", b.dir), &err);
    snprintf(b.file, sizeof b.file, "%s/replay.bin", b.dir);
    spec_make(&b, &err);
    rng_init(&b.sample, 1, RNG_SAMPLE, 0);
    open_all(&b, false, &err);
    fill(&b);
    double start = clock_now(), sync_s, calm = 0, slowest_calm = 0, stall = 0, slowest = 0;
    must(replay_sync(&b.replay, &err), &err);
    sync_s = clock_now() - start;
    for (int i = 0; i < CALM; i++) {
        double s = step(&b);
        calm += s / CALM;
        slowest_calm = s > slowest_calm ? s : slowest_calm;
    }
    double write_s = 0, stall_cpu = 0;
    for (int i = 0; i < CHECKPOINTS; i++) {
        double cpu = clock_thread(), s = save(&b, &err);
        cpu = clock_thread() - cpu;
        stall_cpu = cpu > stall_cpu ? cpu : stall_cpu;
        stall = s > stall ? s : stall;
        while (busy(&b)) {
            s = step(&b);
            slowest = s > slowest ? s : slowest;
        }
        must(checkpoint_wait(&b.checkpoint, &err), &err);
        write_s += b.checkpoint.seconds / CHECKPOINTS;
    }
    double bytes = (double)b.checkpoint.bytes, rows_bytes = (double)b.replay.bytes;
    close_all(&b);
    double restart_s = restart(&b, &err);
    close_all(&b);
    printf("{\"bench\":\"checkpoint\",\"rows\":%llu,\"obs\":%d,\"act\":%d,\"critic\":%llu,"
           "\"threads\":%llu,\"replay_bytes\":%.0f,\"first_sync_s\":%.2f,\"bytes\":%.0f,"
           "\"write_s\":%.3f,\"stall_ms\":%.2f,\"stall_cpu_ms\":%.2f,\"update_ms\":%.2f,\"slowest_"
           "update_ms\":%.2f,"
           "\"slowest_update_calm_ms\":%.2f,\"restart_s\":%.2f}\n",
           (unsigned long long)b.rows, OBS, ACT, (unsigned long long)b.critic,
           (unsigned long long)b.threads, rows_bytes, sync_s, bytes, write_s, 1e3 * stall,
           1e3 * stall_cpu, 1e3 * calm, 1e3 * slowest, 1e3 * slowest_calm, restart_s);
    char command[600];
    snprintf(command, sizeof command, "rm -rf '%s'", b.dir);
    return system(command) == 0 ? 0 : 1;
}
