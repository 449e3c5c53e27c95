#include "learner/priority.h"

#include "common/block.h"

#include <assert.h>
#include <math.h>

int priority_init(struct priority *p, size_t capacity, double alpha, double epsilon,
                  struct error *err)
{
    assert(capacity > 0);
    size_t leaves = 1;
    while (leaves < capacity)
        leaves *= 2;
    *p = (struct priority){.capacity = capacity,
                           .leaves = leaves,
                           .alpha = alpha,
                           .epsilon = epsilon,
                           .largest = 1,
                           .tree = block_make(2 * leaves * sizeof *p->tree)};
    if (p->tree == NULL)
        return error_set(err, ERR_MEMORY, "no memory for the priorities of %zu rows", capacity);
    return 0;
}

void priority_free(struct priority *p)
{
    block_free(p->tree, 2 * p->leaves * sizeof *p->tree);
    *p = (struct priority){0};
}

static void set_leaf(struct priority *p, size_t index, double value)
{
    assert(index < p->capacity);
    size_t k = p->leaves + index;
    p->tree[k] = value;
    for (k /= 2; k > 0; k /= 2)
        p->tree[k] = p->tree[2 * k] + p->tree[2 * k + 1];
}

void priority_insert(struct priority *p, size_t index)
{
    set_leaf(p, index, pow(p->largest, p->alpha));
}

size_t priority_find(const struct priority *p, double s)
{
    size_t k = 1;
    while (k < p->leaves) {
        double left = p->tree[2 * k], right = p->tree[2 * k + 1];
        k *= 2;
        // a point at the very end may round past it: an empty side is never entered
        if (s < left || right <= 0)
            continue;
        s -= left;
        k++;
    }
    return k - p->leaves;
}

void priority_draw(const struct priority *p, uint64_t *index, const double *u, size_t n)
{
    double total = p->tree[1];
    assert(total > 0);
    for (size_t j = 0; j < n; j++)
        index[j] = priority_find(p, ((double)j + u[j]) / (double)n * total);
}

void priority_weights(const struct priority *p, float *weight, const uint64_t *index, size_t n,
                      size_t size, double beta)
{
    double largest = 0;
    for (size_t j = 0; j < n; j++) {
        double probability = p->tree[p->leaves + index[j]] / p->tree[1];
        double raw = pow((double)size * probability, -beta);
        weight[j] = (float)raw;
        largest = fmax(largest, raw);
    }
    for (size_t j = 0; j < n; j++)
        weight[j] = (float)((double)weight[j] / largest);
}

void priority_update(struct priority *p, const uint64_t *index, const float *error, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        double priority = fabs((double)error[j]) + p->epsilon;
        if (!isfinite(priority))
            continue;
        p->largest = fmax(p->largest, priority);
        set_leaf(p, index[j], pow(priority, p->alpha));
    }
}

double priority_total(const struct priority *p)
{
    return p->tree[1];
}

double *priority_leaves(struct priority *p)
{
    return p->tree + p->leaves;
}

void priority_rebuild(struct priority *p)
{
    for (size_t k = p->leaves - 1; k > 0; k--)
        p->tree[k] = p->tree[2 * k] + p->tree[2 * k + 1];
}
