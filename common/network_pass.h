// Passes of one or several networks of equal shape, spread over the threads of a pool.
//
// In train mode BatchRenorm needs all rows of a column: each layer is shared by columns (LayerNorm by
// rows), with a meeting of the threads between layers. In eval mode rows are independent: each thread
// takes some rows through the whole network. `parts` says in how many pieces a network is cut; results
// depend on it and not on the number of threads. With parts 1 a whole pass of one network is one piece.
#ifndef COMMON_NETWORK_PASS_H
#define COMMON_NETWORK_PASS_H

#include "common/network.h"
#include "common/pool.h"

struct network_pass {
    struct network *const *nets;  // (n)
    size_t                 n, parts;
    struct pool           *pool;
    size_t                 rows;  // of this pass, <= the networks'
    size_t                 live;  // backward: the output's gradient is 0 from this row on
};

// Train mode. x (rows, network_ld(in)) is the input of all networks and stays until the backward.
// BatchRenorm's statistics wait for network_commit.
void network_forward(const struct network_pass *p, const float *x);

// All parameter gradients from the output gradients. input: also dx of the first layer. Overwrites all
// results of the forward but the output.
void network_backward(const struct network_pass *p, bool input);

// Makes the statistics of the last train forward the running ones.
void network_commit(struct network *net);

// To be called on a network before its first eval pass after parameters or statistics changed.
void network_eval_prepare(struct network *net);

// Eval mode, rows r0 <= r < r1 on the calling thread; different rows may run at the same time.
void network_eval_rows(struct network *net, const float *x, size_t r0, size_t r1);

// Gradient of the input from that of the output after an eval pass of the same x, columns first <= c < in, no
// parameter gradients. Result in net->dx (rows, net->ld_d), until the next pass. Overwrites these rows'
// results but the output.
void network_eval_backward_rows(struct network *net, const float *x, size_t r0, size_t r1,
                                size_t first);

// Piece `part` of `parts` of n elements: begin <= i < end, begin a multiple of 16.
struct network_range {
    size_t begin, end;
};

static inline struct network_range network_range(size_t n, size_t part, size_t parts)
{
    size_t piece = (n + 16 * parts - 1) / (16 * parts) * 16;
    size_t begin = part * piece < n ? part * piece : n;
    return (struct network_range){begin, begin + piece < n ? begin + piece : n};
}

// Matrix products of a pass in floating-point operations, 2 m n k each: forward, with the
// gradients of the parameters, with those of the input's columns from `first` on.
double network_flops_forward(const struct network *net, size_t rows);
double network_flops_backward(const struct network *net, size_t rows, bool params, size_t first);

#endif
