#include "actor/assets.h"

#include "common/command.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

static bool readable(char *path, size_t size, const char *directory, const char *inside,
                     const char *file)
{
    int n = snprintf(path, size, "%s%s/%s", directory, inside, file);
    return n > 0 && (size_t)n < size && access(path, R_OK) == 0;
}

int assets_find(char *path, size_t size, const char *file, struct error *err)
{
    const char *given = getenv("CROSSFLEET_ASSETS");
    if (given != NULL && given[0] != '\0') {
        if (readable(path, size, given, "", file))
            return 0;
        return error_set(err, ERR_SYSTEM, "model %s: not in CROSSFLEET_ASSETS=%s", file, given);
    }

    char directory[PATH_SIZE];
    if (program_directory(directory, sizeof directory) == 0)
        return error_set(err, ERR_SYSTEM, "model %s: set CROSSFLEET_ASSETS to its directory", file);
    for (char *slash = strrchr(directory, '/'); slash != NULL; slash = strrchr(directory, '/')) {
        *slash = '\0';
        if (readable(path, size, directory, "/deps/assets", file) ||
            readable(path, size, directory, "/share/crossfleet/assets", file))
            return 0;
    }
    return error_set(err, ERR_SYSTEM,
                     "model %s: neither in deps/assets nor in share/crossfleet/assets above the "
                     "program; run make deps, or set CROSSFLEET_ASSETS",
                     file);
}
