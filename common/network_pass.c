#include "common/network_pass.h"

#include <assert.h>
#include <string.h>

// Rows and columns of one op's result that one part works on.
struct piece {
    size_t r0, r1, c0, c1;
};

// what op i reads in a pass over x
static const float *input_of(const struct network *net, size_t i, const float *x)
{
    return i == 0 ? x : net->ops[i - 1].y;
}

static size_t input_ld(const struct network *net, size_t i)
{
    return network_ld(net->ops[i].in);
}

// the share of part in a result of op i: columns, but rows of a LayerNorm
static struct piece piece_of(const struct network *net, size_t i, size_t rows, size_t part,
                             size_t parts)
{
    const struct op     *op = &net->ops[i];
    bool                 by_rows = op->kind == OP_LAYER_NORM;
    struct network_range s = network_range(by_rows ? rows : op->out, part, parts);
    if (by_rows)
        return (struct piece){s.begin, s.end, 0, op->out};
    return (struct piece){0, rows, s.begin, s.end};
}

// the columns of a piece from c on, as many as step
static struct piece tile_at(struct piece s, size_t c, size_t step)
{
    return (struct piece){s.r0, s.r1, c, c + step < s.c1 ? c + step : s.c1};
}

// ---------------------------------------------------------------- one op

static void op_forward(struct network *net, size_t i, const float *x0, bool train, struct piece s)
{
    struct op   *op = &net->ops[i];
    const float *x = input_of(net, i, x0);
    size_t       ld = op->ld;
    switch (op->kind) {
    case OP_LINEAR:
        layer_linear_forward(&op->linear, op->y, ld, x, input_ld(net, i), s.r0, s.r1, s.c0, s.c1);
        if (!op->raw)
            layer_activation_forward(op->activation, op->y, op->y, ld, op->linear.bias, s.r0, s.r1,
                                     s.c0, s.c1);
        break;
    case OP_BATCH_RENORM:
        if (train)
            layer_batch_renorm_forward(&op->renorm, op->y, x, ld, s.r1, s.c0, s.c1);
        else
            layer_batch_renorm_eval(&op->renorm, op->y, x, ld, s.r0, s.r1, s.c0, s.c1);
        break;
    case OP_LAYER_NORM:
        layer_layer_norm_forward(&op->norm, op->y, x, ld, s.r0, s.r1);
        break;
    case OP_ACTIVATION:
        layer_activation_forward(op->activation, op->y, x, ld, NULL, s.r0, s.r1, s.c0, s.c1);
        break;
    }
}

// dy of op i becomes the gradient of its input in place, or of its product; parameter gradients too.
// dy is 0 from row `live` on.
static void op_backward(struct network *net, size_t i, struct piece s, size_t live, size_t part,
                        size_t parts)
{
    struct op   *op = &net->ops[i];
    const float *x = input_of(net, i, net->x);
    size_t       ld = op->ld, ld_d = net->ld_d;
    switch (op->kind) {
    case OP_LINEAR:
        if (!op->raw)
            layer_activation_backward(op->activation, op->dy, ld_d, op->y, ld, op->linear.dbias, 0,
                                      live, s.c0, s.c1);
        else if (net->ops[i + 1].kind == OP_LAYER_NORM)
            layer_layer_norm_reduce(&net->ops[i + 1].norm, parts, s.c0, s.c1);
        break;
    case OP_BATCH_RENORM:
        layer_batch_renorm_backward(&op->renorm, op->dy, ld_d, x, ld, s.r1, live, s.c0, s.c1);
        break;
    case OP_LAYER_NORM:
        layer_layer_norm_backward(&op->norm, op->dy, ld_d, x, op->y, ld, s.r0, s.r1, part, true);
        break;
    case OP_ACTIVATION:
        layer_activation_backward(op->activation, op->dy, ld_d, op->y, ld, NULL, s.r0, s.r1, s.c0,
                                  s.c1);
        break;
    }
}

// the gradient of op i's weight, if it has one, from dy as op_backward has left it
static void op_backward_weight(struct network *net, size_t i, struct piece s, size_t live)
{
    struct op *op = &net->ops[i];
    if (op->kind == OP_LINEAR)
        layer_linear_backward_weight(&op->linear, op->dy, net->ld_d, input_of(net, i, net->x),
                                     input_ld(net, i), live, s.c0, s.c1);
}

// the same in eval mode: no parameter gradients
static void op_eval_backward(struct network *net, size_t i, const float *x0, struct piece s)
{
    struct op   *op = &net->ops[i];
    const float *x = input_of(net, i, x0);
    size_t       ld = op->ld, ld_d = net->ld_d;
    switch (op->kind) {
    case OP_LINEAR:
        if (op->raw || op->activation == ACTIVATION_NONE)
            break;
        // fallthrough
    case OP_ACTIVATION:
        layer_activation_backward(op->activation, op->dy, ld_d, op->y, ld, NULL, s.r0, s.r1, s.c0,
                                  s.c1);
        break;
    case OP_BATCH_RENORM:
        layer_batch_renorm_eval_backward(&op->renorm, op->dy, ld_d, x, ld, s.r0, s.r1, s.c0, s.c1);
        break;
    case OP_LAYER_NORM:
        layer_layer_norm_backward(&op->norm, op->dy, ld_d, x, op->y, ld, s.r0, s.r1, 0, false);
        break;
    }
}

// gradient of the result of op i - 1 (or of the input) through the product of op i, if it has one
static void op_backward_product(struct network *net, size_t i, struct piece s)
{
    struct op *op = &net->ops[i];
    float     *dx = i == 0 ? net->dx : net->ops[i - 1].dy;
    if (op->kind == OP_LINEAR)
        layer_linear_backward_input(&op->linear, dx, net->ld_d, op->dy, net->ld_d, s.r0, s.r1, s.c0,
                                    s.c1);
}

// ---------------------------------------------------------------- train passes

// Which piece of a network's pass is at work, and the spans of its thread.
struct slot {
    size_t               part, parts;
    struct profile_lane *lane;
};

// spans of a profile, by op_kind
static const char *const FORWARD[] = {"linear forward", "batch renorm forward",
                                      "layer norm forward", "activation forward"};
static const char *const BACKWARD[] = {"bias and activation backward", "batch renorm backward",
                                       "layer norm backward", "activation backward"};

static void train_forward(struct network *net, size_t i, struct piece s, struct profile_lane *lane)
{
    double start = profile_start(lane);
    op_forward(net, i, net->x, true, s);
    profile_add(lane, FORWARD[net->ops[i].kind], start);
}

static void train_backward(struct network *net, size_t i, struct piece s, size_t live,
                           const struct slot *slot)
{
    double start = profile_start(slot->lane);
    op_backward(net, i, s, live, slot->part, slot->parts);
    profile_add(slot->lane, BACKWARD[net->ops[i].kind], start);
}

static void train_weight(struct network *net, size_t i, struct piece s, size_t live,
                         struct profile_lane *lane)
{
    double start = profile_start(lane);
    op_backward_weight(net, i, s, live);
    if (net->ops[i].kind == OP_LINEAR)
        profile_add(lane, "linear weight gradient", start);
}

static void train_product(struct network *net, size_t i, struct piece s, struct profile_lane *lane)
{
    double start = profile_start(lane);
    op_backward_product(net, i, s);
    if (net->ops[i].kind == OP_LINEAR)
        profile_add(lane, "linear input gradient", start);
}

// A pass over nets, cut into pieces; stage counts the ops between two meetings.
struct job {
    const struct network_pass *pass;
    size_t                     stage;
    bool                       input, last_first;
};

// whether op i must see the whole result of the one before it
static bool meets_before(const struct network *net, size_t i)
{
    return i > 0 && (net->ops[i].kind == OP_LINEAR || net->ops[i].kind == OP_LAYER_NORM ||
                     net->ops[i - 1].kind == OP_LAYER_NORM);
}

// the network that piece k belongs to
static struct network *net_of(const struct job *job, size_t k)
{
    const struct network_pass *p = job->pass;
    size_t                     i = k / p->parts;
    return p->nets[job->last_first ? p->n - 1 - i : i];
}

// piece k of all networks' pieces
static struct slot slot_of(const struct network_pass *p, size_t k)
{
    return (struct slot){k % p->parts, p->parts, pool_lane(p->pool, k)};
}

// the first op behind i that must see more than the columns of one before it
static size_t chain_end(const struct network *net, size_t i)
{
    do
        i++;
    while (i < net->n_ops && !meets_before(net, i));
    return i;
}

// op i and the ops to the next meeting, a tile of columns at a time; returns the op after them
static size_t forward_tiles(struct network *net, size_t i, size_t rows, const struct slot *slot)
{
    struct piece s = piece_of(net, i, rows, slot->part, slot->parts);
    size_t       end = chain_end(net, i);
    size_t       step = end > i + 1 ? net->tile : s.c1 - s.c0;
    for (size_t c = s.c0; c < s.c1; c += step)
        for (size_t op = i; op < end; op++)
            train_forward(net, op, tile_at(s, c, step), slot->lane);
    return end;
}

// one piece of the ops from job->stage to the next meeting
static void forward_stage(void *arg, size_t k)
{
    const struct job          *job = arg;
    const struct network_pass *p = job->pass;
    struct network            *net = net_of(job, k);
    struct slot                slot = slot_of(p, k);
    size_t                     i = job->stage;
    do
        i = forward_tiles(net, i, p->rows, &slot);
    while (i < net->n_ops && p->parts == 1);
}

void network_forward(const struct network_pass *p, const float *x)
{
    struct job            job = {.pass = p};
    const struct network *net = p->nets[0];
    assert(p->rows <= net->rows && p->parts <= LAYER_NORM_PARTS);
    for (size_t i = 0; i < p->n; i++)
        p->nets[i]->x = x;
    // a network in one piece never has to meet another
    for (size_t i = 0; i < net->n_ops; i++)
        if (i == 0 || (p->parts > 1 && meets_before(net, i))) {
            job.stage = i;
            pool_run(p->pool, "forward", p->n * p->parts, forward_stage, &job);
        }
}

// The product of op i + 1 with op i behind it, a tile of columns at a time. Rows from product_rows on have
// no gradient: they are not multiplied, but written as zeros for all but a BatchRenorm, which knows.
static void backward_tiles(struct network *net, size_t i, struct piece s, size_t product_rows,
                           size_t live, const struct slot *slot)
{
    struct op *op = &net->ops[i];
    size_t     step = op->kind == OP_LAYER_NORM ? s.c1 - s.c0 : net->tile;
    for (size_t c = s.c0; c < s.c1; c += step) {
        struct piece tile = tile_at(s, c, step), product = tile;
        product.r1 = s.r1 < product_rows ? s.r1 : product_rows;
        train_product(net, i + 1, product, slot->lane);
        size_t zeros = s.r0 > product_rows ? s.r0 : product_rows;
        for (size_t r = zeros; r < s.r1 && op->kind != OP_BATCH_RENORM; r++)
            memset(op->dy + r * net->ld_d + c, 0, (tile.c1 - c) * sizeof(float));
        train_backward(net, i, tile, live, slot);
    }
    train_weight(net, i, s, live, slot->lane);
}

// The gradient of op i's result through the product behind it, then op i itself. The last stage, 0,
// ends with the gradient of the input. Stage i + 1 stands for op i.
static void backward_op(struct network *net, const struct job *job, size_t stage,
                        const struct slot *slot)
{
    size_t rows = job->pass->rows, live = job->pass->live;
    if (stage == 0) {
        struct network_range c = network_range(net->in, slot->part, slot->parts);
        if (net->ops[0].kind == OP_LAYER_NORM)
            layer_layer_norm_reduce(&net->ops[0].norm, slot->parts, c.begin, c.end);
        if (job->input)
            train_product(net, 0, (struct piece){0, rows, c.begin, c.end}, slot->lane);
        return;
    }
    size_t       i = stage - 1;
    struct piece s = piece_of(net, i, rows, slot->part, slot->parts);
    bool         renorm = net->ops[i].kind == OP_BATCH_RENORM;
    if (stage == net->n_ops) {
        train_backward(net, i, s, live, slot);
        train_weight(net, i, s, live, slot->lane);
    } else if (stage == net->n_ops - 1) {
        backward_tiles(net, i, s, live, renorm ? live : rows, slot);
    } else {
        backward_tiles(net, i, s, rows, rows, slot);
    }
}

// whether the stage needs nothing that other parts of the stage above have made
static bool backward_goes_on(const struct network *net, size_t stage)
{
    return stage > 0 && stage < net->n_ops && net->ops[stage].kind != OP_LINEAR &&
           net->ops[stage].kind != OP_LAYER_NORM && net->ops[stage - 1].kind != OP_LAYER_NORM;
}

static void backward_stage(void *arg, size_t k)
{
    const struct job          *job = arg;
    const struct network_pass *p = job->pass;
    struct network            *net = net_of(job, k);
    struct slot                slot = slot_of(p, k);
    size_t                     stage = job->stage;
    backward_op(net, job, stage, &slot);
    while (stage > 0 && (p->parts == 1 || backward_goes_on(net, stage - 1)))
        backward_op(net, job, --stage, &slot);
}

// whether anything is left to do below op 0
static bool input_stage(const struct network *net, bool input)
{
    return net->ops[0].kind == OP_LINEAR ? input : net->ops[0].kind == OP_LAYER_NORM;
}

void network_backward(const struct network_pass *p, bool input)
{
    struct job            job = {.pass = p, .input = input};
    const struct network *net = p->nets[0];
    assert(p->live >= 1 && p->live <= p->rows);
    if (p->parts == 1) {
        job.stage = net->n_ops;
        // one thread begins with what its forward has left in the cache
        job.last_first = pool_threads(p->pool) == 1;
        pool_run(p->pool, "backward", p->n, backward_stage, &job);
        return;
    }
    for (size_t stage = net->n_ops + 1; stage-- > 0;)
        if (!backward_goes_on(net, stage) && (stage > 0 || input_stage(net, input))) {
            job.stage = stage;
            pool_run(p->pool, "backward", p->n * p->parts, backward_stage, &job);
        }
}

void network_commit(struct network *net)
{
    for (size_t i = 0; i < net->n_ops; i++)
        if (net->ops[i].kind == OP_BATCH_RENORM)
            layer_batch_renorm_commit(&net->ops[i].renorm);
}

// ---------------------------------------------------------------- eval passes

void network_eval_prepare(struct network *net)
{
    for (size_t i = 0; i < net->n_ops; i++)
        if (net->ops[i].kind == OP_BATCH_RENORM)
            layer_batch_renorm_eval_prepare(&net->ops[i].renorm);
}

void network_eval_rows(struct network *net, const float *x, size_t r0, size_t r1)
{
    for (size_t i = 0, end; i < net->n_ops; i = end) {
        struct piece s = {r0, r1, 0, net->ops[i].out};
        end = chain_end(net, i);
        size_t step = end > i + 1 ? net->tile : s.c1;
        for (size_t c = 0; c < s.c1; c += step)
            for (size_t op = i; op < end; op++)
                op_forward(net, op, x, false, tile_at(s, c, step));
    }
}

// the product of op i and the ops below it to the next one with a product, a tile of columns at a time
static void eval_backward_tiles(struct network *net, size_t i, const float *x, struct piece s)
{
    size_t below = i, step = net->tile;
    while (below > 0 && (below == i || net->ops[below].kind != OP_LINEAR))
        if (net->ops[--below].kind == OP_LAYER_NORM)
            step = s.c1 - s.c0;
    for (size_t c = s.c0; c < s.c1; c += step) {
        struct piece tile = tile_at(s, c, step);
        op_backward_product(net, i, tile);
        for (size_t op = i; op-- > below;)
            op_eval_backward(net, op, x, tile);
    }
}

void network_eval_backward_rows(struct network *net, const float *x, size_t r0, size_t r1,
                                size_t first)
{
    size_t n = net->n_ops;
    // columns of the input before `first` are wanted by no one, down to the first product
    size_t first_product = 0;
    while (net->ops[first_product].kind != OP_LINEAR)
        first_product++;
    op_eval_backward(net, n - 1, x, (struct piece){r0, r1, 0, net->ops[n - 1].out});
    for (size_t i = n; i-- > 0;)
        if (net->ops[i].kind == OP_LINEAR)
            eval_backward_tiles(
                net, i, x, (struct piece){r0, r1, i == first_product ? first : 0, net->ops[i].in});
}

// ---------------------------------------------------------------- flops

double network_flops_forward(const struct network *net, size_t rows)
{
    double flops = 0;
    for (size_t i = 0; i < net->n_ops; i++)
        if (net->ops[i].kind == OP_LINEAR)
            flops += 2.0 * (double)rows * (double)net->ops[i].in * (double)net->ops[i].out;
    return flops;
}

double network_flops_backward(const struct network *net, size_t rows, bool params, size_t first)
{
    double flops = params ? network_flops_forward(net, rows) : 0;
    bool   product = false;  // the first product gives only the columns from `first` on
    for (size_t i = 0; i < net->n_ops; i++)
        if (net->ops[i].kind == OP_LINEAR) {
            size_t in = product ? net->ops[i].in : net->ops[i].in - first;
            flops += 2.0 * (double)rows * (double)in * (double)net->ops[i].out;
            product = true;
        }
    return flops;
}
