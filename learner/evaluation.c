#include "learner/evaluation.h"

#include "common/log.h"

#include <math.h>

void evaluation_init(struct evaluation *e, const struct spec *spec, uint64_t steps)
{
    uint64_t every = spec->meta.eval_frequency;
    e->every = every;
    e->episodes = spec->meta.eval_episodes;
    e->last = NAN;
    e->next = every > 0 ? (steps / every + 1) * every : UINT64_MAX;
}

void evaluation_resume(struct evaluation *e, uint64_t next, uint64_t steps,
                       const struct recorder_past *past)
{
    if (past->evaluations > 0)
        e->last = past->eval_mean;
    if (e->every == 0)
        return;
    // one that was recorded after the checkpoint is not due again
    e->next = past->evaluations > 0 ? (past->eval_steps / e->every + 1) * e->every : e->every;
    // meta.eval_frequency may be another one now
    uint64_t latest = (steps / e->every + 1) * e->every;
    if (next > e->next)
        e->next = next < latest ? next : latest;
}

bool evaluation_due(struct evaluation *e, uint64_t steps)
{
    if (steps < e->next)
        return false;
    e->next = (steps / e->every + 1) * e->every;
    return true;
}

bool evaluation_request(struct evaluation *e, struct transition_recv *recv, struct publisher *p,
                        uint64_t steps)
{
    if (e->running ||
        !transition_recv_evaluate(recv, p->version, steps, e->episodes, EVALUATION_SEED,
                                  p->policy.floats, p->policy.n_floats)) {
        e->skipped++;
        return false;
    }
    publisher_keep(p, steps);
    e->running = true;
    return true;
}

uint64_t evaluation_next(const struct evaluation *e, const struct publisher *p)
{
    return e->running ? p->kept_steps : e->next;
}

void evaluation_take(struct evaluation *e, struct transition_recv *recv, struct publisher *p,
                     struct recorder *recorder, const struct run_dir *dir)
{
    struct error                 failed = {0};
    struct transition_recv_eval *eval = &e->result;
    char                         path[RUN_DIR_PATH + 64];
    double                       sum = 0;
    if (!e->running || !transition_recv_take_eval(recv, eval) || eval->n == 0)
        return;
    for (size_t i = 0; i < eval->n; i++) {
        e->returns[i] = eval->list[i].ret;
        e->lengths[i] = eval->list[i].length;
        sum += e->returns[i];
    }
    e->running = false;
    e->done++;
    e->last = sum / (double)eval->n;
    run_dir_file(path, sizeof path, dir, "policy/best.safetensors");
    // a full disk does not end training
    if (recorder_would_be_best(recorder, e->last) &&
        publisher_save_kept(p, path, e->last, &failed) < 0)
        log_warn("evaluation", "%s", failed.text);
    recorder_evaluation(recorder, eval->timesteps, eval->version, e->returns, e->lengths, eval->n);
}
