#include "common/network.h"

#include "common/block.h"
#include "common/cores.h"
#include "common/product_kernel.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

// ---------------------------------------------------------------- plan: layers to ops

// The ops of a network while it is planned, and the spec layer that each one's tensors are named after.
struct plan {
    size_t    n, width;  // ops so far, features behind the last
    struct op ops[NET_MAX_LAYERS + 1];
    size_t    layer[NET_MAX_LAYERS + 1];
};

static struct op *plan_add(struct plan *p, enum op_kind kind, size_t out, size_t layer)
{
    struct op *op = &p->ops[p->n];
    *op = (struct op){.kind = kind, .in = p->width, .out = out, .ld = network_ld(out)};
    p->layer[p->n++] = layer;
    p->width = out;
    return op;
}

// a norm takes the bias, and a ReLU, of a Linear before it into its own sweep
static void plan_norm(struct plan *p, enum op_kind kind, const struct layer_spec *layer, size_t i)
{
    struct op *last = p->n > 0 ? &p->ops[p->n - 1] : NULL;
    bool       linear = last != NULL && last->kind == OP_LINEAR;
    bool       bare = linear && last->activation == ACTIVATION_NONE;
    bool       relu = linear && last->activation == ACTIVATION_RELU && kind == OP_BATCH_RENORM;
    if (bare || relu) {
        last->raw = true;
        last->activation = ACTIVATION_NONE;
    }
    struct op *op = plan_add(p, kind, p->width, i);
    op->renorm.spec = *layer;
    op->renorm.relu_before = relu;
    op->norm.eps = layer->eps;
}

static void plan_activation(struct plan *p, enum activation_kind kind, size_t i)
{
    struct op *last = p->n > 0 ? &p->ops[p->n - 1] : NULL;
    bool       relu = kind == ACTIVATION_RELU;
    if (last != NULL && last->kind == OP_LINEAR && last->activation == ACTIVATION_NONE)
        last->activation = kind;
    else if (last != NULL && last->kind == OP_BATCH_RENORM && relu)
        last->renorm.relu_after = true;
    else if (last != NULL && last->kind == OP_LAYER_NORM && relu)
        last->norm.relu_after = true;
    else
        plan_add(p, OP_ACTIVATION, p->width, i)->activation = kind;
}

static void plan_layers(struct plan *p, const struct net_spec *spec, size_t in, size_t heads)
{
    p->n = 0;
    p->width = in;
    for (size_t i = 0; i < spec->n_layers; i++) {
        const struct layer_spec *layer = &spec->layers[i];
        switch (layer->kind) {
        case LAYER_LINEAR:
            plan_add(p, OP_LINEAR, layer->out, i);
            break;
        case LAYER_BATCH_RENORM:
            plan_norm(p, OP_BATCH_RENORM, layer, i);
            break;
        case LAYER_LAYER_NORM:
            plan_norm(p, OP_LAYER_NORM, layer, i);
            break;
        case LAYER_RELU:
            plan_activation(p, ACTIVATION_RELU, i);
            break;
        case LAYER_TANH:
            plan_activation(p, ACTIVATION_TANH, i);
            break;
        }
    }
    plan_add(p, OP_LINEAR, heads, spec->n_layers);
}

static int check_layers(const struct net_spec *spec, size_t in, struct error *err)
{
    if (in == 0)
        return error_set(err, ERR_SPEC, "a network without inputs");
    if (spec->n_layers > NET_MAX_LAYERS)
        return error_set(err, ERR_SPEC, "%zu layers, at most %d", spec->n_layers, NET_MAX_LAYERS);
    for (size_t i = 0; i < spec->n_layers; i++)
        if (spec->layers[i].kind == LAYER_LINEAR && spec->layers[i].out == 0)
            return error_set(err, ERR_SPEC, "layer %zu: a linear layer without outputs", i);
    return 0;
}

// ---------------------------------------------------------------- layout: one block

// Hands out pieces of a block; with base NULL it only counts.
struct arena {
    char  *base;
    size_t used;
};

static void *arena_take(struct arena *a, size_t n, size_t size)
{
    size_t at = a->used;
    a->used += (n * size + 63) / 64 * 64;
    return a->base == NULL ? NULL : a->base + at;
}

static float *arena_floats(struct arena *a, size_t n)
{
    return arena_take(a, n, sizeof(float));
}

static void add_tensor(struct network *net, enum tensor_kind kind, float *value, float *grad,
                       size_t rows, size_t cols, size_t ld, const char *prefix)
{
    static const char *const tails[] = {
        [TENSOR_WEIGHT] = "weight",
        [TENSOR_BIAS] = "bias",
        [TENSOR_SCALE] = "weight",
        [TENSOR_SHIFT] = "bias",
        [TENSOR_RUNNING_MEAN] = "running_mean",
        [TENSOR_RUNNING_VAR] = "running_var",
    };
    if (net->tensors != NULL) {
        struct network_tensor *t = &net->tensors[net->n_tensors];
        *t = (struct network_tensor){
            .kind = kind, .rows = rows, .cols = cols, .ld = ld, .value = value, .grad = grad};
        snprintf(t->name, sizeof t->name, "%s.%s", prefix, tails[kind]);
    }
    net->n_tensors++;
}

// the next n floats of the parameter block (and of the gradient block)
static float *take_params(struct network *net, size_t n, float **grad)
{
    size_t at = net->n_params;
    net->n_params += block_round(n);
    *grad = net->grads == NULL ? NULL : net->grads + at;
    return net->params == NULL ? NULL : net->params + at;
}

static float *take_stats(struct network *net, size_t n)
{
    size_t at = net->n_stats;
    net->n_stats += block_round(n);
    return net->stats == NULL ? NULL : net->stats + at;
}

static void lay_linear(struct network *net, struct op *op, size_t layer,
                       const struct network_head *heads, size_t n_heads)
{
    struct layer_linear *l = &op->linear;
    l->in = op->in;
    l->out = op->out;
    l->ld = network_ld(op->in);
    l->weight = take_params(net, l->ld * op->out, &l->dweight);
    l->bias = take_params(net, op->out, &l->dbias);
    bool                hidden = layer < net->spec.n_layers;
    char                number[16];
    struct network_head own = {number, op->out};
    snprintf(number, sizeof number, "%zu", layer);
    size_t row = 0;
    for (size_t i = 0; i < (hidden ? 1 : n_heads); i++) {
        struct network_head h = hidden ? own : heads[i];
        size_t              at = row * l->ld;
        bool                grad = l->dweight != NULL, real = l->weight != NULL;
        add_tensor(net, TENSOR_WEIGHT, real ? l->weight + at : NULL, grad ? l->dweight + at : NULL,
                   h.out, op->in, l->ld, h.name);
        add_tensor(net, TENSOR_BIAS, real ? l->bias + row : NULL, grad ? l->dbias + row : NULL, 0,
                   h.out, h.out, h.name);
        row += h.out;
    }
}

static void lay_renorm(struct network *net, struct op *op, const struct op *before, size_t layer,
                       struct arena *a)
{
    struct layer_batch_renorm *l = &op->renorm;
    size_t                     H = op->in;
    char                       name[16];
    snprintf(name, sizeof name, "%zu", layer);
    l->H = H;
    if (before != NULL && before->raw) {
        l->in_bias = before->linear.bias;
        l->in_dbias = before->linear.dbias;
    }
    l->weight = take_params(net, H, &l->dweight);
    l->bias = take_params(net, H, &l->dbias);
    l->running_mean = take_stats(net, H);
    l->running_var = take_stats(net, H);
    add_tensor(net, TENSOR_SCALE, l->weight, l->dweight, 0, H, H, name);
    add_tensor(net, TENSOR_SHIFT, l->bias, l->dbias, 0, H, H, name);
    add_tensor(net, TENSOR_RUNNING_MEAN, l->running_mean, NULL, 0, H, H, name);
    add_tensor(net, TENSOR_RUNNING_VAR, l->running_var, NULL, 0, H, H, name);
    if (net->steps != NULL) {
        struct network_steps *s = &net->steps_list[net->n_steps];
        snprintf(s->name, sizeof s->name, "%s.steps", name);
        s->value = l->steps = &net->steps[net->n_steps];
    }
    net->n_steps++;
    float *scratch = arena_floats(a, layer_batch_renorm_scratch(H));
    if (scratch != NULL)
        layer_batch_renorm_init(l, scratch);
}

static void lay_norm(struct network *net, struct op *op, const struct op *before, size_t layer,
                     bool trained, struct arena *a)
{
    struct layer_layer_norm *l = &op->norm;
    char                     name[16];
    snprintf(name, sizeof name, "%zu", layer);
    l->H = op->in;
    l->rows = net->rows;
    if (before != NULL && before->raw) {
        l->in_bias = before->linear.bias;
        l->in_dbias = before->linear.dbias;
    }
    l->weight = take_params(net, l->H, &l->dweight);
    l->bias = take_params(net, l->H, &l->dbias);
    add_tensor(net, TENSOR_SCALE, l->weight, l->dweight, 0, l->H, l->H, name);
    add_tensor(net, TENSOR_SHIFT, l->bias, l->dbias, 0, l->H, l->H, name);
    size_t parts = trained ? LAYER_NORM_PARTS : 0;
    float *scratch = arena_floats(a, layer_layer_norm_scratch(l->H, l->rows, parts));
    if (scratch != NULL)
        layer_layer_norm_init(l, scratch);
}

// A quarter of the cache for a tile of the product, as much for what the op makes of it; the product
// itself needs the rest. Half of the cache where a product prepares its left operand for every tile: that
// costs more than what then does not fit. Whole panels of common/product.h, several of them.
static size_t tile_of(size_t rows)
{
    const struct product_kernel *kernel = product_kernel_at(0);
    size_t                       share = kernel != NULL && kernel->multiply != NULL ? 2 : 4;
    size_t                       cols = cores_cache() / (share * sizeof(float) * rows);
    cols = cols / PRODUCT_KERNEL_WIDTH * PRODUCT_KERNEL_WIDTH;
    return cols < 128 ? 128 : cols > 512 ? 512 : cols;
}

// whether the result of op i has a gradient's shape and no padding that a product would write
static bool holds_gradient(const struct network *net, size_t i)
{
    const struct op *op = &net->ops[i];
    return op->ld == net->ld_d && op->out == layer_linear_padded(op->out);
}

// Where the gradients of the results lie. All but a product work in place; a product writes where a result
// lay that nobody reads any more: what is touched less often stays less long in the caches.
static void lay_gradients(struct network *net, struct arena *a)
{
    float *own[2];
    size_t turn = 0, last = net->n_ops - 1;
    for (int i = 0; i < 2; i++)
        own[i] = arena_floats(a, net->rows * net->ld_d);
    net->ops[last].dy = own[turn];
    for (size_t i = last; i-- > 0;) {
        struct op *op = &net->ops[i], *next = op + 1;
        if (next->kind != OP_LINEAR)
            op->dy = next->dy;
        else if (i + 1 < last && holds_gradient(net, i + 1))
            op->dy = next->y;
        else if (op->kind == OP_BATCH_RENORM && i + 1 == last && holds_gradient(net, i))
            op->dy = op->y;  // which only the last layer's weights needed
        else
            op->dy = own[turn = 1 - turn];
    }
    net->dx = net->ops[0].kind == OP_LINEAR ? own[1 - turn] : net->ops[0].dy;
}

// gives each op its buffers
static void lay_buffers(struct network *net, bool trained, struct arena *a)
{
    net->ld_d = network_ld(net->in);
    for (size_t i = 0; i < net->n_ops; i++) {
        struct op *op = &net->ops[i];
        op->y = arena_floats(a, net->rows * op->ld);
        net->ld_d = op->ld > net->ld_d ? op->ld : net->ld_d;
    }
    if (trained)
        lay_gradients(net, a);
}

// Places everything in arena a; the sizes of the blocks come from an earlier call that only counted.
static void lay_out(struct network *net, const struct plan *p, const struct network_head *heads,
                    size_t n_heads, bool trained, struct arena *a)
{
    net->ops = arena_take(a, p->n, sizeof *net->ops);
    net->tensors = arena_take(a, net->n_tensors, sizeof *net->tensors);
    net->steps_list = arena_take(a, net->n_steps, sizeof *net->steps_list);
    net->steps = arena_take(a, net->n_steps, sizeof *net->steps);
    net->params = arena_floats(a, net->n_params);
    net->stats = arena_floats(a, net->n_stats);
    net->grads = trained ? arena_floats(a, net->n_params) : NULL;
    net->n_tensors = net->n_steps = net->n_params = net->n_stats = 0;
    net->n_ops = p->n;
    // while counting, the ops live in the plan
    struct plan scratch = *p;
    if (net->ops != NULL)
        memcpy(net->ops, p->ops, p->n * sizeof *net->ops);
    else
        net->ops = scratch.ops;
    for (size_t i = 0; i < p->n; i++) {
        struct op       *op = &net->ops[i];
        const struct op *before = i > 0 ? op - 1 : NULL;
        if (op->kind == OP_LINEAR)
            lay_linear(net, op, p->layer[i], heads, n_heads);
        else if (op->kind == OP_BATCH_RENORM)
            lay_renorm(net, op, before, p->layer[i], a);
        else if (op->kind == OP_LAYER_NORM)
            lay_norm(net, op, before, p->layer[i], trained, a);
    }
    lay_buffers(net, trained, a);
    if (net->ops == scratch.ops)
        net->ops = NULL;
}

int network_init(struct network *net, const struct net_spec *spec, size_t in,
                 const struct network_head *heads, size_t n_heads, size_t rows, bool trained,
                 struct error *err)
{
    *net = (struct network){.spec = *spec, .in = in, .rows = rows, .tile = tile_of(rows)};
    int code = check_layers(spec, in, err);
    if (code != 0)
        return code;
    for (size_t i = 0; i < n_heads; i++)
        net->out += heads[i].out;
    struct plan plan;
    plan_layers(&plan, spec, in, net->out);
    // the second count knows how many tensors the first found
    struct arena arena = {0};
    for (int pass = 0; pass < 2; pass++) {
        arena.used = 0;
        lay_out(net, &plan, heads, n_heads, trained, &arena);
    }
    arena.base = block_make(arena.used);
    if (arena.base == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a network of %zu MB", arena.used >> 20);
    net->memory = arena.base;
    net->memory_size = arena.used;
    arena.used = 0;
    lay_out(net, &plan, heads, n_heads, trained, &arena);
    assert(arena.used == net->memory_size);
    for (size_t i = 0; i < net->n_tensors; i++) {
        struct network_tensor *t = &net->tensors[i];
        for (size_t j = 0; t->kind == TENSOR_RUNNING_VAR && j < t->cols; j++)
            t->value[j] = 1;
    }
    return 0;
}

void network_free(struct network *net)
{
    block_free(net->memory, net->memory_size);
    *net = (struct network){0};
}

// ---------------------------------------------------------------- whole networks

void network_copy(struct network *net, const struct network *from)
{
    assert(net->n_params == from->n_params && net->n_stats == from->n_stats);
    memcpy(net->params, from->params, net->n_params * sizeof(float));
    memcpy(net->stats, from->stats, net->n_stats * sizeof(float));
    memcpy(net->steps, from->steps, net->n_steps * sizeof(uint64_t));
}

const char *network_find_nonfinite(const struct network *net, bool gradients)
{
    for (size_t i = 0; i < net->n_tensors; i++) {
        const struct network_tensor *t = &net->tensors[i];
        const float                 *x = gradients ? t->grad : t->value;
        size_t                       n = (t->rows == 0 ? 1 : t->rows) * t->ld;
        for (size_t j = 0; x != NULL && j < n; j++)
            if (!isfinite(x[j]))
                return t->name;
    }
    return NULL;
}

const float *network_output(const struct network *net, size_t *ld)
{
    const struct op *head = &net->ops[net->n_ops - 1];
    *ld = head->ld;
    return head->y;
}

float *network_output_gradient(struct network *net)
{
    return net->ops[net->n_ops - 1].dy;
}
