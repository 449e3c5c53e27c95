// The directory of one run: what lies where, who may write there.
//
//   runs/<name>-s<seed>-<UTC>/   or the one that --run names
//     spec.yaml progress.csv evaluations.csv actor-<slot>.monitor.csv tb/ policy/ checkpoint/
//
// There is one writer: a lock on the directory refuses a second learner. spec.yaml comes first, so
// a directory without it was never ours.
#ifndef LEARNER_RUN_DIR_H
#define LEARNER_RUN_DIR_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RUN_DIR_PATH = 768 };

struct run_dir {
    char path[RUN_DIR_PATH];
    int  fd;       // of the directory, holds the lock; 0 when zeroed
    bool made;     // the directory itself is new
    bool resumed;  // a spec.yaml was there
};

// Makes or takes the directory and locks it, writes spec.yaml (spec_text), makes the folders.
//
//   path     NULL: runs/<name>-s<seed>-<UTC>, made new; otherwise that one
//   resume   go on in a directory that holds a run; an empty or missing one starts fresh
//   returns  0, ERR_SPEC when the directory may not be used (with what to do), or ERR_SYSTEM; what it
//            made is gone again then
int run_dir_open(struct run_dir *d, const char *path, const char *name, uint64_t seed, bool resume,
                 const char *spec_text, struct error *err);

// Removes what a start made that came to nothing, so that the next one finds the directory as this one
// did. A resumed or zeroed one stays as it is.
void run_dir_discard(const struct run_dir *d);

// Gives the lock back. Accepts a zeroed one.
void run_dir_close(struct run_dir *d);

// "<run directory>/<file>" into text.
void run_dir_file(char *text, size_t size, const struct run_dir *d, const char *file);

// Replaces <run directory>/<file> as a whole: written beside it, flushed, renamed.
//
//   returns  0 or ERR_SYSTEM; the old file then is still there
int run_dir_write(const struct run_dir *d, const char *file, const void *data, size_t size,
                  struct error *err);

#endif
