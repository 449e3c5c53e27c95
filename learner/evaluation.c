#include "learner/evaluation.h"

#include <math.h>
#include <stdlib.h>

void evaluation_init(struct evaluation *e, const struct spec *spec, uint64_t steps)
{
    uint64_t every = spec->meta.eval_frequency;
    *e = (struct evaluation){.every = every, .episodes = spec->meta.eval_episodes, .last = NAN};
    e->next = every > 0 ? (steps / every + 1) * every : UINT64_MAX;
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

int evaluation_take(struct evaluation *e, struct transition_recv *recv, struct publisher *p,
                    struct recorder *recorder, const struct run_dir *dir, struct error *err)
{
    static const char            best[] = "policy/best.safetensors";
    struct transition_recv_eval *eval = malloc(sizeof *eval);
    int                          rc = 0;
    if (eval == NULL)
        return error_set(err, ERR_MEMORY, "no memory for an evaluation");
    if (e->running && transition_recv_take_eval(recv, eval) && eval->n > 0) {
        double   returns[MESSAGE_EPISODES_MAX], sum = 0;
        uint64_t lengths[MESSAGE_EPISODES_MAX];
        for (size_t i = 0; i < eval->n; i++) {
            returns[i] = eval->list[i].ret;
            lengths[i] = eval->list[i].length;
            sum += returns[i];
        }
        e->running = false;
        e->done++;
        e->last = sum / (double)eval->n;
        char path[RUN_DIR_PATH + 64];
        run_dir_file(path, sizeof path, dir, best);
        if (recorder_evaluation(recorder, eval->timesteps, eval->version, returns, lengths,
                                eval->n))
            rc = publisher_save_kept(p, path, e->last, err);
    }
    free(eval);
    return rc;
}
