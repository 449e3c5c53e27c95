#include "actor/weights_recv.h"

#include "common/clock.h"
#include "common/log.h"
#include "proto/message.h"
#include "proto/weights.h"

#include <stdlib.h>
#include <string.h>

struct weights_recv {
    struct link       *link;
    struct link_hub   *hub;      // borrowed, like the next two
    const char        *address;  // of the learner
    const struct keys *keys;
    double             heartbeat_s, timeout_s;
    double             renewed_at;  // link was opened
    size_t             n;           // floats
    uint64_t           run_id, incarnation;
    uint64_t           taken_incarnation, taken_version;  // in use
    double             heard_at;
    uint64_t           bad;
    struct log_limit   limit;
};

// a new socket in place of the one that is there
static int link_renew(struct weights_recv *w, struct error *err)
{
    char                weights[LINK_ADDRESS];
    struct link_options options = {
        .max_message = weights_frame_size(w->n),
        .send_queue = 16,
        .recv_queue = 2,
        .heartbeat_s = w->heartbeat_s,
        .heartbeat_timeout_s = w->timeout_s,
    };
    keys_apply(w->keys, &options);
    struct link *link = link_open(w->hub, LINK_SUB, &options, err);
    if (link == NULL || link_weights_address(weights, w->address, err) < 0 ||
        link_connect(link, weights, err) < 0) {
        link_close(link);
        return ERR_SYSTEM;
    }
    link_close(w->link);
    w->link = link;
    w->renewed_at = clock_now();
    return 0;
}

struct weights_recv *weights_recv_open(struct link_hub *hub, const char *address,
                                       const struct keys *keys, size_t n, double heartbeat_s,
                                       double timeout_s, struct error *err)
{
    struct weights_recv *w = calloc(1, sizeof *w);
    if (w == NULL) {
        error_set(err, ERR_MEMORY, "no memory for weights");
        return NULL;
    }
    w->hub = hub;
    w->address = address;
    w->keys = keys;
    w->n = n;
    w->heartbeat_s = heartbeat_s;
    w->timeout_s = timeout_s;
    w->heard_at = clock_now();
    if (link_renew(w, err) < 0) {
        weights_recv_close(w);
        return NULL;
    }
    return w;
}

void weights_recv_close(struct weights_recv *w)
{
    if (w == NULL)
        return;
    link_close(w->link);
    free(w);
}

void weights_recv_expect(struct weights_recv *w, uint64_t run_id, uint64_t incarnation)
{
    w->run_id = run_id;
    w->incarnation = incarnation;
}

// says why a frame cannot be taken, NULL: it can, or it is what is in use
static const char *frame_check(const struct weights_recv *w, const struct link_frame *frame,
                               struct weights *weights, struct error *err)
{
    if (frame->odd || weights_decode(weights, frame->data, frame->size, err) < 0)
        return frame->odd ? "weights in several parts" : err->text;
    if (weights->run_id != w->run_id)
        return "weights of another run";
    if (weights->incarnation < w->incarnation || weights->incarnation < w->taken_incarnation)
        return "weights of an earlier learner";
    if (weights->n != w->n)
        return "weights of another size";
    return NULL;
}

bool weights_recv_poll(struct weights_recv *w, float *floats, uint64_t *version)
{
    struct link_frame  frame;
    struct weights     weights;
    struct error       err;
    unsigned long long held;
    if (!link_recv(w->link, &frame)) {
        // libzmq does not try again by itself when its key was refused
        double since = w->heard_at > w->renewed_at ? w->heard_at : w->renewed_at;
        if (clock_now() - since > w->timeout_s)
            link_renew(w, NULL);
        return false;
    }
    const char *why = frame_check(w, &frame, &weights, &err);
    if (why != NULL) {
        w->bad++;
        if (log_limit_pass(&w->limit, &held))
            log_warn("weights", "not taken: %s", why);
        return false;
    }
    w->heard_at = clock_now();
    if (weights.incarnation == w->taken_incarnation && weights.version <= w->taken_version)
        return false;
    w->taken_incarnation = weights.incarnation;
    w->taken_version = weights.version;
    memcpy(floats, weights.floats, w->n * sizeof(float));
    *version = weights.version;
    return true;
}

void weights_recv_wait(struct weights_recv *w, double timeout_s)
{
    link_poll(&w->link, 1, -1, timeout_s);
}

double weights_recv_age(const struct weights_recv *w)
{
    return clock_now() - w->heard_at;
}

uint64_t weights_recv_bad(const struct weights_recv *w)
{
    return w->bad;
}
