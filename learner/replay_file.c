// MAP_ANONYMOUS is not in POSIX
#define _DEFAULT_SOURCE

#include "learner/replay_file.h"

#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define REPLAY_PAGE 4096
#define REPLAY_MAGIC "crossfleet replay"
#define REPLAY_FORMAT 3

static size_t row_bytes(const struct replay *r)
{
    return r->shape.words * sizeof(float);
}

// everything before the ring, in whole pages
static size_t head_bytes(const struct replay *r)
{
    size_t bytes = sizeof(struct replay_header) + r->slots * sizeof(struct replay_slot) +
                   r->undo * row_bytes(r);
    return (bytes + REPLAY_PAGE - 1) / REPLAY_PAGE * REPLAY_PAGE;
}

// ------ does it fit

static int memory_check(const struct replay *r, struct error *err)
{
    uint64_t total = memory_total();
    if (r->bytes <= total)
        return 0;
    return error_set(err, ERR_MEMORY,
                     "agent.memory.max_size: a replay of %llu rows of %zu bytes needs %zu MB, this "
                     "machine or container has %llu MB",
                     (unsigned long long)r->capacity, row_bytes(r), r->bytes >> 20,
                     (unsigned long long)(total >> 20));
}

static int disk_full(const struct replay *r, const char *path, uint64_t available,
                     struct error *err)
{
    return error_set(err, ERR_SYSTEM,
                     "%s: agent.memory.max_size: a replay of %llu rows of %zu bytes needs %zu MB, "
                     "the disk has %llu MB left",
                     path, (unsigned long long)r->capacity, row_bytes(r), r->bytes >> 20,
                     (unsigned long long)(available >> 20));
}

// Reserves the file's blocks, so that a full disk is an error here and not a SIGBUS later.
static int blocks_reserve(const struct replay *r, const char *path, int fd, bool old,
                          struct error *err)
{
    struct statvfs disk;
    uint64_t       left = UINT64_MAX;
    if (fstatvfs(fd, &disk) == 0)
        left = (uint64_t)disk.f_bavail * disk.f_frsize;
    // asked before the disk is filled up for nothing; what an old file has is its own already
    if (!old && left < r->bytes)
        return disk_full(r, path, left, err);
    int rc = posix_fallocate(fd, 0, (off_t)r->bytes);
    if (rc == ENOSPC)
        return disk_full(r, path, left, err);
    return rc == 0
               ? 0
               : error_set(err, ERR_SYSTEM, "%s: no %zu bytes: %s", path, r->bytes, strerror(rc));
}

// ------ header

static void header_write(const struct replay *r, struct replay_header *h)
{
    memset(h, 0, sizeof *h);
    memcpy(h->magic, REPLAY_MAGIC, sizeof REPLAY_MAGIC);
    h->obs = (uint32_t)r->shape.obs;
    h->action = (uint32_t)r->shape.action;
    h->words = (uint32_t)r->shape.words;
    h->capacity = r->capacity;
    h->slots = (uint32_t)r->slots;
    h->undo = r->undo;
    h->writing_at = REPLAY_NOT_WRITING;
    h->format = REPLAY_FORMAT;
}

// takes over the sizes of an old file that may differ from what is asked for
static int header_adopt(struct replay *r, const char *path, int fd, off_t size, struct error *err)
{
    struct replay_header h;
    if (pread(fd, &h, sizeof h, 0) != (ssize_t)sizeof h ||
        memcmp(h.magic, REPLAY_MAGIC, sizeof REPLAY_MAGIC) != 0 || h.format != REPLAY_FORMAT)
        return error_set(err, ERR_FORMAT, "%s: not a replay of this version", path);
    if (h.obs != r->shape.obs || h.action != r->shape.action || h.words != r->shape.words)
        return error_set(err, ERR_FORMAT, "%s: not a replay of this spec's shape", path);
    if (h.slots < r->slots || h.undo < r->undo)
        return error_set(err, ERR_FORMAT,
                         "%s: was made for %u actors, and for %llu rows that can be taken back: "
                         "cluster.max_actors, block_rows and, in lock-step, "
                         "lockstep_checkpoint_steps and env.max_frame may not grow that far",
                         path, h.slots, (unsigned long long)h.undo);
    r->slots = h.slots;
    r->undo = (size_t)h.undo;
    // a ring that has begun to overwrite its oldest rows keeps its size
    bool grows = r->capacity > h.capacity && h.inserted <= h.capacity;
    r->bytes = head_bytes(r) + (size_t)(grows ? r->capacity : h.capacity) * row_bytes(r);
    r->capacity = h.capacity;
    size_t least = head_bytes(r) + (size_t)h.capacity * row_bytes(r);
    if ((uint64_t)size < least)
        return error_set(err, ERR_FORMAT, "%s: %lld bytes, its header says %zu", path,
                         (long long)size, least);
    return 0;
}

// ------ file

// opens or makes the file with its full size; *old says that it was there
static int file_open(struct replay *r, const char *path, bool resume, bool *old, struct error *err)
{
    int flags = O_RDWR | O_CREAT | O_CLOEXEC | (resume ? 0 : O_TRUNC);
    int fd = open(path, flags, 0644);
    if (fd < 0)
        return error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
    struct stat st = {0};
    int         rc = 0;
    if (fstat(fd, &st) < 0)
        rc = error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
    *old = st.st_size > 0;
    if (rc == 0 && *old)
        rc = header_adopt(r, path, fd, st.st_size, err);
    if (rc == 0)
        rc = blocks_reserve(r, path, fd, *old, err);
    if (rc == 0)
        return fd;
    close(fd);
    if (!*old)
        unlink(path);
    return rc;
}

// what the file's last learner began and did not finish
static void interrupted_undo(struct replay *r)
{
    struct replay_header *h = r->header;
    if (atomic_load(&h->writing_at) == r->inserted)
        replay_file_undo(r, r->inserted, r->inserted + h->writing_n);
    atomic_store(&h->writing_at, REPLAY_NOT_WRITING);
    for (size_t i = 0; i < r->slots; i++) {
        struct replay_slot *s = &r->slot[i];
        if (s->at <= r->inserted)
            continue;
        // other actors' rows would make this mark count one day
        s->after = s->before;
        atomic_signal_fence(memory_order_seq_cst);
        s->at = 0;
    }
}

int replay_file_open(struct replay *r, const char *path, bool resume, struct error *err)
{
    if (r->capacity > (SIZE_MAX - head_bytes(r)) / 2 / row_bytes(r))
        return error_set(err, ERR_MEMORY, "a replay of %llu rows of %zu bytes is too large",
                         (unsigned long long)r->capacity, row_bytes(r));
    r->bytes = head_bytes(r) + (size_t)r->capacity * row_bytes(r);
    int  fd = -1;
    bool old = false;
    if (memory_check(r, err) < 0)
        return err != NULL ? err->code : ERR_MEMORY;
    if (path != NULL && (fd = file_open(r, path, resume, &old, err)) < 0)
        return fd;
    int   flags = path != NULL ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *map = mmap(NULL, r->bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    int   code = errno;
    if (fd >= 0)
        close(fd);
    if (map == MAP_FAILED)
        return error_set(err, ERR_MEMORY, "no memory for %llu rows of %zu bytes (%zu in all): %s",
                         (unsigned long long)r->capacity, row_bytes(r), r->bytes, strerror(code));
    r->header = map;
    r->slot = (struct replay_slot *)(r->header + 1);
    r->kept = (float *)(r->slot + r->slots);
    r->rows = (float *)((char *)map + head_bytes(r));
    if (!old)
        header_write(r, r->header);
    r->inserted = atomic_load(&r->header->inserted);
    if (old)
        interrupted_undo(r);
    // with the old size taken back, the ring has the new one
    r->capacity = (r->bytes - head_bytes(r)) / row_bytes(r);
    r->header->capacity = r->capacity;
    return 0;
}

void replay_file_close(struct replay *r)
{
    if (r->header != NULL)
        munmap(r->header, r->bytes);
}

int replay_file_sync(struct replay *r, struct error *err)
{
    if (msync(r->header, r->bytes, MS_SYNC) == 0)
        return 0;
    return error_set(err, ERR_SYSTEM, "the replay memory cannot be written to its file: %s",
                     strerror(errno));
}

// ------ undo

void replay_file_keep(struct replay *r, uint64_t from, uint64_t n)
{
    size_t words = r->shape.words;
    for (uint64_t i = from < r->capacity ? r->capacity : from; i < from + n; i++)
        memcpy(r->kept + (size_t)(i % r->undo) * words, r->rows + (size_t)(i % r->capacity) * words,
               row_bytes(r));
}

void replay_file_undo(struct replay *r, uint64_t from, uint64_t to)
{
    size_t words = r->shape.words;
    // backwards: what a row of the range itself has overwritten is put back last
    for (uint64_t i = to; i > from && i > r->capacity; i--)
        memcpy(r->rows + (size_t)((i - 1) % r->capacity) * words,
               r->kept + (size_t)((i - 1) % r->undo) * words, row_bytes(r));
}
