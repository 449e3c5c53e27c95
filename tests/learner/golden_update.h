// Golden files of whole updates: builds the networks that a file describes, replays its batches, and
// compares every tensor after every update. tests/golden/crossq/README.md is the contract.
#ifndef TESTS_LEARNER_GOLDEN_UPDATE_H
#define TESTS_LEARNER_GOLDEN_UPDATE_H

#include "learner/batch.h"
#include "learner/update_state.h"
#include "tests/learner/golden.h"

// ---------------------------------------------------------------- the file's settings as a spec

static inline void golden_layer(struct golden *g, struct net_spec *net, const char *name,
                                const char *kind)
{
    size_t             i = net->n_layers++;
    struct layer_spec *layer = &net->layers[i];
    char               key[96];
    snprintf(key, sizeof key, "init.%s.%zu.weight", name, i);
    const struct safetensors_tensor *t = safetensors_find(&g->st, key);
    *layer = (struct layer_spec){.kind = LAYER_RELU};
    if (strcmp(kind, "linear") == 0) {
        layer->kind = LAYER_LINEAR;
        layer->out = t == NULL ? 0 : t->shape[0];
    } else if (strcmp(kind, "batch_renorm") == 0) {
        layer->kind = LAYER_BATCH_RENORM;
        layer->momentum = golden_setting(g, "renorm_momentum");
        layer->eps = golden_setting(g, "renorm_eps");
        layer->warmup_steps = golden_size(g, "renorm_warmup_steps");
        layer->r_max = golden_setting(g, "renorm_r_max");
        layer->d_max = golden_setting(g, "renorm_d_max");
        layer->ramp = golden_is(g, "renorm_ramp", "step") ? RENORM_STEP : RENORM_LINEAR;
        layer->form =
            golden_is(g, "renorm_formula", "adjusted") ? RENORM_ADJUSTED : RENORM_TEXTBOOK;
    } else if (strcmp(kind, "layer_norm") == 0) {
        layer->kind = LAYER_LAYER_NORM;
        layer->eps = golden_setting(g, "layer_norm_eps");
    }
}

static inline void golden_net(struct golden *g, struct net_spec *net, const char *key,
                              const char *name)
{
    char        kind[32];
    const char *text = safetensors_metadata(&g->st, key);
    int         length;
    for (; sscanf(text, "%31s%n", kind, &length) == 1; text += length)
        golden_layer(g, net, name, kind);
    net->optim = (struct optim_spec){.kind = OPTIM_ADAM,
                                     .lr = golden_setting(g, "learning_rate"),
                                     .beta1 = golden_setting(g, "beta1"),
                                     .beta2 = golden_setting(g, "beta2"),
                                     .eps = golden_setting(g, "adam_eps")};
    net->polyak_coef = golden_setting(g, "tau");
}

static inline void golden_spec(struct golden *g, struct spec *spec)
{
    struct algorithm_spec *a = &spec->algorithm;
    *spec = (struct spec){0};
    a->kind = golden_is(g, "algorithm", "sac") ? ALGORITHM_SAC : ALGORITHM_CROSSQ;
    a->gamma = golden_setting(g, "gamma");
    a->policy_delay = golden_size(g, "policy_delay");
    a->log_alpha_min = golden_setting(g, "log_alpha_min");
    a->log_alpha_max = golden_setting(g, "log_alpha_max");
    a->alpha_init = 1;
    a->alpha_lr = golden_setting(g, "learning_rate_alpha");
    a->alpha_beta1 = golden_setting(g, "alpha_beta1");
    a->alpha_loss = golden_is(g, "alpha_loss", "alpha") ? ALPHA_LOSS_ALPHA : ALPHA_LOSS_LOG_ALPHA;
    a->target_entropy = golden_setting(g, "target_entropy");
    a->critic_loss_scale = golden_setting(g, "critic_loss_scale");
    a->log_std_min = golden_setting(g, "log_std_min");
    a->log_std_max = golden_setting(g, "log_std_max");
    spec->memory.batch_size = golden_size(g, "batch");
    golden_net(g, &spec->actor_net, "actor_layers", "actor");
    golden_net(g, &spec->critic_net, "critic_layers", "q1");
}

// ---------------------------------------------------------------- state

#define GOLDEN_MAX_BLOCKS 512

static inline bool golden_own(const struct update_block *b)
{
    return strncmp(b->name, "adam.", 5) == 0 || strcmp(b->name, "updates") == 0;
}

// columns of rows that have a longer stride, packed
static inline const float *golden_pack(float *y, const float *x, size_t ld, size_t rows,
                                       size_t cols)
{
    for (size_t r = 0; r < rows; r++)
        memcpy(y + r * cols, x + r * ld, cols * sizeof *y);
    return y;
}

// a tensor whose rows are apart by ld; rows 0: a vector, cols 0: one number
static inline void golden_read_rows(struct golden *g, const char *name, float *x, size_t ld,
                                    size_t rows, size_t cols)
{
    rows = rows == 0 ? 1 : rows;
    cols = cols == 0 ? 1 : cols;
    float *packed = malloc(rows * cols * sizeof *packed);
    golden_read(g, name, 0, packed, rows * cols);
    for (size_t r = 0; r < rows; r++)
        memcpy(x + r * ld, packed + r * cols, cols * sizeof *x);
    free(packed);
}

static inline void golden_compare_rows(struct golden *g, const char *name, size_t k, const float *x,
                                       size_t ld, size_t rows, size_t cols, double tolerance)
{
    rows = rows == 0 ? 1 : rows;
    cols = cols == 0 ? 1 : cols;
    float *packed = malloc(rows * cols * sizeof *packed);
    golden_compare(g, name, k, golden_pack(packed, x, ld, rows, cols), rows * cols, tolerance);
    free(packed);
}

static inline void golden_load_state(struct golden *g, struct update *u)
{
    struct update_block blocks[GOLDEN_MAX_BLOCKS];
    size_t              n = update_blocks(u, blocks, GOLDEN_MAX_BLOCKS);
    char                name[96];
    for (size_t i = 0; i < n && i < GOLDEN_MAX_BLOCKS; i++) {
        struct update_block *b = &blocks[i];
        snprintf(name, sizeof name, "init.%.63s", b->name);
        if (golden_own(b))
            continue;
        const struct safetensors_tensor *t = golden_find(g, name);
        if (b->integer)
            *(uint64_t *)b->data = t == NULL ? 0 : (uint64_t)safetensors_number(t, 0);
        else
            golden_read_rows(g, name, b->data, b->cols, b->rows, b->width);
    }
}

static inline void golden_compare_state(struct golden *g, struct update *u, size_t k)
{
    struct update_block blocks[GOLDEN_MAX_BLOCKS];
    size_t              n = update_blocks(u, blocks, GOLDEN_MAX_BLOCKS);
    char                name[96];
    for (size_t i = 0; i < n && i < GOLDEN_MAX_BLOCKS; i++) {
        struct update_block *b = &blocks[i];
        snprintf(name, sizeof name, "after.%.63s", b->name);
        if (golden_own(b))
            continue;
        if (b->integer)
            golden_compare_exact(g, name, k, (double)*(uint64_t *)b->data);
        else
            golden_compare_rows(g, name, k, b->data, b->cols, b->rows, b->width,
                                strstr(name, "running_") != NULL ? 1e-5 : 5e-5);
    }
}

static inline void golden_compare_gradients(struct golden *g, struct update *u, size_t k)
{
    const struct network *nets[] = {&u->actor, &u->q[0], &u->q[1]};
    const char           *names[] = {"actor", "q1", "q2"};
    char                  name[96];
    for (size_t j = 0; j < 3; j++)
        for (size_t i = 0; i < nets[j]->n_tensors; i++) {
            const struct network_tensor *t = &nets[j]->tensors[i];
            snprintf(name, sizeof name, "grad.%s.%.31s", names[j], t->name);
            if (t->grad != NULL)
                golden_compare_rows(g, name, k, t->grad, t->ld, t->rows, t->cols, 5e-4);
        }
    golden_compare(g, "grad.log_alpha", k, &u->log_alpha_grad, 1, 5e-4);
}

// ---------------------------------------------------------------- outputs

static inline void golden_compare_outputs(struct golden *g, struct update *u,
                                          const struct update_result *result, size_t k)
{
    const double T = 5e-5;
    size_t       B = u->B, A = u->A, Q = u->Q;
    float       *packed = malloc(B * A * sizeof *packed), *taken = malloc(B * sizeof *taken);
    const char  *q[] = {"out.q1", "out.q2"}, *next[] = {"out.q1_next", "out.q2_next"};
    for (int i = 0; i < 2; i++) {
        for (size_t r = 0; r < B; r++)
            taken[r] = u->q_now[i][u->discrete ? r * Q + (size_t)u->batch->action[r] : r];
        golden_compare(g, q[i], k, taken, B, T);
        golden_compare(g, next[i], k, u->q_next[i], B * Q, T);
    }
    golden_compare(g, "out.target", k, u->y, B, T);
    golden_compare_number(g, "out.q1_loss", k, result->q1_loss, T);
    golden_compare_number(g, "out.q2_loss", k, result->q2_loss, T);
    golden_compare_number(g, "out.alpha", k, result->alpha, T);
    golden_compare_number(g, "out.actor_loss", k, result->actor_loss, T);
    golden_compare_number(g, "out.alpha_loss", k, result->alpha_loss, T);
    golden_compare_number(g, "out.entropy", k, result->entropy, T);
    golden_compare_exact(g, "out.actor_updated", k, result->actor_updated);
    if (u->discrete) {
        golden_compare(g, "out.next_log_pi", k, u->next.log_pi, B * A, T);
        golden_compare(g, "out.policy_log_pi", k, u->policy.log_pi, B * A, T);
    } else {
        const float *a = u->critic_in + B * u->ld_in + u->O;
        golden_compare(g, "out.next_action", k, golden_pack(packed, a, u->ld_in, B, A), B * A, T);
        golden_compare(g, "out.next_log_prob", k, u->next.log_prob, B, T);
        a = u->policy_in + u->O;
        golden_compare(g, "out.policy_action", k, golden_pack(packed, a, u->ld_in, B, A), B * A, T);
        golden_compare(g, "out.policy_log_prob", k, u->policy.log_prob, B, T);
        golden_compare(g, "out.policy_q1", k, u->policy_q[0], B, T);
        golden_compare(g, "out.policy_q2", k, u->policy_q[1], B, T);
    }
    free(packed);
    free(taken);
}

// the nets at the start, in eval mode, at the first batch
static inline void golden_compare_eval(struct golden *g, struct update *u, const struct batch *b)
{
    const double T = 1e-5;
    size_t       B = u->B, A = u->A, ld;
    float       *x = calloc(B * u->ld_in, sizeof *x), *packed = malloc(B * A * sizeof *packed);
    for (size_t r = 0; r < B; r++)
        memcpy(x + r * u->ld_obs, b->obs + r * u->O, u->O * sizeof *x);
    network_eval_prepare(&u->actor);
    network_eval_rows(&u->actor, x, 0, B);
    const float *y = network_output(&u->actor, &ld);
    golden_compare(g, u->discrete ? "eval.logits" : "eval.mean", 0,
                   golden_pack(packed, y, ld, B, A), B * A, T);
    if (!u->discrete) {
        golden_pack(packed, y + A, ld, B, A);
        for (size_t i = 0; i < B * A; i++)
            packed[i] =
                fminf(fmaxf(packed[i], (float)u->spec.log_std_min), (float)u->spec.log_std_max);
        golden_compare(g, "eval.log_std", 0, packed, B * A, T);
    }
    for (size_t r = 0; r < B; r++) {
        memcpy(x + r * u->ld_in, b->obs + r * u->O, u->O * sizeof *x);
        if (!u->discrete)
            memcpy(x + r * u->ld_in + u->O, b->action + r * A, A * sizeof *x);
    }
    const char *names[] = {"eval.q1", "eval.q2"};
    for (int i = 0; i < 2; i++) {
        network_eval_prepare(&u->q[i]);
        network_eval_rows(&u->q[i], x, 0, B);
        y = network_output(&u->q[i], &ld);
        golden_compare(g, names[i], 0, golden_pack(packed, y, ld, B, u->Q), B * u->Q, T);
    }
    free(x);
    free(packed);
}

// ---------------------------------------------------------------- the run

static inline void golden_read_batch(struct golden *g, struct batch *b, size_t k, bool discrete)
{
    golden_read(g, "batch.obs", k, b->obs, b->B * b->O);
    golden_read(g, "batch.action", k, b->action, b->B * b->W);
    golden_read(g, "batch.reward", k, b->reward, b->B);
    golden_read(g, "batch.next_obs", k, b->next_obs, b->B * b->O);
    golden_read(g, "batch.terminated", k, b->discount, b->B);
    double gamma = golden_setting(g, "gamma");
    for (size_t r = 0; r < b->B; r++) {
        b->discount[r] = (float)(gamma * (1 - (double)b->discount[r]));
        b->weight[r] = 1;
    }
    if (!discrete) {
        golden_read(g, "noise.next", k, b->noise_next, b->B * b->A);
        golden_read(g, "noise.policy", k, b->noise_policy, b->B * b->A);
    }
}

// Replays an update file with this many threads.
static inline void golden_run_updates(struct golden *g, size_t threads)
{
    static struct spec spec;
    struct error       err = {0};
    struct batch       b = {0};
    size_t             O = golden_size(g, "obs_dim"), A = golden_size(g, "act_dim");
    bool               discrete = golden_is(g, "actions", "discrete");
    golden_spec(g, &spec);
    struct update *u = update_make(&spec, O, A, discrete, threads, 1, &err);
    if (u == NULL || batch_init(&b, u->B, O, discrete ? 1 : A, A, &err) != 0) {
        printf("  %s\n", err.text);
        golden_note(g, "networks", INFINITY);
        update_free(u);
        return;
    }
    golden_load_state(g, u);
    golden_read_batch(g, &b, 0, discrete);
    golden_compare_eval(g, u, &b);
    for (size_t k = 0; k < golden_size(g, "updates"); k++) {
        struct update_result result;
        golden_read_batch(g, &b, k, discrete);
        update_step(u, &b, &result);
        u->batch = &b;
        golden_compare_outputs(g, u, &result, k);
        golden_compare_gradients(g, u, k);
        golden_compare_state(g, u, k);
    }
    golden_check_seen(g);
    batch_free(&b);
    update_free(u);
}

#endif
