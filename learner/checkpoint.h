// Checkpoints of a run: everything but the replay's rows, which live in their own mapped file.
//
//   DIR/replay.bin                 learner/replay.h, always current
//   DIR/000000012345/              one a checkpoint, named by its update
//       state.safetensors          tensors and counters
//       MANIFEST                   "crc32c bytes name" a file, then "crc32c MANIFEST"
//
// A checkpoint is written to a temporary folder, synced and renamed; the two newest stay. A folder whose
// bytes do not fit its manifest does not count: the one before it is used.
//
// checkpoint_write copies what it is given and returns; a thread of its own does the writing, so that
// the updates stall only for the copy.
#ifndef LEARNER_CHECKPOINT_H
#define LEARNER_CHECKPOINT_H

#include "common/error.h"
#include "common/safetensors.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CHECKPOINT_TENSORS = 1024, CHECKPOINT_STRINGS = 16, CHECKPOINT_STRING = 256 };

// What must be on the disk before a checkpoint counts; 0 or ERR_SYSTEM. Called by the writing thread.
typedef int checkpoint_sync(void *context, struct error *err);

struct checkpoint {
    char             dir[1024];
    checkpoint_sync *sync;  // NULL: nothing
    void            *sync_context;
    pthread_t        thread;
    bool             started;
    pthread_mutex_t  lock;  // everything below
    pthread_cond_t   changed;
    bool             busy;  // a copy waits to be written or is being written
    bool             stop;
    struct error     error;    // of the last write, code 0 when it went well
    uint64_t         written;  // checkpoints complete since open
    uint64_t         bytes;    // of the last
    double           seconds;  // that writing the last took
    // the copy
    uint64_t                  number;
    size_t                    n, n_strings;
    struct safetensors_tensor tensor[CHECKPOINT_TENSORS];
    char                      text[CHECKPOINT_STRINGS][2][CHECKPOINT_STRING];
    struct safetensors_string string[CHECKPOINT_STRINGS];
    void                     *block;
    size_t                    block_size;
};

// Makes DIR when it is not there and starts the writing thread. sync (NULL is allowed) is called with
// context before each checkpoint gets its name.
//
//   returns  0 or ERR_SYSTEM
int checkpoint_open(struct checkpoint *c, const char *dir, checkpoint_sync *sync, void *context,
                    struct error *err);

// Waits for a running write, stops the thread, frees.
void checkpoint_close(struct checkpoint *c);

// Copies the tensors (n; their names must outlive c) and strings and has them written as number. The
// first call allocates, later ones of the same sizes do not.
//
//   returns  0, or ERR_TIMEOUT when the one before is still being written (nothing is done then), or
//            ERR_MEMORY
int checkpoint_write(struct checkpoint *c, uint64_t number, const struct safetensors_tensor *tensor,
                     size_t n, const struct safetensors_string *string, size_t n_strings,
                     struct error *err);

// Waits until nothing is being written.
//
//   returns  0, or the error of the last write
int checkpoint_wait(struct checkpoint *c, struct error *err);

// Takes the error of the last write, once.
//
//   returns  0, or its code
int checkpoint_error(struct checkpoint *c, struct error *err);

// Checkpoints complete since open.
uint64_t checkpoint_written(struct checkpoint *c);

// Loads the newest complete checkpoint under dir. Each one passed over is a line in the log.
//
//   returns  0, ERR_SYSTEM when there is none at all, ERR_FORMAT when none is complete
//   owns     st, until safetensors_free
int checkpoint_load(const char *dir, struct safetensors *st, uint64_t *number, struct error *err);

#endif
