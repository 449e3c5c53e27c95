// Evaluations play the start states of EVALUATION_SEED, whatever the run's seed: curves of several seeds
// compare, and `crossfleet-actor eval --seed 0` repeats the last one.
//
// When to evaluate, and what becomes of it: every meta.eval_frequency steps the weights of that moment
// go to the evaluator; one evaluation at a time, one that falls due meanwhile is skipped and counted.
#ifndef LEARNER_EVALUATION_H
#define LEARNER_EVALUATION_H

#include "common/error.h"
#include "common/spec.h"
#include "learner/publisher.h"
#include "learner/recorder.h"
#include "learner/transition_recv.h"

#include <stdbool.h>
#include <stdint.h>

enum { EVALUATION_SEED = 0 };

struct evaluation {
    uint64_t every, episodes;
    uint64_t next;  // steps at which the next one falls due
    uint64_t skipped;
    uint64_t done;
    bool     running;
    double   last;  // mean return of the last one, NAN: none yet
    // the result that is being taken
    struct transition_recv_eval result;
    double                      returns[MESSAGE_EPISODES_MAX];
    uint64_t                    lengths[MESSAGE_EPISODES_MAX];
};

// Starts counting at `steps` (0, or a resumed run's). e is zeroed by the caller.
void evaluation_init(struct evaluation *e, const struct spec *spec, uint64_t steps);

// Says whether an evaluation is due at `steps`, and moves on to the next.
bool evaluation_due(struct evaluation *e, uint64_t steps);

// Hands the publisher's newest weights over, as those of `steps`. Counts it as skipped when one runs.
//
//   returns  whether it was handed over
bool evaluation_request(struct evaluation *e, struct transition_recv *recv, struct publisher *p,
                        uint64_t steps);

// Takes a result that is there: writes policy/best.safetensors when it is the best, records it.
void evaluation_take(struct evaluation *e, struct transition_recv *recv, struct publisher *p,
                     struct recorder *recorder, const struct run_dir *dir);

// When the next one is due, for a checkpoint: one that is running is due again after a resume.
uint64_t evaluation_next(const struct evaluation *e, const struct publisher *p);

// Goes on at `steps` from a checkpoint's evaluation_next and from what was recorded since.
void evaluation_resume(struct evaluation *e, uint64_t next, uint64_t steps,
                       const struct recorder_past *past);

#endif
