#include "learner/checkpoint.h"

#include "common/clock.h"
#include "common/crc32c.h"
#include "common/log.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE "state.safetensors"
#define MANIFEST "MANIFEST"

enum { CHECKPOINTS_KEPT = 2, DIGITS = 12, PATH_SIZE = 1200 };

// ------ files

// crc32c and size of a whole file; 0 or ERR_SYSTEM
static int file_sum(const char *path, uint32_t *crc, uint64_t *bytes, struct error *err)
{
    char  buffer[1 << 16];
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
    *crc = 0;
    *bytes = 0;
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, f)) > 0; *bytes += n)
        *crc = crc32c(*crc, buffer, n);
    bool failed = ferror(f);
    fclose(f);
    return failed ? error_set(err, ERR_SYSTEM, "%s: cannot be read", path) : 0;
}

static int folder_sync(const char *path, struct error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);
    int code = errno;
    if (fd >= 0)
        close(fd);
    return rc < 0 ? error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(code)) : 0;
}

static void folder_remove(const char *dir)
{
    const char *const names[] = {STATE, STATE ".tmp", MANIFEST, MANIFEST ".tmp"};
    char              path[PATH_SIZE + 32];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

static int manifest_text(char *text, size_t size, uint32_t crc, uint64_t bytes)
{
    int n = snprintf(text, size, "%08" PRIx32 " %" PRIu64 " " STATE "\n", crc, bytes);
    return n + snprintf(text + n, size - (size_t)n, "%08" PRIx32 " " MANIFEST "\n",
                        crc32c(0, text, (size_t)n));
}

static int manifest_write(const char *dir, uint32_t crc, uint64_t bytes, struct error *err)
{
    char path[PATH_SIZE + 32], text[256];
    snprintf(path, sizeof path, "%s/" MANIFEST, dir);
    int   n = manifest_text(text, sizeof text, crc, bytes);
    FILE *f = fopen(path, "wb");
    if (f == NULL)
        return error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
    bool good =
        fwrite(text, 1, (size_t)n, f) == (size_t)n && fflush(f) == 0 && fsync(fileno(f)) == 0;
    int code = errno;
    if (fclose(f) != 0)
        good = false;
    return good ? 0 : error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(code));
}

// the manifest is exactly what the state's bytes make it
static int manifest_check(const char *dir, struct error *err)
{
    char     path[PATH_SIZE + 32], got[512], want[256];
    uint32_t crc;
    uint64_t bytes;
    snprintf(path, sizeof path, "%s/" STATE, dir);
    if (file_sum(path, &crc, &bytes, err) < 0)
        return err->code;
    snprintf(path, sizeof path, "%s/" MANIFEST, dir);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
    size_t n = fread(got, 1, sizeof got, f);
    fclose(f);
    int m = manifest_text(want, sizeof want, crc, bytes);
    if (n != (size_t)m || memcmp(got, want, n) != 0)
        return error_set(err, ERR_FORMAT, "%s: the files are not what the manifest says", dir);
    return 0;
}

// ------ the folders of one run, newest first

struct folders {
    size_t   n;
    uint64_t number[64];
};

static void folders_list(struct folders *f, const char *dir)
{
    *f = (struct folders){0};
    DIR *d = opendir(dir);
    if (d == NULL)
        return;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (strlen(e->d_name) != DIGITS || strspn(e->d_name, "0123456789") != DIGITS)
            continue;
        uint64_t number = strtoull(e->d_name, NULL, 10);
        size_t   i = f->n < 64 ? f->n++ : 63;
        for (; i > 0 && f->number[i - 1] < number; i--)
            f->number[i] = f->number[i - 1];
        f->number[i] = number;
    }
    closedir(d);
}

static void folder_path(char *path, const char *dir, uint64_t number)
{
    snprintf(path, PATH_SIZE, "%s/%0*" PRIu64, dir, DIGITS, number);
}

static int folder_write(struct checkpoint *c, struct error *err)
{
    char     temp[PATH_SIZE], path[PATH_SIZE + 32], final[PATH_SIZE];
    uint32_t crc;
    snprintf(temp, sizeof temp, "%s/writing", c->dir);
    folder_remove(temp);
    if (mkdir(temp, 0755) < 0)
        return error_set(err, ERR_SYSTEM, "%s: %s", temp, strerror(errno));
    snprintf(path, sizeof path, "%s/" STATE, temp);
    if (safetensors_save(path, c->tensor, c->n, c->string, c->n_strings, err) < 0 ||
        file_sum(path, &crc, &c->bytes, err) < 0 || manifest_write(temp, crc, c->bytes, err) < 0 ||
        folder_sync(temp, err) < 0 || (c->sync != NULL && c->sync(c->sync_context, err) < 0)) {
        folder_remove(temp);
        return err->code;
    }
    folder_path(final, c->dir, c->number);
    folder_remove(final);
    if (rename(temp, final) < 0) {
        error_set(err, ERR_SYSTEM, "%s: %s", final, strerror(errno));
        folder_remove(temp);
        return err->code;
    }
    if (folder_sync(c->dir, err) < 0)
        return err->code;
    struct folders all;
    folders_list(&all, c->dir);
    for (size_t i = CHECKPOINTS_KEPT; i < all.n; i++) {
        folder_path(final, c->dir, all.number[i]);
        folder_remove(final);
    }
    return 0;
}

// ------ the writing thread

static void *writer_run(void *argument)
{
    struct checkpoint *c = argument;
    pthread_mutex_lock(&c->lock);
    for (;;) {
        while (!c->busy && !c->stop)
            pthread_cond_wait(&c->changed, &c->lock);
        if (!c->busy)
            break;
        pthread_mutex_unlock(&c->lock);
        struct error err = {0};
        double       start = clock_now();
        folder_write(c, &err);
        pthread_mutex_lock(&c->lock);
        c->seconds = clock_now() - start;
        c->error = err;
        c->written += err.code == 0;
        c->busy = false;
        pthread_cond_broadcast(&c->changed);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

int checkpoint_open(struct checkpoint *c, const char *dir, checkpoint_sync *sync, void *context,
                    struct error *err)
{
    *c = (struct checkpoint){.sync = sync, .sync_context = context};
    snprintf(c->dir, sizeof c->dir, "%s", dir);
    if (mkdir(dir, 0755) < 0 && errno != EEXIST)
        return error_set(err, ERR_SYSTEM, "%s: %s", dir, strerror(errno));
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    int rc = pthread_create(&c->thread, NULL, writer_run, c);
    if (rc != 0)
        return error_set(err, ERR_SYSTEM, "no thread for checkpoints: %s", strerror(rc));
    c->started = true;
    return 0;
}

void checkpoint_close(struct checkpoint *c)
{
    if (c->started) {
        pthread_mutex_lock(&c->lock);
        c->stop = true;
        pthread_cond_broadcast(&c->changed);
        pthread_mutex_unlock(&c->lock);
        pthread_join(c->thread, NULL);
        pthread_cond_destroy(&c->changed);
        pthread_mutex_destroy(&c->lock);
    }
    free(c->block);
    *c = (struct checkpoint){0};
}

// copies tensors and strings; the writing thread is idle
static int copy_take(struct checkpoint *c, const struct safetensors_tensor *tensor, size_t n,
                     const struct safetensors_string *string, size_t n_strings, struct error *err)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += (tensor[i].size + 63) / 64 * 64;
    if (total > c->block_size) {
        free(c->block);
        c->block = aligned_alloc(64, total);
        c->block_size = c->block != NULL ? total : 0;
        if (c->block == NULL)
            return error_set(err, ERR_MEMORY, "no memory for a checkpoint of %zu bytes", total);
    }
    char *at = c->block;
    for (size_t i = 0; i < n; i++) {
        c->tensor[i] = tensor[i];
        c->tensor[i].data = memcpy(at, tensor[i].data, tensor[i].size);
        at += (tensor[i].size + 63) / 64 * 64;
    }
    for (size_t i = 0; i < n_strings; i++) {
        snprintf(c->text[i][0], CHECKPOINT_STRING, "%s", string[i].key);
        snprintf(c->text[i][1], CHECKPOINT_STRING, "%s", string[i].value);
        c->string[i] = (struct safetensors_string){c->text[i][0], c->text[i][1]};
    }
    c->n = n;
    c->n_strings = n_strings;
    return 0;
}

int checkpoint_write(struct checkpoint *c, uint64_t number, const struct safetensors_tensor *tensor,
                     size_t n, const struct safetensors_string *string, size_t n_strings,
                     struct error *err)
{
    assert(n <= CHECKPOINT_TENSORS && n_strings <= CHECKPOINT_STRINGS);
    pthread_mutex_lock(&c->lock);
    int rc = 0;
    if (c->busy)
        rc = error_set(err, ERR_TIMEOUT, "the checkpoint before is still being written");
    else
        rc = copy_take(c, tensor, n, string, n_strings, err);
    if (rc == 0) {
        c->number = number;
        c->busy = true;
        pthread_cond_broadcast(&c->changed);
    }
    pthread_mutex_unlock(&c->lock);
    return rc;
}

int checkpoint_error(struct checkpoint *c, struct error *err)
{
    pthread_mutex_lock(&c->lock);
    int code = c->error.code;
    if (code != 0)
        *err = c->error;
    c->error.code = 0;
    pthread_mutex_unlock(&c->lock);
    return code;
}

uint64_t checkpoint_written(struct checkpoint *c)
{
    pthread_mutex_lock(&c->lock);
    uint64_t n = c->written;
    pthread_mutex_unlock(&c->lock);
    return n;
}

int checkpoint_wait(struct checkpoint *c, struct error *err)
{
    pthread_mutex_lock(&c->lock);
    while (c->busy)
        pthread_cond_wait(&c->changed, &c->lock);
    pthread_mutex_unlock(&c->lock);
    return checkpoint_error(c, err);
}

// ------ loading

int checkpoint_load(const char *dir, struct safetensors *st, uint64_t *number, struct error *err)
{
    char           path[PATH_SIZE], state[PATH_SIZE + 32];
    struct folders all;
    folders_list(&all, dir);
    if (all.n == 0)
        return error_set(err, ERR_SYSTEM, "%s: no checkpoint", dir);
    for (size_t i = 0; i < all.n; i++) {
        folder_path(path, dir, all.number[i]);
        snprintf(state, sizeof state, "%s/" STATE, path);
        if (manifest_check(path, err) == 0 && safetensors_load(st, state, err) == 0) {
            *number = all.number[i];
            return 0;
        }
        log_warn("checkpoint", "%s; trying the one before it", err->text);
    }
    return error_set(err, ERR_FORMAT, "%s: none of %zu checkpoints is complete", dir, all.n);
}
