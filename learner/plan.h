// How fast would so many actors and such a learner be, and what would hold them up? Arithmetic alone, from
// rates that learner/plan_measure.h measures or the user gives.
//
//   F     environment steps a second, all actors together
//   r     updates a step            u     seconds of an update         T  threads of it
//   s     actor core-seconds a step n     learner core-seconds a row (its network thread)
//   N     actors                    C     cores of the learner's machine
//
//   actors   F <= N / s                         a core each, at most
//   learner  F <= 1 / (r u)                     one update after the other
//   rows     F <= 1 / n                         one network thread
//   cores    F (T r u + n + s if they share the machine) <= C
//   wire     8 F bytes(row) <= bits a second into the learner's machine
//
// The largest F that all allow is the prediction, the one that allows least the bottleneck. A run at F keeps
// every actor busy for F s / N of the time and the learner for F r u. Weights go out the other way and hold
// nobody up; where they would fill the wire they come late, and publish_least_s says from when on.
#ifndef LEARNER_PLAN_H
#define LEARNER_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum plan_limit { PLAN_ACTORS, PLAN_LEARNER, PLAN_ROWS, PLAN_CORES, PLAN_WIRE, PLAN_LIMITS };

struct plan_input {
    uint64_t actors, envs;              // N; environments of each
    uint64_t cores, threads;            // C, T
    bool     remote;                    // actors have machines of their own
    uint64_t p, q;                      // r = p / q; p 0: collection only
    double   step_s, update_s, row_s;   // s, u, n
    uint64_t row_bytes, weights_bytes;  // on the wire, without their message
    uint64_t block_rows,
        credit_window;            // rows of a message; rows of an actor on their way, at most
    double   publish_interval_s;  // least time between two broadcasts
    double   wire_bits_per_s;     // of the learner's machine; remote only
    uint64_t replay_rows, network_bytes;    // what the learner holds
    uint64_t max_actors, max_frame, start;  // start: warm-up steps, without updates
};

struct plan {
    double          limit[PLAN_LIMITS];  // F that each allows, INFINITY: any
    double          frames_per_s, updates_per_s;
    enum plan_limit bottleneck;
    double          actors_busy, learner_busy;  // shares
    double          efficiency;                 // F of N actors alone, F / (N / s)
    double          bits_in, bits_out;          // of the learner, a second
    double          publishes_per_s;
    double   publish_least_s;  // cluster.publish_interval_s below which weights fill the wire
    double   seconds;          // of max_frame steps
    double   learner_bytes;    // replay, networks, rows on their way
    double   flight_bytes;     // of them on their way at most
    uint64_t feeds;            // the most actors that still are busy all the time; 0: not even one
};

void plan_make(struct plan *plan, const struct plan_input *input);

// "the actors", "the learner's updates", ...: who holds the others up.
const char *plan_limit_name(enum plan_limit limit);

// One screen for people, with what to do about the bottleneck; or one JSON object on a line.
void plan_print(FILE *out, const struct plan *plan, const struct plan_input *input,
                const char *task);
void plan_print_json(FILE *out, const struct plan *plan, const struct plan_input *input,
                     const char *task);

#endif
