#include "common/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int atomic_file_open(struct atomic_file *file, const char *path, struct error *err)
{
    memset(file, 0, sizeof *file);
    int n = snprintf(file->path, sizeof file->path, "%s", path);
    if (n < 0 || (size_t)n >= sizeof file->path)
        return error_set(err, ERR_SYSTEM, "%.64s...: path too long", path);
    snprintf(file->temp, sizeof file->temp, "%s.tmp", file->path);
    file->out = fopen(file->temp, "wbe");
    if (file->out == NULL)
        return error_set(err, ERR_SYSTEM, "%s: %s", file->temp, strerror(errno));
    return 0;
}

// a rename is on the disk only when its folder is
static int sync_folder(const char *path)
{
    char folder[1024];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        snprintf(folder, sizeof folder, ".");
    else if (slash == folder)
        slash[1] = '\0';
    else
        slash[0] = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    // some file systems cannot sync a folder; the file itself is safe
    int failed = fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP;
    close(fd);
    return failed ? -1 : 0;
}

int atomic_file_close(struct atomic_file *file, struct error *err)
{
    int bad = ferror(file->out) || fflush(file->out) != 0 || fsync(fileno(file->out)) != 0;
    int why = errno;
    if (fclose(file->out) != 0 && !bad) {
        bad = 1;
        why = errno;
    }
    file->out = NULL;
    if (!bad && (rename(file->temp, file->path) != 0 || sync_folder(file->path) != 0)) {
        bad = 1;
        why = errno;
    }
    if (!bad)
        return 0;
    unlink(file->temp);
    return error_set(err, ERR_SYSTEM, "%s: not written: %s", file->path, strerror(why));
}

void atomic_file_abort(struct atomic_file *file)
{
    if (file->out == NULL)
        return;
    fclose(file->out);
    file->out = NULL;
    unlink(file->temp);
}
