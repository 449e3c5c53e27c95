// A file that is never half written under its final name: written beside it, synced, renamed.
//
// A crash leaves either the old file or the new one, and perhaps PATH.tmp, which the next writer of
// PATH replaces. One writer a path.
#ifndef COMMON_ATOMIC_FILE_H
#define COMMON_ATOMIC_FILE_H

#include "common/error.h"

#include <stdio.h>

struct atomic_file {
    FILE *out;         // where to write
    char  path[1024];  // final name
    char  temp[1032];  // name until closed
};

//   returns  0 or ERR_SYSTEM
//   owns     file->out, until atomic_file_close or atomic_file_abort
int atomic_file_open(struct atomic_file *file, const char *path, struct error *err);

// Flushes, syncs, renames and syncs the folder.
//
//   returns  0, or ERR_SYSTEM also when an earlier write to out failed; then path is as it was
int atomic_file_close(struct atomic_file *file, struct error *err);

// Drops what was written. Accepts a zeroed or closed file.
void atomic_file_abort(struct atomic_file *file);

#endif
