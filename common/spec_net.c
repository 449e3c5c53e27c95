#include "common/spec_bind.h"

#include <string.h>

// Layers come from arc (type TorchArcNet: modules of layers, joined by a graph that must be a chain)
// or from hid_layers (type MLPNet). Both end as the same list.

// torch's names of layers; a lazy one finds its input's width itself, which all of them do here
static const struct {
    const char     *name, *canonical;  // canonical: as in the table of arguments
    enum layer_kind kind;
} layer_names[] = {
    {"LazyLinear", "LazyLinear", LAYER_LINEAR},
    {"LazyBatchRenorm1d", "LazyBatchRenorm1d", LAYER_BATCH_RENORM},
    {"LayerNorm", "LayerNorm", LAYER_LAYER_NORM},
    {"ReLU", "ReLU", LAYER_RELU},
    {"Tanh", "Tanh", LAYER_TANH},
    {"Linear", "LazyLinear", LAYER_LINEAR},
    {"BatchRenorm1d", "LazyBatchRenorm1d", LAYER_BATCH_RENORM},
};

enum { N_LAYER_NAMES = sizeof layer_names / sizeof layer_names[0] };

#define LAYERS_ALLOWED "LazyLinear, LazyBatchRenorm1d, LayerNorm, ReLU, Tanh"

// one network on its way
struct net_bind {
    struct spec_bind *b;
    struct net_spec  *net;
    char              prefix[SPEC_PATH];  // "agent.net"
    size_t            width;              // features after the last Linear, 0 before the first
};

static struct yaml_node *net_at(const struct net_bind *n, const char *key)
{
    char path[SPEC_PATH + 64];
    snprintf(path, sizeof path, "%s.%s", n->prefix, key);
    return spec_bind_at(n->b, path);
}

static void net_problem(struct net_bind *n, int line, const char *key, const char *what)
{
    char path[SPEC_PATH + 64];
    snprintf(path, sizeof path, "%s%s%s", n->prefix, key[0] != '\0' ? "." : "", key);
    problems_add(n->b->problems, line, path, "%s", what);
}

static struct layer_spec *net_append(struct net_bind *n, enum layer_kind kind, int line,
                                     const char *path)
{
    if (n->net->n_layers == NET_MAX_LAYERS) {
        problems_add(n->b->problems, line, path, "more than %d layers", NET_MAX_LAYERS);
        return NULL;
    }
    struct layer_spec *layer = &n->net->layers[n->net->n_layers++];
    memset(layer, 0, sizeof *layer);
    layer->kind = kind;
    return layer;
}

// ------ the arguments of one layer

// normalized_shape: [width], or the number alone
static void read_shape(struct net_bind *n, const struct yaml_node *node, const char *path)
{
    uint64_t width = 0;
    char     is[128];
    bool     list = node->kind == YAML_LIST && node->n == 1;
    if (!yaml_get_uint(list ? node->entry[0].value : node, &width) || width == 0)
        problems_add(n->b->problems, node->line, path, "is %s, allowed: a list of one width",
                     yaml_describe(node, is, sizeof is));
    else if (n->width != 0 && width != n->width)
        problems_add(n->b->problems, node->line, path, "is %llu, allowed: the layer's width, %zu",
                     (unsigned long long)width, n->width);
}

// true when the argument is one that torch has and that changes nothing here
static bool read_torch_argument(struct net_bind *n, const char *key, const struct yaml_node *node,
                                const char *path)
{
    static const char *const on[] = {"bias", "affine", "elementwise_affine", "track_running_stats"};
    bool                     flag = false;
    char                     is[128];
    if (strcmp(key, "normalized_shape") == 0) {
        read_shape(n, node, path);
        return true;
    }
    if (strcmp(key, "in_features") == 0 || strcmp(key, "num_features") == 0 ||
        strcmp(key, "inplace") == 0)
        return true;
    for (size_t i = 0; i < sizeof on / sizeof on[0]; i++)
        if (strcmp(key, on[i]) == 0) {
            if (!yaml_get_bool(node, &flag) || !flag)
                problems_add(n->b->problems, node->line, path, "is %s, allowed: true",
                             yaml_describe(node, is, sizeof is));
            return true;
        }
    return false;
}

static void read_argument(struct net_bind *n, struct layer_spec *layer, const char *canonical,
                          const struct yaml_entry *entry, const char *path)
{
    size_t                 n_keys, n_names = 0, length = strlen(canonical);
    const struct spec_key *keys = spec_table_layers(&n_keys);
    const char            *names[16];
    for (size_t i = 0; i < n_keys; i++) {
        if (strncmp(keys[i].path, canonical, length) != 0 || keys[i].path[length] != '.')
            continue;
        names[n_names++] = keys[i].path + length + 1;
        if (strcmp(names[n_names - 1], entry->key) == 0) {
            spec_key_read(&keys[i], layer, entry->value, path, n->b->problems);
            return;
        }
    }
    if (!read_torch_argument(n, entry->key, entry->value, path))
        spec_bind_unknown(n->b, entry->line, path, entry->key, names, n_names);
}

// defaults, then what the spec says; args is a map, null or (for out_features) missing
static void read_arguments(struct net_bind *n, struct layer_spec *layer, const char *canonical,
                           const struct yaml_node *args, int line, const char *path)
{
    size_t                 n_keys, length = strlen(canonical);
    const struct spec_key *keys = spec_table_layers(&n_keys);
    char                   is[128], below[SPEC_PATH];
    if (args != NULL && args->kind != YAML_MAP && !yaml_is_null(args)) {
        problems_add(n->b->problems, args->line, path, "is %s, allowed: a map of arguments",
                     yaml_describe(args, is, sizeof is));
        return;
    }
    for (size_t i = 0; i < n_keys; i++) {
        if (strncmp(keys[i].path, canonical, length) != 0 || keys[i].path[length] != '.')
            continue;
        spec_key_preset(&keys[i], layer);
        if (keys[i].needed && yaml_find(args, keys[i].path + length + 1) == NULL) {
            snprintf(below, sizeof below, "%.180s.%.60s", path, keys[i].path + length + 1);
            problems_add(n->b->problems, line, below, "missing key, allowed: %s",
                         spec_key_allowed(&keys[i], is, sizeof is));
        }
    }
    for (size_t i = 0; args != NULL && i < args->n; i++) {
        snprintf(below, sizeof below, "%.180s.%.60s", path, args->entry[i].key);
        read_argument(n, layer, canonical, &args->entry[i], below);
    }
}

static void read_layer(struct net_bind *n, const char *name, const struct yaml_node *args, int line,
                       const char *path)
{
    char is[160];
    for (size_t i = 0; i < N_LAYER_NAMES; i++) {
        if (strcmp(layer_names[i].name, name) != 0)
            continue;
        struct layer_spec *layer = net_append(n, layer_names[i].kind, line, path);
        if (layer == NULL)
            return;
        snprintf(is, sizeof is, "%.120s.%.30s", path, name);
        read_arguments(n, layer, layer_names[i].canonical, args, line, is);
        if (layer->kind == LAYER_LINEAR)
            n->width = layer->out;
        return;
    }
    problems_add(n->b->problems, line, path, "no layer %.40s here, allowed: " LAYERS_ALLOWED, name);
}

// ------ arc

// one item of a Sequential: "ReLU", {ReLU: null} or {LazyLinear: {out_features: 8}}
static void read_item(struct net_bind *n, const struct yaml_node *item, const char *path)
{
    char is[128];
    if (item->kind == YAML_SCALAR && !yaml_is_null(item))
        read_layer(n, item->text, NULL, item->line, path);
    else if (item->kind == YAML_MAP && item->n == 1)
        read_layer(n, item->entry[0].key, item->entry[0].value, item->entry[0].line, path);
    else
        problems_add(n->b->problems, item->line, path, "is %s, allowed: one layer, " LAYERS_ALLOWED,
                     yaml_describe(item, is, sizeof is));
}

// a module is a Sequential or a single layer
static void read_module(struct net_bind *n, const char *name, const struct yaml_node *module)
{
    char                    path[SPEC_PATH], is[128];
    const struct yaml_node *list = yaml_find(module, "Sequential");
    if (list == NULL || module->n != 1) {
        snprintf(path, sizeof path, "%.120s.arc.modules.%.60s", n->prefix, name);
        read_item(n, module, path);
        return;
    }
    snprintf(path, sizeof path, "%.120s.arc.modules.%.60s.Sequential", n->prefix, name);
    if (list->kind != YAML_LIST) {
        problems_add(n->b->problems, list->line, path, "is %s, allowed: a list of layers",
                     yaml_describe(list, is, sizeof is));
        return;
    }
    for (size_t i = 0; i < list->n; i++) {
        snprintf(path, sizeof path, "%.120s.arc.modules.%.60s.Sequential.%zu", n->prefix, name, i);
        read_item(n, list->entry[i].value, path);
    }
}

// the one input of a module in graph.modules: [x] or x
static const char *input_of(const struct yaml_node *inputs)
{
    if (inputs != NULL && inputs->kind == YAML_LIST && inputs->n == 1)
        inputs = inputs->entry[0].value;
    return yaml_get_text(inputs);
}

// follows the graph from its input to its output through every module, each once
static void read_graph(struct net_bind *n, const struct yaml_node *modules,
                       const struct yaml_node *graph)
{
    const struct yaml_node *edges = yaml_find(graph, "modules");
    const char             *at = yaml_get_text(yaml_find(graph, "input"));
    const char             *output = yaml_get_text(yaml_find(graph, "output"));
    size_t                  used = 0;
    if (at == NULL || output == NULL || edges == NULL || edges->kind != YAML_MAP) {
        net_problem(n, graph->line, "arc.graph",
                    "is no graph, allowed: input: NAME, modules: {MODULE: [NAME]}, output: MODULE");
        return;
    }
    while (used <= edges->n && strcmp(at, output) != 0) {
        const struct yaml_entry *next = NULL;
        for (size_t i = 0; i < edges->n; i++) {
            const char *input = input_of(edges->entry[i].value);
            if (input != NULL && strcmp(input, at) == 0)
                next = &edges->entry[i];
        }
        const struct yaml_node *module = next != NULL ? yaml_find(modules, next->key) : NULL;
        if (module == NULL)
            break;
        read_module(n, next->key, module);
        at = next->key;
        used++;
    }
    if (strcmp(at, output) != 0 || used != modules->n || used != edges->n)
        net_problem(n, graph->line, "arc.graph",
                    "is no chain, allowed: each module once, from input to output");
}

static void read_arc(struct net_bind *n, const struct yaml_node *arc)
{
    static const char *const names[] = {"modules", "graph"};
    const struct yaml_node  *modules = yaml_find(arc, "modules");
    const struct yaml_node  *graph = yaml_find(arc, "graph");
    char                     path[SPEC_PATH + 64];
    for (size_t i = 0; i < arc->n && arc->kind == YAML_MAP; i++)
        if (strcmp(arc->entry[i].key, names[0]) != 0 && strcmp(arc->entry[i].key, names[1]) != 0) {
            snprintf(path, sizeof path, "%.200s.arc.%.60s", n->prefix, arc->entry[i].key);
            spec_bind_unknown(n->b, arc->entry[i].line, path, arc->entry[i].key, names, 2);
        }
    if (modules == NULL || modules->kind != YAML_MAP || modules->n == 0)
        net_problem(n, modules != NULL ? modules->line : arc->line, "arc.modules",
                    "missing, allowed: a map of modules, such as body: {Sequential: [...]}");
    else if (graph != NULL)
        read_graph(n, modules, graph);
    else if (modules->n == 1)
        read_module(n, modules->entry[0].key, modules->entry[0].value);
    else
        net_problem(n, arc->line, "arc.graph",
                    "missing key, with more than one module it is needed");
}

// ------ hid_layers

static void read_hid_layers(struct net_bind *n, const struct yaml_node *list)
{
    const struct yaml_node *word = net_at(n, "hid_layers_activation");
    const char             *name = yaml_get_text(word);
    enum layer_kind         activation = LAYER_RELU;
    char                    path[SPEC_PATH + 64], is[128];
    if (word != NULL && !yaml_is_null(word)) {
        if (name != NULL && strcmp(name, "tanh") == 0)
            activation = LAYER_TANH;
        else if (name == NULL || strcmp(name, "relu") != 0) {
            snprintf(path, sizeof path, "is %s, allowed: relu or tanh",
                     yaml_describe(word, is, sizeof is));
            net_problem(n, word->line, "hid_layers_activation", path);
        }
    }
    if (list->kind != YAML_LIST || list->n == 0) {
        snprintf(path, sizeof path, "is %s, allowed: a list of widths, such as [256, 256]",
                 list->kind == YAML_LIST ? "an empty list" : yaml_describe(list, is, sizeof is));
        net_problem(n, list->line, "hid_layers", path);
        return;
    }
    for (size_t i = 0; i < list->n; i++) {
        const struct yaml_node *item = list->entry[i].value;
        uint64_t                width = 0;
        snprintf(path, sizeof path, "%s.hid_layers.%zu", n->prefix, i);
        if (!yaml_get_uint(item, &width) || width < 1 || width > 65536) {
            problems_add(n->b->problems, item->line, path,
                         "is %s, allowed: a whole number in [1, 65536]",
                         yaml_describe(item, is, sizeof is));
            continue;
        }
        struct layer_spec *layer = net_append(n, LAYER_LINEAR, item->line, path);
        if (layer == NULL || net_append(n, activation, item->line, path) == NULL)
            return;
        layer->out = (size_t)width;
    }
}

// ------ a network

static void read_net(struct spec_bind *b, const char *prefix, struct net_spec *net)
{
    struct net_bind n = {.b = b, .net = net};
    snprintf(n.prefix, sizeof n.prefix, "%s", prefix);
    const struct yaml_node *type = net_at(&n, "type");
    const struct yaml_node *arc = net_at(&n, "arc"), *list = net_at(&n, "hid_layers");
    const char             *name = yaml_get_text(type);
    int                     line = spec_bind_line(b, prefix);
    char                    is[128], what[256];
    if (type == NULL) {
        net_problem(&n, line, "type", "missing key, allowed: TorchArcNet or MLPNet");
    } else if (name != NULL && strcmp(name, "TorchArcNet") == 0) {
        if (arc == NULL)
            net_problem(&n, line, "arc", "missing key, a TorchArcNet needs it");
        else
            read_arc(&n, arc);
    } else if (name != NULL && strcmp(name, "MLPNet") == 0) {
        if (list == NULL)
            net_problem(&n, line, "hid_layers", "missing key, an MLPNet needs it");
        else
            read_hid_layers(&n, list);
    } else {
        snprintf(what, sizeof what, "is %s, allowed: TorchArcNet or MLPNet",
                 yaml_describe(type, is, sizeof is));
        net_problem(&n, type->line, "type", what);
    }
}

void spec_bind_nets(struct spec_bind *b)
{
    if (spec_bind_at(b, "agent.net") == NULL)
        problems_add(b->problems, spec_bind_line(b, "agent"), "agent.net",
                     "missing key, allowed: the actor's network");
    else
        read_net(b, "agent.net", &b->spec->actor_net);
    // without it critics are as the actor: the lab's way for SoftActorCritic
    if (!spec_bind_left_out(b, "agent.critic_net"))
        read_net(b, "agent.critic_net", &b->spec->critic_net);
}
