#include "learner/weights_send.h"

#include "common/log.h"
#include "proto/weights.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SUBSCRIPTIONS 1024  // read in a row at most

void weights_send_init(struct weights_send *w, uint64_t run_id, uint64_t incarnation,
                       struct link *link, int wake_fd)
{
    memset(w, 0, sizeof *w);
    w->run_id = run_id;
    w->incarnation = incarnation;
    w->link = link;
    w->wake_fd = wake_fd;
    pthread_mutex_init(&w->lock, NULL);
    w->open = true;
}

void weights_send_free(struct weights_send *w)
{
    if (!w->open)
        return;
    pthread_mutex_destroy(&w->lock);
    free(w->fresh);
    free(w->spare);
    free(w->current);
    memset(w, 0, sizeof *w);
}

static int frames_make(struct weights_send *w, size_t n, struct error *err)
{
    size_t capacity = weights_frame_size(n);
    w->spare = malloc(capacity);
    uint8_t *fresh = malloc(capacity), *current = malloc(capacity);
    pthread_mutex_lock(&w->lock);
    w->fresh = fresh;
    w->current = current;
    w->capacity = capacity;
    pthread_mutex_unlock(&w->lock);
    if (w->spare == NULL || fresh == NULL || current == NULL)
        return error_set(err, ERR_MEMORY, "no memory for weights frames of %zu bytes", capacity);
    return 0;
}

int weights_send_publish(struct weights_send *w, uint64_t version, const float *floats, size_t n,
                         struct error *err)
{
    if (w->capacity == 0 && frames_make(w, n, err) < 0)
        return err == NULL ? ERR_MEMORY : err->code;
    assert(weights_frame_size(n) == w->capacity);
    struct weights weights = {
        .run_id = w->run_id,
        .incarnation = w->incarnation,
        .version = version,
        .floats = floats,
        .n = n,
    };
    size_t size = weights_encode(w->spare, w->capacity, &weights);
    pthread_mutex_lock(&w->lock);
    uint8_t *before = w->fresh;
    w->fresh = w->spare;
    w->spare = before;
    w->fresh_size = size;
    w->version = version;
    pthread_mutex_unlock(&w->lock);
    link_wake(w->wake_fd);
    return 0;
}

static bool take_fresh(struct weights_send *w)
{
    pthread_mutex_lock(&w->lock);
    bool fresh = w->fresh_size > 0;
    if (fresh) {
        uint8_t *before = w->current;
        w->current = w->fresh;
        w->current_size = w->fresh_size;
        w->fresh = before;
        w->fresh_size = 0;
    }
    pthread_mutex_unlock(&w->lock);
    return fresh;
}

void weights_send_service(struct weights_send *w, double now)
{
    struct link_frame subscription;
    struct error      err;
    bool              fresh = take_fresh(w);
    if (fresh && link_set_welcome(w->link, w->current, w->current_size, &err) < 0)
        log_warn("wire", "weights: %s", err.text);
    // the socket answers a subscription with the welcome only when it is read
    for (int i = 0; i < SUBSCRIPTIONS && link_recv(w->link, &subscription); i++)
        w->topics += subscription.size > 1;
    if (w->current_size == 0 || (!fresh && now - w->sent_at < WEIGHTS_REFRESH_S))
        return;
    link_send(w->link, NULL, w->current, w->current_size);
    w->sent_at = now;
    w->sent++;
}
