#include "learner/run_dir.h"

#include "common/atomic_file.h"
#include "common/clock.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

// ---------------------------------------------------------------- making

static int run_dir_fail(const char *path, struct error *err)
{
    return error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
}

// mkdir -p; *made says whether the last one is new
static int run_dir_make(const char *path, bool *made, struct error *err)
{
    char part[RUN_DIR_PATH];
    snprintf(part, sizeof part, "%s", path);
    for (char *p = part + 1; *p != '\0'; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(part, 0755) != 0 && errno != EEXIST)
            return run_dir_fail(part, err);
        *p = '/';
    }
    *made = mkdir(path, 0755) == 0;
    return *made || errno == EEXIST ? 0 : run_dir_fail(path, err);
}

// a new directory under runs/, numbered when two start in the same second
static int run_dir_make_new(struct run_dir *d, const char *name, uint64_t seed, struct error *err)
{
    char clean[128], when[32];
    snprintf(clean, sizeof clean, "%s", name);
    for (char *p = clean; *p != '\0'; p++)
        if (!isalnum((unsigned char)*p) && strchr("._-", *p) == NULL)
            *p = '_';
    clock_format(when, sizeof when, clock_wall(), 1);
    for (int i = 1; !d->made && i < 1000; i++) {
        int n = snprintf(d->path, sizeof d->path, "runs/%s-s%llu-%s", clean,
                         (unsigned long long)seed, when);
        if (i > 1)
            snprintf(d->path + n, sizeof d->path - (size_t)n, "-%d", i);
        int code = run_dir_make(d->path, &d->made, err);
        if (code != 0)
            return code;
    }
    return d->made ? 0 : error_set(err, ERR_SYSTEM, "%s: there are too many of these", d->path);
}

// ---------------------------------------------------------------- taking

// counts what is there, but not the draft that a learner leaves that dies at its very start
static int run_dir_look(const char *path, size_t *entries, bool *has_spec, struct error *err)
{
    DIR *dir = opendir(path);
    if (dir == NULL)
        return run_dir_fail(path, err);
    *entries = 0;
    *has_spec = false;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        *entries += e->d_name[0] != '.' && strcmp(e->d_name, "spec.yaml.tmp") != 0;
        *has_spec = *has_spec || strcmp(e->d_name, "spec.yaml") == 0;
    }
    closedir(dir);
    return 0;
}

static int run_dir_lock(struct run_dir *d, struct error *err)
{
    d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->fd < 0) {
        d->fd = 0;
        return run_dir_fail(d->path, err);
    }
    // a file system without locks is no reason to refuse
    if (flock(d->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return error_set(err, ERR_SPEC, "%s: another learner is writing there; stop it first",
                         d->path);
    return 0;
}

static int run_dir_take(struct run_dir *d, const char *path, bool resume, struct error *err)
{
    if ((size_t)snprintf(d->path, sizeof d->path, "%s", path) >= sizeof d->path || path[0] == '\0')
        return error_set(err, ERR_SPEC, "--run: the path is empty or too long");
    for (size_t n = strlen(d->path); n > 1 && d->path[n - 1] == '/'; n--)
        d->path[n - 1] = '\0';
    size_t entries = 0;
    int    code = run_dir_make(d->path, &d->made, err);
    if (code == 0)
        code = run_dir_lock(d, err);
    if (code == 0)
        code = run_dir_look(d->path, &entries, &d->resumed, err);
    if (code != 0)
        return code;
    if (entries > 0 && !d->resumed)
        return error_set(err, ERR_SPEC,
                         "%s: is not empty and holds no run (no spec.yaml); name another directory",
                         d->path);
    if (d->resumed && !resume)
        return error_set(err, ERR_SPEC,
                         "%s: holds a run already; add --resume to go on with it, or name another "
                         "directory",
                         d->path);
    return 0;
}

// ---------------------------------------------------------------- API

static const char *const folders[] = {"tb", "policy", "checkpoint"};

enum { FOLDERS = sizeof folders / sizeof *folders };

int run_dir_open(struct run_dir *d, const char *path, const char *name, uint64_t seed, bool resume,
                 const char *spec_text, struct error *err)
{
    *d = (struct run_dir){.fd = 0};
    int code;
    if (path == NULL) {
        code = run_dir_make_new(d, name, seed, err);
        if (code == 0)
            code = run_dir_lock(d, err);
    } else {
        code = run_dir_take(d, path, resume, err);
    }
    if (code != 0) {
        run_dir_close(d);
        return code;
    }
    code = run_dir_write(d, "spec.yaml", spec_text, strlen(spec_text), err);
    for (size_t i = 0; code == 0 && i < FOLDERS; i++) {
        char folder[RUN_DIR_PATH + 16];
        run_dir_file(folder, sizeof folder, d, folders[i]);
        if (mkdir(folder, 0755) != 0 && errno != EEXIST)
            code = run_dir_fail(folder, err);
    }
    if (code != 0) {
        run_dir_discard(d);
        run_dir_close(d);
    }
    return code;
}

// removes the files in a folder and the folder
static void folder_remove(const char *path)
{
    char file[RUN_DIR_PATH + 512];
    DIR *dir = opendir(path);
    if (dir == NULL)
        return;
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        if ((size_t)snprintf(file, sizeof file, "%s/%s", path, e->d_name) < sizeof file)
            unlink(file);
    closedir(dir);
    rmdir(path);
}

void run_dir_discard(const struct run_dir *d)
{
    static const char *const files[] = {"spec.yaml", "progress.csv", "evaluations.csv"};
    char                     path[RUN_DIR_PATH + 64];
    if (d->fd <= 0 || d->resumed)
        return;
    for (size_t i = 0; i < FOLDERS; i++) {
        run_dir_file(path, sizeof path, d, folders[i]);
        folder_remove(path);
    }
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        run_dir_file(path, sizeof path, d, files[i]);
        unlink(path);
    }
    if (d->made)
        rmdir(d->path);
}

void run_dir_close(struct run_dir *d)
{
    if (d->fd > 0)
        close(d->fd);
    d->fd = 0;
}

void run_dir_file(char *text, size_t size, const struct run_dir *d, const char *file)
{
    snprintf(text, size, "%s/%s", d->path, file);
}

int run_dir_write(const struct run_dir *d, const char *file, const void *data, size_t size,
                  struct error *err)
{
    char               path[RUN_DIR_PATH + 128];
    struct atomic_file out;
    run_dir_file(path, sizeof path, d, file);
    int code = atomic_file_open(&out, path, err);
    if (code != 0)
        return code;
    // a short write is an error of the close
    fwrite(data, 1, size, out.out);
    return atomic_file_close(&out, err);
}
