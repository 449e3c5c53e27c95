// The list of everything that a checkpoint must hold of an update.
#include "learner/update_state.h"

#include <stdio.h>

struct list {
    struct update_block *blocks;
    size_t               room, n;
};

static void add(struct list *l, const char *prefix, const char *name, void *data, bool integer,
                size_t rows, size_t cols, size_t width)
{
    if (l->n < l->room) {
        struct update_block *b = &l->blocks[l->n];
        *b = (struct update_block){
            .data = data, .integer = integer, .rows = rows, .cols = cols, .width = width};
        snprintf(b->name, sizeof b->name, "%s%s", prefix, name);
    }
    l->n++;
}

static void add_network(struct list *l, const char *name, struct network *net)
{
    char prefix[24];
    snprintf(prefix, sizeof prefix, "%s.", name);
    for (size_t i = 0; i < net->n_tensors; i++) {
        struct network_tensor *t = &net->tensors[i];
        add(l, prefix, t->name, t->value, false, t->rows, t->ld, t->cols);
    }
    for (size_t i = 0; i < net->n_steps; i++)
        add(l, prefix, net->steps_list[i].name, net->steps_list[i].value, true, 0, 0, 0);
}

static void add_adam(struct list *l, const char *name, struct adam *a)
{
    char prefix[32];
    snprintf(prefix, sizeof prefix, "adam.%s.", name);
    add(l, prefix, "m", a->m, false, 0, a->n, a->n);
    add(l, prefix, "v", a->v, false, 0, a->n, a->n);
    add(l, prefix, "steps", &a->t, true, 0, 0, 0);
}

size_t update_blocks(struct update *u, struct update_block *blocks, size_t room)
{
    struct list l = {.blocks = blocks, .room = room};
    add_network(&l, "actor", &u->actor);
    add_network(&l, "q1", &u->q[0]);
    add_network(&l, "q2", &u->q[1]);
    if (u->spec.kind == ALGORITHM_SAC) {
        add_network(&l, "q1_target", &u->target[0]);
        add_network(&l, "q2_target", &u->target[1]);
    }
    add_adam(&l, "actor", &u->actor_adam);
    add_adam(&l, "q1", &u->q_adam[0]);
    add_adam(&l, "q2", &u->q_adam[1]);
    add_adam(&l, "log_alpha", &u->alpha_adam);
    add(&l, "", "log_alpha", &u->log_alpha, false, 0, 0, 0);
    add(&l, "", "updates", &u->count, true, 0, 0, 0);
    return l.n;
}
