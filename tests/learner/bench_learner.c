// Speed of updates against the machine's matrix products. One JSON line for each width, algorithm and
// layout; WIDTHS="256 512", SECONDS=5 and THREADS=2 in the environment choose what is measured. Every
// update draws its batch from a replay memory and its noise, as the learner does.
//
// With PROFILE=trace.json a table of where an update's time goes follows on stderr, and the file shows
// the last case to chrome://tracing or Perfetto. With COUNT=n each case only makes n updates and prints
// nothing: for an instruction counter (tests/bench/check.sh).
//
// gemm_gflops is the best rate of OpenBLAS on the critic's hidden layer, found in the same process,
// the same threads each working on a product of their own. updates_per_s is the median of several
// stretches; gflop_per_update counts the products that the algorithm needs, 2 m n k each. Where other
// machines share the processor its rate swings within a run, and a best rate is then more than any
// median can reach: gemm_median_gflops is what OpenBLAS has at the median of short stretches between
// updates, fraction_in_turn the median ratio of an update's stretch to the products around it.
#include "common/blas.h"
#include "common/block.h"
#include "common/clock.h"
#include "learner/replay.h"
#include "learner/update_state.h"
#include "tests/bench/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OBS 17
#define ACT 6
#define BATCH 256
#define STRETCHES 5
#define MAX_TURNS 1000
#define ROWS 100000          // in the replay memory
#define PROFILE_UPDATES 300  // of one profile
#define PROFILE_SPANS 100000

struct bench {
    enum algorithm_kind algorithm;
    bool                paper;
    size_t              width, threads, count;
    double              seconds;
    const char         *profile;  // trace file or NULL
};

// What an update reads and writes.
struct work {
    struct update *update;
    struct replay  replay;
    struct batch   batch;
    struct rng     sample, noise;
};

// ---------------------------------------------------------------- specs

static void add_layer(struct net_spec *net, enum layer_kind kind, size_t out, bool paper)
{
    net->layers[net->n_layers++] = (struct layer_spec){
        .kind = kind,
        .out = out,
        .momentum = 0.01,
        .eps = kind == LAYER_LAYER_NORM ? 1e-5 : 1e-3,
        .warmup_steps = 10,
        .r_max = 3,
        .d_max = 5,
        .ramp = paper ? RENORM_STEP : RENORM_LINEAR,
        .form = paper ? RENORM_ADJUSTED : RENORM_TEXTBOOK,
    };
}

// hidden layers of this width: the paper's norms lie on the input and behind activations, the lab's
// between Linear and ReLU; SAC has none
static void fill_net(struct net_spec *net, const struct bench *b, size_t width, enum layer_kind lab)
{
    bool norm = b->algorithm == ALGORITHM_CROSSQ;
    if (norm && b->paper)
        add_layer(net, LAYER_BATCH_RENORM, 0, true);
    for (int i = 0; i < 2; i++) {
        add_layer(net, LAYER_LINEAR, width, b->paper);
        if (norm && !b->paper)
            add_layer(net, lab, 0, false);
        add_layer(net, LAYER_RELU, 0, b->paper);
        if (norm && b->paper)
            add_layer(net, LAYER_BATCH_RENORM, 0, true);
    }
    net->init = INIT_TORCH;
    net->optim = (struct optim_spec){.lr = 3e-4, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
    net->polyak_coef = 0.005;
}

static void fill_spec(struct spec *spec, const struct bench *b)
{
    *spec = (struct spec){0};
    spec->algorithm = (struct algorithm_spec){
        .kind = b->algorithm,
        .gamma = 0.99,
        .policy_delay = b->algorithm == ALGORITHM_CROSSQ ? 3 : 1,
        .log_alpha_min = -10,
        .log_alpha_max = 2,
        .alpha_init = 1,
        .alpha_beta1 = 0.9,
        .target_entropy = -ACT,
        .critic_loss_scale = 0.5,
        .log_std_min = -20,
        .log_std_max = 2,
    };
    spec->memory.batch_size = BATCH;
    fill_net(&spec->actor_net, b, 256, LAYER_LAYER_NORM);
    fill_net(&spec->critic_net, b, b->width, LAYER_BATCH_RENORM);
}

// ---------------------------------------------------------------- what an update needs

// products of a train-mode backward: nobody wants the input's gradient unless a norm takes it
static double flops_backward(const struct network *net, double rows)
{
    size_t first = net->ops[0].kind == OP_LINEAR ? net->in : 0;
    return network_flops_backward(net, (size_t)rows, true, first);
}

static double gflop_per_update(const struct update *u)
{
    const struct network *q = &u->q[0];
    bool                  joint = u->spec.kind == ALGORITHM_CROSSQ;
    double                head = 2.0 * (double)(q->ops[q->n_ops - 1].in * q->out);
    double                critic = network_flops_forward(q, 2 * BATCH);
    critic += flops_backward(q, joint ? 2 * BATCH : BATCH);
    // the head's gradient is 0 in the rows of the next states
    critic -= joint ? 2 * head * BATCH : 0;
    double actor = network_flops_forward(&u->actor, BATCH) + flops_backward(&u->actor, BATCH);
    actor += 2 * network_flops_forward(q, BATCH);
    actor += 2 * network_flops_backward(q, BATCH, false, OBS);
    double flops = network_flops_forward(&u->actor, BATCH) + 2 * critic;
    return 1e-9 * (flops + actor / (double)u->spec.policy_delay);
}

// ---------------------------------------------------------------- the machine's rate

struct gemm_job {
    size_t width, repeats;
    int    kind;
    float *x, *w, *y;     // one matrix of each a thread, apart by stride
    size_t stride, size;  // size: bytes of all
};

static void gemm_part(void *arg, size_t part)
{
    const struct gemm_job *j = arg;
    float *x = j->x + part * j->stride, *w = j->w + part * j->stride, *y = j->y + part * j->stride;
    size_t n = j->width, m = 2 * BATCH;
    for (size_t i = 0; i < j->repeats; i++) {
        if (j->kind == 0)
            blas_nt(y, n, x, n, w, n, m, n, n);
        else if (j->kind == 1)
            blas_nn(y, n, x, n, w, n, m, n, n);
        else
            blas_tn(y, n, x, n, w, n, n, n, m);
    }
}

// flop/s of one kind of product on all threads
static double gemm_rate(struct pool *pool, struct gemm_job *job, size_t threads)
{
    double start = clock_now();
    pool_run(pool, "product", threads, gemm_part, job);
    return 2.0 * (2 * BATCH) * (double)(job->width * job->width * job->repeats * threads) /
           (clock_now() - start);
}

// best of some tries, each about 20 ms, over the three kinds of product that a layer needs
static double gemm_best(struct pool *pool, struct gemm_job *job, size_t threads, int *kind)
{
    double best = 0;
    for (int try = 0; try < 9; try++) {
        job->kind = try % 3;
        double rate = gemm_rate(pool, job, threads);
        if (rate > best) {
            best = rate;
            *kind = job->kind;
        }
    }
    return best;
}

// ---------------------------------------------------------------- the measurement

static int work_init(struct work *w, const struct bench *b, struct error *err)
{
    static struct spec spec;
    struct row_shape   shape = row_shape_make(OBS, ACT);
    float              row[2 * OBS + ACT + 4] = {0};
    fill_spec(&spec, b);
    *w = (struct work){.update = update_make(&spec, OBS, ACT, false, b->threads, 1, err)};
    if (w->update == NULL || batch_init(&w->batch, BATCH, OBS, ACT, ACT, err) < 0 ||
        replay_init(&w->replay, shape, ROWS, 1, 0, NULL, false, err) < 0)
        return err->code;
    rng_init(&w->sample, 1, RNG_SAMPLE, 0);
    rng_init(&w->noise, 1, RNG_NOISE, 0);
    for (uint64_t i = 0; i < ROWS; i++) {
        rng_normal_fill(&w->noise, row, shape.flags);
        for (size_t k = 0; k < ACT; k++)
            row[OBS + k] = (float)rng_range(&w->noise, -1, 1);
        row[shape.discount] = 0.99f;
        replay_insert(&w->replay, row, 1, 0, &(struct replay_mark){1, i + 1, "a"});
    }
    return 0;
}

static void work_free(struct work *w)
{
    update_free(w->update);
    batch_free(&w->batch);
    replay_free(&w->replay);
}

static void one_update(struct work *w, struct profile_lane *lane)
{
    struct update_result result;
    double               start = profile_start(lane);
    replay_draw(&w->replay, &w->batch, false, &w->sample);
    replay_gather(&w->replay, &w->batch);
    for (size_t i = 0; i < BATCH; i++)
        w->batch.weight[i] = 1;
    profile_add(lane, "sample batch", start);
    start = profile_start(lane);
    rng_normal_pairs(&w->noise, w->batch.noise_next, BATCH * ACT);
    rng_normal_pairs(&w->noise, w->batch.noise_policy, BATCH * ACT);
    profile_add(lane, "draw noise", start);
    update_step(w->update, &w->batch, &result);
    if (result.skipped) {
        fprintf(stderr, "bench_learner: %s is not finite\n", result.why);
        exit(1);
    }
}

// updates a second over some seconds
static double stretch(struct work *w, double seconds)
{
    double   start = clock_now(), now = start;
    uint64_t n = 0;
    // whole turns of the policy delay, so that each stretch does the same work an update
    while (now - start < seconds || n % w->update->spec.policy_delay != 0) {
        one_update(w, NULL);
        n++;
        now = clock_now();
    }
    return (double)n / (now - start);
}

struct measured {
    double updates;  // a second, median of some stretches
    double gemm;     // best rate of products in between, flop/s
    double steady;   // median rate of products between short stretches of updates, flop/s
    double in_turn;  // median of updates a second by the products' flop/s right before and after
};

static int gemm_job_init(struct gemm_job *job, size_t width, size_t threads)
{
    size_t tall = width > 2 * BATCH ? width : 2 * BATCH;
    double flops = 2.0 * (2 * BATCH) * (double)width * (double)width;
    *job = (struct gemm_job){.width = width, .stride = width * tall};
    job->size = 3 * threads * job->stride * sizeof(float);
    job->repeats = (size_t)(0.02 * 1e11 / flops) + 1;
    job->x = block_make(job->size);
    if (job->x == NULL)
        return -1;
    job->w = job->x + threads * job->stride;
    job->y = job->w + threads * job->stride;
    return 0;
}

static void measure(struct work *w, const struct bench *b, struct pool *pool, struct measured *m)
{
    struct gemm_job job;
    double          rates[STRETCHES], turns[MAX_TURNS], products[MAX_TURNS + 1];
    double          seconds = b->seconds / STRETCHES, per = seconds / 10;
    int             kind = 0;
    size_t          n = 0;
    if (gemm_job_init(&job, b->width, b->threads) < 0) {
        fprintf(stderr, "bench_learner: no memory\n");
        exit(1);
    }
    m->gemm = 0;
    stretch(w, seconds);
    for (int i = 0; i < STRETCHES; i++) {
        double rate = gemm_best(pool, &job, b->threads, &kind);
        m->gemm = rate > m->gemm ? rate : m->gemm;
        rates[i] = stretch(w, seconds);
    }
    job.kind = kind;
    products[0] = gemm_rate(pool, &job, b->threads);
    for (double start = clock_now(); n < 1 || (n < MAX_TURNS && clock_now() - start < b->seconds);
         n++) {
        double rate = stretch(w, per);
        products[n + 1] = gemm_rate(pool, &job, b->threads);
        turns[n] = 2 * rate / (products[n] + products[n + 1]);
    }
    block_free(job.x, job.size);
    m->updates = bench_median(rates, STRETCHES);
    m->steady = bench_median(products, n + 1);
    m->in_turn = bench_median(turns, n);
}

static int show_profile(struct work *w, const struct bench *b, struct error *err)
{
    struct profile p;
    if (profile_init(&p, b->threads, PROFILE_SPANS, err) < 0)
        return err->code;
    update_set_profile(w->update, &p);
    for (int i = 0; i < PROFILE_UPDATES; i++)
        one_update(w, &p.lane[0]);
    update_set_profile(w->update, NULL);
    int code = profile_trace(&p, b->profile, err);
    profile_table(&p, stderr, PROFILE_UPDATES);
    profile_free(&p);
    return code;
}

static void run(const struct bench *b, struct pool *pool)
{
    struct error err = {0};
    struct work  w;
    if (work_init(&w, b, &err) < 0) {
        fprintf(stderr, "bench_learner: %s\n", err.text);
        exit(1);
    }
    for (size_t i = 0; i < b->count; i++)
        one_update(&w, NULL);
    if (b->count == 0) {
        struct measured m;
        double          gflop = gflop_per_update(w.update);
        measure(&w, b, pool, &m);
        printf("{\"bench\":\"learner\",\"algo\":\"%s\",\"layout\":\"%s\",\"obs\":%d,\"act\":%d,"
               "\"batch\":%d,\"critic\":[%zu,%zu],\"actor\":[256,256],\"threads\":%zu,"
               "\"updates_per_s\":%.2f,\"gflop_per_update\":%.4f,\"gemm_gflops\":%.1f,"
               "\"fraction\":%.3f,\"gemm_median_gflops\":%.1f,\"fraction_in_turn\":%.3f}\n",
               b->algorithm == ALGORITHM_CROSSQ ? "CrossQ" : "SAC", b->paper ? "paper" : "slm", OBS,
               ACT, BATCH, b->width, b->width, b->threads, m.updates, gflop, 1e-9 * m.gemm,
               1e9 * m.updates * gflop / m.gemm, 1e-9 * m.steady, 1e9 * m.in_turn * gflop);
        fflush(stdout);
    }
    if (b->profile != NULL && show_profile(&w, b, &err) < 0)
        fprintf(stderr, "bench_learner: %s\n", err.text);
    work_free(&w);
}

int main(void)
{
    const char  *widths = bench_text("WIDTHS", "256 512 1024 2048");
    struct bench b = {.seconds = bench_number("SECONDS", 5),
                      .threads = (size_t)bench_number("THREADS", 2),
                      .count = (size_t)bench_number("COUNT", 0),
                      .profile = bench_text("PROFILE", NULL)};
    struct error err = {0};
    if (b.threads < 1 || !(b.seconds > 0)) {
        fprintf(stderr, "bench_learner: THREADS and SECONDS are numbers above 0\n");
        return 2;
    }
    blas_init();
    struct pool *pool = pool_make(b.threads, &err);
    if (pool == NULL) {
        fprintf(stderr, "bench_learner: %s\n", err.text);
        return 1;
    }
    char *end;
    for (const char *at = widths; (b.width = strtoul(at, &end, 10)) > 0; at = end)
        for (int k = 0; k < 4; k++) {
            b.algorithm = k < 2 ? ALGORITHM_CROSSQ : ALGORITHM_SAC;
            b.paper = k % 2 == 0;
            run(&b, pool);
        }
    pool_free(pool);
    return 0;
}
