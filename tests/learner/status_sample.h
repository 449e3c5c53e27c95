// A run that never was, for the tests of what shows a run: filled in as the learner's loop would.
#ifndef TESTS_STATUS_SAMPLE_H
#define TESTS_STATUS_SAMPLE_H

#include "learner/status.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static inline void status_sample_actor(struct status_actor *a, uint32_t slot, uint64_t steps)
{
    *a = (struct status_actor){.slot = slot,
                               .state = STATUS_ACTOR_ACTIVE,
                               .evaluator = slot == 4,
                               .steps = slot == 4 ? 0 : steps / 4,
                               .lag = slot == 2 ? 41 : 1 + slot,
                               .age_s = slot == 2 ? 17.25 : 0.04,
                               .restarts = slot == 3};
    if (slot == 2)
        a->state = STATUS_ACTOR_SILENT;
    snprintf(a->name, sizeof a->name, slot == 4 ? "evaluator" : "actor-%u", slot);
    snprintf(a->host, sizeof a->host, slot == 3 ? "<b>\"node\"&'7'" : "node-%u", slot);
}

// The first part of a snapshot, at `steps` of 200,000.
static inline void status_sample(struct status *s, uint64_t steps)
{
    status_init(s);
    s->state = steps < 1000 ? STATUS_WARMUP : STATUS_TRAINING;
    snprintf(s->run_id, sizeof s->run_id, "0123456789abcdef");
    snprintf(s->name, sizeof s->name, "crossq_halfcheetah");
    snprintf(s->env, sizeof s->env, "HalfCheetah-v5");
    snprintf(s->algorithm, sizeof s->algorithm, "CrossQ");
    snprintf(s->bind, sizeof s->bind, "tcp://127.0.0.1:5555");
    s->seed = 1;
    s->spec_text = "halfcheetah:\n  env: {name: \"HalfCheetah-v5\"}  # </script> & \\ \t end\n";
    s->run_path = "runs/sample";
    s->steps = steps;
    s->max_frame = 200000;
    s->start_step = 1000;
    s->updates = steps > 1000 ? steps - 1000 : 0;
    s->ratio_p = s->ratio_q = 1;
    s->tolerance = 256;
    s->busy_s = (double)steps / 1250;
    s->wait_s[STATUS_WAIT_WARMUP] = 1.5;
    s->wait_s[STATUS_WAIT_INSERTS] = 2.25;
    s->wait_s[STATUS_WAIT_SAMPLES] = (double)steps / 4000;
    s->critic_loss = 1.25;
    s->actor_loss = -30.5;
    s->alpha = 0.125;
    s->weights_version = steps / 50;
    s->lag_p50 = 1;
    s->lag_p99 = 4;
    s->replay_rows = steps;
    s->replay_capacity = 1000000;
    s->duplicates = 7;
    s->n_rejects = 2;
    s->rejects[0] = (struct status_reject){"malformed", 3};
    s->rejects[1] = (struct status_reject){"older \"incarnation\"\\", 1};
    s->n_actors = 5;
    for (uint32_t slot = 0; slot < 5; slot++)
        status_sample_actor(&s->actors[slot], slot, steps);
}

// A learning curve's value at `steps`, with a little unrest.
static inline double status_sample_return(uint64_t steps)
{
    double x = (double)steps / 60000;
    return 9000 * (1 - exp(-x)) - 300 + 250 * sin((double)steps / 700);
}

#endif
