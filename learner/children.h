// The local actor processes of a learner: started at its side, restarted when they die, gone when it
// goes (PR_SET_PDEATHSIG), also when it is killed. Used by the main thread only.
#ifndef LEARNER_CHILDREN_H
#define LEARNER_CHILDREN_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct child {
    pid_t    pid;  // 0: not running
    char     name[32];
    bool     evaluator;
    bool     done;      // left by itself with exit code 0
    unsigned failures;  // deaths in a row, each sooner than CHILD_SETTLED_S after its start
    unsigned restarts;
    double   started;   // clock_now()
    double   retry_at;  // clock_now() from which it may be started again
};

struct children {
    size_t        n;
    struct child *child;
    char          program[4096];  // path of crossfleet-actor
    char          connect[256];   // address given to each
    char          keys[1024];     // key directory, "" for none
    bool          log_json;
};

// The path of crossfleet-actor, which lies beside this executable.
//
//   returns  0, or ERR_SYSTEM when it is not there
int children_program(char *path, size_t size, struct error *err);

// Starts n actors and, if asked, one evaluator, with `program run --connect ADDR --name local-I`.
// program NULL: crossfleet-actor beside this executable.
//
//   returns  0, ERR_SYSTEM or ERR_MEMORY; what was started before a failure is stopped
int children_start(struct children *c, const char *program, size_t actors, bool evaluator,
                   const char *connect, const char *keys, bool log_json, struct error *err);

// Reaps the dead and restarts them, waiting longer after each early death (0.5 s doubling to 8 s).
// Call about ten times a second; never blocks.
//
//   returns  0, or ERR_SYSTEM when one has died early five times in a row: it will not come up
int children_watch(struct children *c, struct error *err);

// SIGTERM, up to grace_s seconds to leave, SIGKILL. Frees.
void children_stop(struct children *c, double grace_s);

#endif
