#include "common/onnx.h"

#include "common/atomic_file.h"
#include "common/protobuf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ONNX_FLOAT = 1, ONNX_INT64 = 7, ONNX_IR = 8, ONNX_OPSET = 17 };
enum { ONNX_ATTRIBUTE_FLOAT = 1, ONNX_ATTRIBUTE_INT = 2 };
enum { ONNX_NAME = 48, ONNX_OVERHEAD = 65536 };

// ------ parts of a graph

// GraphProto.initializer: a constant tensor
static void onnx_tensor(struct protobuf *b, const char *name, const float *x, size_t rows,
                        size_t columns)
{
    size_t tensor = protobuf_begin(b, 5);
    if (rows > 0)
        protobuf_uint(b, 1, rows);
    protobuf_uint(b, 1, columns);
    protobuf_uint(b, 2, ONNX_FLOAT);
    protobuf_text(b, 8, name);
    protobuf_bytes(b, 9, x, (rows > 0 ? rows : 1) * columns * sizeof *x);
    protobuf_end(b, tensor);
}

// an input or output of the graph: (N, columns), or (N) for columns 0
static void onnx_value(struct protobuf *b, unsigned field, const char *name, unsigned type,
                       size_t columns)
{
    size_t value = protobuf_begin(b, field);
    protobuf_text(b, 1, name);
    size_t holder = protobuf_begin(b, 2), tensor = protobuf_begin(b, 1);
    protobuf_uint(b, 1, type);
    size_t shape = protobuf_begin(b, 2), dim = protobuf_begin(b, 1);
    protobuf_text(b, 2, "N");
    protobuf_end(b, dim);
    if (columns > 0) {
        dim = protobuf_begin(b, 1);
        protobuf_uint(b, 1, columns);
        protobuf_end(b, dim);
    }
    protobuf_end(b, shape);
    protobuf_end(b, tensor);
    protobuf_end(b, holder);
    protobuf_end(b, value);
}

static void onnx_int(struct protobuf *b, const char *name, uint64_t value)
{
    size_t attribute = protobuf_begin(b, 5);
    protobuf_text(b, 1, name);
    protobuf_uint(b, 3, value);
    protobuf_uint(b, 20, ONNX_ATTRIBUTE_INT);
    protobuf_end(b, attribute);
}

static void onnx_float(struct protobuf *b, const char *name, float value)
{
    size_t attribute = protobuf_begin(b, 5);
    protobuf_text(b, 1, name);
    protobuf_float(b, 2, value);
    protobuf_uint(b, 20, ONNX_ATTRIBUTE_FLOAT);
    protobuf_end(b, attribute);
}

// Begins GraphProto.node: y = op(x, w, v); NULL operands are left out
static size_t onnx_node(struct protobuf *b, const char *op, const char *y, const char *x,
                        const char *w, const char *v)
{
    size_t node = protobuf_begin(b, 1);
    protobuf_text(b, 1, x);
    if (w != NULL)
        protobuf_text(b, 1, w);
    if (v != NULL)
        protobuf_text(b, 1, v);
    protobuf_text(b, 2, y);
    protobuf_text(b, 3, y);
    protobuf_text(b, 4, op);
    return node;
}

// ------ layers

// x -> y through one layer; rows: how many of a linear layer's outputs count
static void onnx_layer(struct protobuf *b, const struct policy_layer *l, size_t rows, const char *y,
                       const char *x)
{
    char w[ONNX_NAME + 16], v[ONNX_NAME + 16], product[ONNX_NAME + 16];
    snprintf(w, sizeof w, "%s.weight", y);
    snprintf(v, sizeof v, "%s.bias", y);
    snprintf(product, sizeof product, "%s.product", y);
    if (l->weight != NULL) {
        onnx_tensor(b, w, l->weight, l->kind == POLICY_LINEAR ? rows : 0,
                    l->kind == POLICY_LINEAR ? l->in : l->out);
        onnx_tensor(b, v, l->bias, 0, rows);
    }
    size_t node = 0;
    switch (l->kind) {
    case POLICY_LINEAR:
        node = onnx_node(b, "Gemm", y, x, w, v);
        onnx_int(b, "transB", 1);
        break;
    case POLICY_LAYER_NORM:
        node = onnx_node(b, "LayerNormalization", y, x, w, v);
        onnx_float(b, "epsilon", (float)l->eps);
        break;
    case POLICY_AFFINE:
        protobuf_end(b, onnx_node(b, "Mul", product, x, w, NULL));
        node = onnx_node(b, "Add", y, product, v, NULL);
        break;
    case POLICY_RELU:
        node = onnx_node(b, "Relu", y, x, NULL, NULL);
        break;
    case POLICY_TANH:
        node = onnx_node(b, "Tanh", y, x, NULL, NULL);
        break;
    }
    protobuf_end(b, node);
}

// the policy's mode from its last layer's output
static void onnx_head(struct protobuf *b, const struct policy *p, const struct policy_about *about,
                      const char *x)
{
    if (p->discrete) {
        size_t node = onnx_node(b, "ArgMax", "action", x, NULL, NULL);
        onnx_int(b, "axis", 1);
        onnx_int(b, "keepdims", 0);
        protobuf_end(b, node);
        return;
    }
    float half[POLICY_MAX_ACTION], centre[POLICY_MAX_ACTION];
    for (size_t k = 0; k < p->A; k++) {
        half[k] = (float)((about->high[k] - about->low[k]) / 2);
        centre[k] = (float)((about->high[k] + about->low[k]) / 2);
    }
    onnx_tensor(b, "action.half", half, 0, p->A);
    onnx_tensor(b, "action.centre", centre, 0, p->A);
    protobuf_end(b, onnx_node(b, "Tanh", "squashed", x, NULL, NULL));
    protobuf_end(b, onnx_node(b, "Mul", "scaled", "squashed", "action.half", NULL));
    protobuf_end(b, onnx_node(b, "Add", "action", "scaled", "action.centre", NULL));
}

static void onnx_graph(struct protobuf *b, const struct policy *p, const struct policy_about *about)
{
    char   x[ONNX_NAME] = "observation", y[ONNX_NAME];
    size_t graph = protobuf_begin(b, 7);
    for (size_t i = 0; i < p->n_layers; i++) {
        bool last = i + 1 == p->n_layers;
        snprintf(y, sizeof y, last && p->discrete ? "logits" : last ? "mean" : "layers.%zu", i);
        // of the last layer's mean and log_std the mode needs the first half alone
        onnx_layer(b, &p->layer[i], last ? p->A : p->layer[i].out, y, x);
        memcpy(x, y, sizeof x);
    }
    onnx_head(b, p, about, x);
    protobuf_text(b, 2, about->env);
    onnx_value(b, 11, "observation", ONNX_FLOAT, p->O);
    if (p->discrete)
        onnx_value(b, 12, "logits", ONNX_FLOAT, p->A);
    onnx_value(b, 12, "action", p->discrete ? ONNX_INT64 : ONNX_FLOAT, p->discrete ? 0 : p->A);
    protobuf_end(b, graph);
}

// ------ the model

static void onnx_metadata(struct protobuf *b, const char *key, const char *value)
{
    size_t entry = protobuf_begin(b, 14);
    protobuf_text(b, 1, key);
    protobuf_text(b, 2, value);
    protobuf_end(b, entry);
}

static void onnx_model(struct protobuf *b, const struct policy *p, const struct policy_about *about)
{
    char number[32];
    protobuf_uint(b, 1, ONNX_IR);
    protobuf_text(b, 2, "crossfleet");
    protobuf_text(b, 3, about->version);
    onnx_graph(b, p, about);
    size_t opset = protobuf_begin(b, 8);
    protobuf_uint(b, 2, ONNX_OPSET);
    protobuf_end(b, opset);
    onnx_metadata(b, "env", about->env);
    onnx_metadata(b, "run_id", about->run_id);
    snprintf(number, sizeof number, "%" PRIu64, about->weights_version);
    onnx_metadata(b, "weights_version", number);
}

int onnx_save(const char *path, const struct policy *p, const struct policy_about *about,
              struct error *err)
{
    struct atomic_file file;
    struct protobuf    b = {.capacity = p->n_floats * sizeof(float) + ONNX_OVERHEAD};
    b.bytes = malloc(b.capacity);
    if (b.bytes == NULL)
        return error_set(err, ERR_MEMORY, "%s: no memory for the model", path);
    onnx_model(&b, p, about);
    int code = b.full ? error_set(err, ERR_MEMORY, "%s: too many layers", path)
                      : atomic_file_open(&file, path, err);
    if (code == 0) {
        // a short write is an error of the close
        fwrite(b.bytes, 1, b.n, file.out);
        code = atomic_file_close(&file, err);
    }
    free(b.bytes);
    return code;
}
