// What each matrix product of an update reaches, one at a time on one thread, of OpenBLAS's best rate on
// the largest. WIDTHS="256 512" in the environment chooses the critics.
//
// Each product is measured twice: warm, on the same operands again and again, as the best rate is; and
// on operands that are COLD bytes of other work old, as an update finds them. One JSON line a product:
// rows x inputs x outputs, its share of the update's operations and of its time when cold, both rates over
// the best rate of the critic's hidden product (bench_learner's gemm_gflops). The line with "bound" has
// the fraction of a learner that does nothing but these products. Times are processor time of the thread.
#include "common/blas.h"
#include "common/block.h"
#include "common/clock.h"
#include "common/network_pass.h"
#include "tests/bench/measure.h"

#include <stdio.h>
#include <stdlib.h>

#define COLD ((size_t)32 << 20)

enum { OBS = 17, ACT = 6, BATCH = 256, TRIES = 9, PRODUCTS = 64 };

enum product_kind { FORWARD, WEIGHT_GRADIENT, INPUT_GRADIENT, KINDS };

// A product of one layer, `calls` times an update.
struct product {
    const char                *net;
    const struct layer_linear *layer;
    enum product_kind          kind;
    size_t                     rows, first;        // first: of the input's columns that are wanted
    double                     calls, warm, cold;  // calls an update; seconds
};

struct list {
    size_t         n;
    struct product product[PRODUCTS];
};

static const char *const KIND[KINDS] = {"forward", "weight gradient", "input gradient"};

// ------ the products of an update

static void add(struct list *l, struct product p)
{
    if (l->n < PRODUCTS)
        l->product[l->n++] = p;
}

// head_rows: the last layer's rows with a gradient; params: weight gradients; first: of the input's
// columns whose gradient is wanted
static void add_pass(struct list *l, const char *name, const struct network *net, size_t rows,
                     size_t head_rows, bool params, bool backward, size_t first, double calls)
{
    for (size_t i = 0; i < net->n_ops; i++) {
        const struct layer_linear *layer = &net->ops[i].linear;
        bool                       head = i + 1 == net->n_ops;
        size_t                     live = head ? head_rows : rows, from = i == 0 ? first : 0;
        if (net->ops[i].kind != OP_LINEAR)
            continue;
        add(l, (struct product){name, layer, FORWARD, rows, 0, calls, 0, 0});
        if (params)
            add(l, (struct product){name, layer, WEIGHT_GRADIENT, live, 0, calls, 0, 0});
        if (backward && from < layer->in)
            add(l, (struct product){name, layer, INPUT_GRADIENT, live, from, calls, 0, 0});
    }
}

// CrossQ in the lab's layout, an actor's step every third update
static void list_update(struct list *l, const struct network *critic, const struct network *actor)
{
    l->n = 0;
    add_pass(l, "critic", critic, 2 * BATCH, BATCH, true, true, critic->in, 2);
    add_pass(l, "actor, next actions", actor, BATCH, BATCH, false, false, 0, 1);
    add_pass(l, "actor", actor, BATCH, BATCH, true, true, actor->in, 1 / 3.0);
    add_pass(l, "critic, new actions", critic, BATCH, BATCH, false, true, OBS, 2 / 3.0);
}

static double product_flops(const struct product *p)
{
    size_t in = p->layer->in - (p->kind == INPUT_GRADIENT ? p->first : 0);
    return 2.0 * (double)p->rows * (double)in * (double)p->layer->out;
}

// ------ measuring

// Operands of one product; there are several of them, so that each is cold when its turn comes.
struct operands {
    float *x, *y, *dx;        // (2 BATCH, ld)
    float *weight, *dweight;  // (width, ld)
};

struct stock {
    size_t           n, ld, size;
    struct operands *list;
    float           *block;
};

static int stock_init(struct stock *s, size_t width, struct rng *rng, struct error *err)
{
    size_t ld = network_ld(width > 256 ? width : 256), rows = 2 * BATCH;
    size_t one = (3 * rows + 2 * (width > 256 ? width : 256)) * ld;
    *s = (struct stock){.ld = ld, .n = COLD / (one * sizeof(float)) + 2};
    s->size = s->n * one * sizeof(float);
    s->block = block_make(s->size);
    s->list = calloc(s->n, sizeof *s->list);
    if (s->block == NULL || s->list == NULL)
        return error_set(err, ERR_MEMORY, "no memory");
    for (size_t i = 0; i < s->n * one; i++)
        s->block[i] = (float)rng_range(rng, -1, 1);
    for (size_t i = 0; i < s->n; i++) {
        struct operands *o = &s->list[i];
        o->x = s->block + i * one;
        o->y = o->x + rows * ld;
        o->dx = o->y + rows * ld;
        o->weight = o->dx + rows * ld;
        o->dweight = o->weight + (one - 3 * rows * ld) / 2;
    }
    return 0;
}

static void stock_free(struct stock *s)
{
    block_free(s->block, s->size);
    free(s->list);
}

static void product_run(const struct product *p, const struct operands *o, size_t ld)
{
    struct layer_linear l = *p->layer;
    size_t              ldx = network_ld(l.in), ldy = network_ld(l.out);
    l.weight = o->weight;
    l.dweight = o->dweight;
    if (p->kind == FORWARD)
        layer_linear_forward(&l, o->y, ldy, o->x, ldx, 0, p->rows, 0, l.out);
    else if (p->kind == WEIGHT_GRADIENT)
        layer_linear_backward_weight(&l, o->y, ld, o->x, ldx, p->rows, 0, l.out);
    else
        layer_linear_backward_input(&l, o->dx, ld, o->y, ld, 0, p->rows, p->first, l.in);
}

// median seconds of some tries, each over all operands or as often over the first ones
static double product_seconds(const struct product *p, const struct stock *s, bool cold)
{
    double seconds[TRIES];
    for (int try = -1; try < TRIES; try++) {
        double start = clock_thread();
        for (size_t i = 0; i < s->n; i++)
            product_run(p, &s->list[cold ? i : 0], s->ld);
        seconds[try < 0 ? 0 : try] = (clock_thread() - start) / (double)s->n;
    }
    return bench_median(seconds, TRIES);
}

// best rate of the hidden product, as bench_learner finds it
static double reference(size_t n, const struct operands *o)
{
    double best = 0, flops = 2.0 * (2 * BATCH) * (double)n * (double)n;
    size_t repeats = (size_t)(0.02 * 1e11 / flops) + 1;
    for (int try = 0; try < 9; try++) {
        double start = clock_thread();
        for (size_t i = 0; i < repeats; i++)
            if (try % 3 == 0)
                blas_nt(o->y, n, o->x, n, o->weight, n, 2 * BATCH, n, n);
            else if (try % 3 == 1)
                blas_nn(o->y, n, o->x, n, o->weight, n, 2 * BATCH, n, n);
            else
                blas_tn(o->dweight, n, o->x, n, o->y, n, n, n, 2 * BATCH);
        double rate = flops * (double)repeats / (clock_thread() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

// ------ one width

static void add_layers(struct net_spec *spec, size_t width)
{
    for (size_t i = 0; i < 2; i++) {
        spec->layers[spec->n_layers++] = (struct layer_spec){.kind = LAYER_LINEAR, .out = width};
        spec->layers[spec->n_layers++] = (struct layer_spec){.kind = LAYER_RELU};
    }
    spec->init = INIT_TORCH;
}

static void show(const struct list *l, size_t width, double rate)
{
    double flops = 0, warm = 0, cold = 0;
    for (size_t i = 0; i < l->n; i++) {
        flops += l->product[i].calls * product_flops(&l->product[i]);
        warm += l->product[i].calls * l->product[i].warm;
        cold += l->product[i].calls * l->product[i].cold;
    }
    for (size_t i = 0; i < l->n; i++) {
        const struct product *p = &l->product[i];
        printf("{\"bench\":\"products\",\"critic\":%zu,\"net\":\"%s\",\"product\":\"%s\","
               "\"rows\":%zu,\"in\":%zu,\"out\":%zu,\"share\":%.4f,\"time\":%.4f,"
               "\"warm\":%.3f,\"cold\":%.3f}\n",
               width, p->net, KIND[p->kind], p->rows, p->layer->in, p->layer->out,
               p->calls * product_flops(p) / flops, p->calls * p->cold / cold,
               product_flops(p) / p->warm / rate, product_flops(p) / p->cold / rate);
    }
    printf("{\"bench\":\"products\",\"critic\":%zu,\"gemm_gflops\":%.1f,\"bound_warm\":%.3f,"
           "\"bound\":%.3f}\n",
           width, 1e-9 * rate, flops / warm / rate, flops / cold / rate);
    fflush(stdout);
}

static int run(size_t width, struct error *err)
{
    struct net_spec     critic_spec = {0}, actor_spec = {0};
    struct network      critic, actor = {0};
    struct network_head out = {"out", 1}, gaussian[] = {{"mean", ACT}, {"log_std", ACT}};
    struct rng          rng;
    struct stock        stock;
    static struct list  list;
    add_layers(&critic_spec, width);
    add_layers(&actor_spec, 256);
    rng_init(&rng, 1, RNG_TEST, 0);
    if (network_init(&critic, &critic_spec, OBS + ACT, &out, 1, 2 * BATCH, true, err) < 0 ||
        network_init(&actor, &actor_spec, OBS, gaussian, 2, BATCH, true, err) < 0 ||
        stock_init(&stock, width, &rng, err) < 0)
        return err->code;
    list_update(&list, &critic, &actor);
    double rate = reference(width, &stock.list[0]);
    for (size_t i = 0; i < list.n; i++) {
        list.product[i].warm = product_seconds(&list.product[i], &stock, false);
        list.product[i].cold = product_seconds(&list.product[i], &stock, true);
    }
    show(&list, width, rate);
    stock_free(&stock);
    network_free(&critic);
    network_free(&actor);
    return 0;
}

int main(void)
{
    const char  *widths = bench_text("WIDTHS", "256 512 1024");
    struct error err = {0};
    char        *end;
    blas_init();
    for (size_t width; (width = strtoul(widths, &end, 10)) > 0; widths = end)
        if (run(width, &err) < 0) {
            fprintf(stderr, "bench_products: %s\n", err.text);
            return 1;
        }
    return 0;
}
