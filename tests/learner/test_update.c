// Contracts of an update beside the golden numbers: threads, what is left out, what is restored.
#include "learner/batch.h"
#include "learner/update.h"
#include "learner/update_state.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define O 7
#define A 3
#define B 37

static void add_layer(struct net_spec *net, enum layer_kind kind, size_t out)
{
    net->layers[net->n_layers++] = (struct layer_spec){.kind = kind,
                                                       .out = out,
                                                       .momentum = 0.01,
                                                       .eps = 1e-3,
                                                       .warmup_steps = 2,
                                                       .r_max = 3,
                                                       .d_max = 5};
}

static struct spec *make_spec(enum algorithm_kind kind)
{
    struct spec *spec = calloc(1, sizeof *spec);
    spec->algorithm = (struct algorithm_spec){.kind = kind,
                                              .gamma = 0.99,
                                              .policy_delay = 2,
                                              .log_alpha_min = -INFINITY,
                                              .log_alpha_max = INFINITY,
                                              .alpha_init = 1,
                                              .alpha_beta1 = 0.9,
                                              .target_entropy = NAN,
                                              .critic_loss_scale = 1,
                                              .log_std_min = -5,
                                              .log_std_max = 2};
    spec->memory.batch_size = B;
    struct net_spec *nets[] = {&spec->actor_net, &spec->critic_net};
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 2; k++) {
            add_layer(nets[i], LAYER_LINEAR, 33);
            if (i == 1 && kind == ALGORITHM_CROSSQ)
                add_layer(nets[i], LAYER_BATCH_RENORM, 0);
            if (i == 0)
                add_layer(nets[i], LAYER_LAYER_NORM, 0);
            add_layer(nets[i], LAYER_RELU, 0);
        }
        nets[i]->optim = (struct optim_spec){.lr = 1e-2, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-6};
        nets[i]->polyak_coef = 0.005;
    }
    return spec;
}

static struct update *make(const struct spec *spec, bool discrete, size_t threads)
{
    struct error   err;
    struct update *u = update_make(spec, O, A, discrete, threads, 5, &err);
    assert_non_null(u);
    return u;
}

static void make_batch(struct batch *b, bool discrete, uint64_t seed)
{
    struct error err;
    struct rng   rng;
    assert_int_equal(batch_init(b, B, O, discrete ? 1 : A, A, &err), 0);
    rng_init(&rng, seed, RNG_TEST, 0);
    rng_normal_fill(&rng, b->obs, B * O);
    rng_normal_fill(&rng, b->next_obs, B * O);
    rng_normal_fill(&rng, b->reward, B);
    rng_normal_fill(&rng, b->noise_next, B * A);
    rng_normal_fill(&rng, b->noise_policy, B * A);
    for (size_t i = 0; i < B * b->W; i++)
        b->action[i] = discrete ? (float)rng_below(&rng, A) : (float)rng_range(&rng, -1, 1);
    for (size_t i = 0; i < B; i++) {
        b->discount[i] = 0.99f;
        b->weight[i] = 1;
    }
}

static size_t list(struct update *u, struct update_block *blocks)
{
    size_t n = update_blocks(u, blocks, 512);
    assert_in_range(n, 1, 512);
    return n;
}

static size_t bytes_of(const struct update_block *b)
{
    size_t n = (b->rows == 0 ? 1 : b->rows) * (b->cols == 0 ? 1 : b->cols);
    return n * (b->integer ? sizeof(uint64_t) : sizeof(float));
}

static bool same_state(struct update *u, struct update *v)
{
    static struct update_block a[512], b[512];
    size_t                     n = list(u, a);
    assert_int_equal(n, list(v, b));
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(a[i].name, b[i].name);
        if (memcmp(a[i].data, b[i].data, bytes_of(&a[i])) != 0)
            return false;
    }
    return true;
}

static void copy_state(struct update *to, struct update *from)
{
    static struct update_block a[512], b[512];
    size_t                     n = list(from, a);
    list(to, b);
    for (size_t i = 0; i < n; i++)
        memcpy(b[i].data, a[i].data, bytes_of(&a[i]));
}

static void steps(struct update *u, bool discrete, uint64_t first, uint64_t n)
{
    for (uint64_t k = first; k < first + n; k++) {
        struct batch         b;
        struct update_result result;
        make_batch(&b, discrete, k);
        update_step(u, &b, &result);
        assert_false(result.skipped);
        assert_int_equal(result.actor_updated, (k + 1) % 2 == 0);
        batch_free(&b);
    }
}

static void one_thread_and_two_give_the_same_bits(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++)
        for (int discrete = 0; discrete < 2; discrete++) {
            struct spec   *spec = make_spec(kind == 0 ? ALGORITHM_CROSSQ : ALGORITHM_SAC);
            struct update *u = make(spec, discrete, 1), *v = make(spec, discrete, 2);
            steps(u, discrete, 0, 6);
            assert_false(same_state(u, v));
            steps(v, discrete, 0, 6);
            assert_true(same_state(u, v));
            update_free(u);
            update_free(v);
            free(spec);
        }
}

static void a_restored_state_goes_on_as_if_nothing_had_been(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct spec   *spec = make_spec(kind == 0 ? ALGORITHM_CROSSQ : ALGORITHM_SAC);
        struct update *u = make(spec, false, 2), *v = make(spec, false, 2);
        steps(u, false, 0, 3);
        copy_state(v, u);
        steps(u, false, 3, 3);
        steps(v, false, 3, 3);
        assert_true(same_state(u, v));
        assert_int_equal(update_count(v), 6);
        update_free(u);
        update_free(v);
        free(spec);
    }
}

static void skips(float *where, float value, struct update *u, struct batch *b, const char *name)
{
    struct update_result result;
    struct spec         *spec = make_spec(u->spec.kind);
    struct update       *before = make(spec, u->discrete, 1);
    float                old = *where;
    *where = value;
    copy_state(before, u);
    update_step(u, b, &result);
    before->count++;
    if (!result.skipped)
        fail_msg("an update with %g in %s went through", (double)value, name);
    if (strstr(result.why, name) == NULL)
        fail_msg("\"%s\" does not name %s", result.why, name);
    assert_true(same_state(u, before));
    *where = old;
    update_step(u, b, &result);
    assert_false(result.skipped);
    update_free(before);
    free(spec);
}

static void what_is_not_finite_is_named_and_leaves_no_trace(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct spec   *spec = make_spec(kind == 0 ? ALGORITHM_CROSSQ : ALGORITHM_SAC);
        struct update *u = make(spec, false, 2);
        struct batch   b;
        make_batch(&b, false, 1);
        skips(&b.obs[3], NAN, u, &b, "batch.obs");
        skips(&b.next_obs[30], INFINITY, u, &b, "batch.next_obs");
        skips(&b.reward[B - 1], NAN, u, &b, "batch.reward");
        skips(&b.action[0], NAN, u, &b, "batch.action");
        skips(&u->q[1].params[2], NAN, u, &b, "q2.0.weight");
        skips(&u->actor.params[2], NAN, u, &b, "actor.0.weight");
        // a finite loss with a gradient that is not
        skips(&b.reward[0], 1e30f, u, &b, "gradient");
        batch_free(&b);
        update_free(u);
        free(spec);
    }
}

static void weights_of_zero_take_rows_out(void **state)
{
    (void)state;
    struct spec         *spec = make_spec(ALGORITHM_SAC);
    struct update       *u = make(spec, false, 1), *v = make(spec, false, 1);
    struct batch         b;
    struct update_result r, s;
    make_batch(&b, false, 1);
    update_step(u, &b, &r);
    float error = update_td_error(u)[4];
    assert_true(error > 0);
    // the row's reward is different now, but no one looks at it
    b.weight[4] = 0;
    update_step(v, &b, &r);
    update_free(u);
    u = make(spec, false, 1);
    b.reward[4] += 3;
    update_step(u, &b, &s);
    assert_true(same_state(u, v));
    assert_true(r.q1_loss == s.q1_loss);
    assert_true(fabsf(update_td_error(u)[4] - error) > 1);
    batch_free(&b);
    update_free(u);
    update_free(v);
    free(spec);
}

static void smooth_l1_is_linear_far_out(void **state)
{
    (void)state;
    struct spec         *spec = make_spec(ALGORITHM_SAC);
    struct batch         b;
    struct update_result mse, l1;
    make_batch(&b, false, 1);
    for (size_t i = 0; i < B; i++)
        b.reward[i] = 1000;
    struct update *u = make(spec, false, 1);
    update_step(u, &b, &mse);
    spec->critic_net.loss = LOSS_SMOOTH_L1;
    struct update *v = make(spec, false, 1);
    update_step(v, &b, &l1);
    assert_true(fabs(sqrt(mse.q1_loss) - (l1.q1_loss + 0.5)) < 0.1);
    batch_free(&b);
    update_free(u);
    update_free(v);
    free(spec);
}

static void clipping_bounds_the_norm(void **state)
{
    (void)state;
    struct spec *spec = make_spec(ALGORITHM_CROSSQ);
    struct batch b;
    make_batch(&b, false, 1);
    spec->critic_net.clip_grad_val = 1e-3;
    struct update       *u = make(spec, false, 1);
    struct update_result result;
    update_step(u, &b, &result);
    double square = 0;
    for (size_t i = 0; i < u->q[0].n_params; i++)
        square += pow((double)u->q[0].grads[i], 2);
    assert_true(square > 1e-5);
    assert_true(fabs((double)u->grad_scale[0] * sqrt(square) - 1e-3) < 1e-6);
    // the first moment is what Adam was given
    double moment = 0;
    for (size_t i = 0; i < u->q[0].n_params; i++)
        moment += pow((double)u->q_adam[0].m[i] / 0.1, 2);
    assert_true(fabs(sqrt(moment) - 1e-3) < 1e-5);
    batch_free(&b);
    update_free(u);
    free(spec);
}

static void weight_norm_keeps_rows_at_length_one(void **state)
{
    (void)state;
    struct spec *spec = make_spec(ALGORITHM_CROSSQ);
    spec->critic_net.weight_norm = true;
    struct update *u = make(spec, false, 2);
    steps(u, false, 0, 4);
    for (int i = 0; i < 2; i++) {
        const struct layer_linear *l = &u->q[i].ops[2].linear;
        assert_int_equal(u->q[i].ops[2].kind, OP_LINEAR);
        for (size_t r = 0; r < l->out; r++) {
            double square = pow((double)l->bias[r], 2);
            for (size_t k = 0; k < l->in; k++)
                square += pow((double)l->weight[r * l->ld + k], 2);
            assert_true(fabs(square - 1) < 1e-5);
        }
    }
    update_free(u);
    free(spec);
}

static void the_rate_follows_progress(void **state)
{
    (void)state;
    struct spec *spec = make_spec(ALGORITHM_CROSSQ);
    spec->actor_net.optim.schedule = spec->critic_net.optim.schedule = SCHEDULE_LINEAR;
    spec->actor_net.optim.final_factor = spec->critic_net.optim.final_factor = 0;
    struct update *u = make(spec, false, 1), *v = make(spec, false, 1);
    update_set_progress(u, 1);
    steps(u, false, 0, 2);
    // no step at a rate of 0, whatever the gradients
    assert_memory_equal(u->q[0].params, v->q[0].params, u->q[0].n_params * sizeof(float));
    assert_memory_equal(u->actor.params, v->actor.params, u->actor.n_params * sizeof(float));
    update_free(u);
    update_free(v);
    free(spec);
}

static void networks_start_differently_and_repeatably(void **state)
{
    (void)state;
    struct spec   *spec = make_spec(ALGORITHM_SAC);
    struct update *u = make(spec, false, 1), *v = make(spec, false, 2);
    assert_true(same_state(u, v));
    size_t size = u->q[0].n_params * sizeof(float);
    assert_memory_not_equal(u->q[0].params, u->q[1].params, size);
    assert_memory_equal(u->q[0].params, u->target[0].params, size);
    assert_true(u->target_entropy == -A);
    update_free(u);
    update_free(v);
    u = make(spec, true, 1);
    assert_true(fabs(u->target_entropy - 0.6 * log(A)) < 1e-12);
    update_free(u);
    free(spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_and_two_give_the_same_bits),
        cmocka_unit_test(a_restored_state_goes_on_as_if_nothing_had_been),
        cmocka_unit_test(what_is_not_finite_is_named_and_leaves_no_trace),
        cmocka_unit_test(weights_of_zero_take_rows_out),
        cmocka_unit_test(smooth_l1_is_linear_far_out),
        cmocka_unit_test(clipping_bounds_the_norm),
        cmocka_unit_test(weight_norm_keeps_rows_at_length_one),
        cmocka_unit_test(the_rate_follows_progress),
        cmocka_unit_test(networks_start_differently_and_repeatably),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
