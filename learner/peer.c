#include "learner/peer.h"

#include <stdlib.h>
#include <string.h>

// ------ table

int peer_table_init(struct peer_table *t, size_t actors, struct error *err)
{
    memset(t, 0, sizeof *t);
    t->actors = actors;
    t->n = actors + PEER_EVALUATORS;
    for (t->buckets = 16; t->buckets < 2 * t->n; t->buckets *= 2)
        continue;
    t->peers = calloc(t->n, sizeof t->peers[0]);
    t->heads = calloc(t->buckets, sizeof t->heads[0]);
    if (t->peers == NULL || t->heads == NULL)
        return error_set(err, ERR_MEMORY, "no memory for %zu peers", t->n);
    for (size_t i = 0; i < t->buckets; i++)
        t->heads[i] = PEER_NONE;
    for (size_t i = 0; i < t->n; i++)
        t->peers[i].slot = i;
    return 0;
}

void peer_table_free(struct peer_table *t)
{
    for (size_t i = 0; t->peers != NULL && i < t->n; i++)
        free(t->peers[i].stage);
    free(t->peers);
    free(t->heads);
    memset(t, 0, sizeof *t);
}

_Static_assert((int)MESSAGE_NAME == (int)REPLAY_NAME, "a mark holds a name");

void peer_restore(struct peer *p, const struct replay_mark *mark)
{
    p->incarnation = mark->incarnation;
    // nothing of it is on its way
    p->in = p->granted = p->told = mark->sequence;
    memcpy(p->name, mark->name, sizeof p->name);
    p->name[sizeof p->name - 1] = '\0';
    p->used = p->name[0] != '\0';
}

struct replay_mark peer_mark(const struct peer *p)
{
    struct replay_mark mark = {.incarnation = p->incarnation, .sequence = p->in};
    memcpy(mark.name, p->name, sizeof mark.name);
    return mark;
}

// FNV-1a
static size_t link_hash(const struct link_peer *link)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < link->size; i++)
        h = (h ^ link->id[i]) * 0x100000001b3u;
    return (size_t)(h ^ h >> 32);
}

static bool link_same(const struct link_peer *a, const struct link_peer *b)
{
    return a->size == b->size && memcmp(a->id, b->id, a->size) == 0;
}

struct peer *peer_find(struct peer_table *t, const struct link_peer *link)
{
    size_t i = t->heads[link_hash(link) & (t->buckets - 1)];
    while (i != PEER_NONE && !link_same(&t->peers[i].link, link))
        i = t->peers[i].next;
    return i == PEER_NONE ? NULL : &t->peers[i];
}

void peer_bind(struct peer_table *t, struct peer *p, const struct link_peer *link)
{
    struct peer *before = peer_find(t, link);
    if (before != NULL)
        peer_unbind(t, before);
    peer_unbind(t, p);
    size_t *head = &t->heads[link_hash(link) & (t->buckets - 1)];
    p->link = *link;
    p->bound = true;
    p->next = *head;
    *head = (size_t)p->slot;
}

void peer_unbind(struct peer_table *t, struct peer *p)
{
    if (!p->bound)
        return;
    size_t *at = &t->heads[link_hash(&p->link) & (t->buckets - 1)];
    while (*at != p->slot)
        at = &t->peers[*at].next;
    *at = p->next;
    p->bound = false;
}

// ------ slots

bool peer_name_valid(const char *name)
{
    static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    return name[0] != '\0' && name[0] != '.' && name[strspn(name, good)] == '\0';
}

static struct peer *slot_by_name(struct peer_table *t, const struct hello *hello, size_t from,
                                 size_t to)
{
    for (size_t i = from; i < to; i++)
        if (t->peers[i].used && strcmp(t->peers[i].name, hello->name) == 0)
            return &t->peers[i];
    return NULL;
}

static struct peer *slot_free(struct peer_table *t, size_t from, size_t to)
{
    struct peer *oldest = NULL;
    for (size_t i = from; i < to; i++) {
        struct peer *p = &t->peers[i];
        if (!p->used)
            return p;
        if (!p->live && (oldest == NULL || p->last_seen < oldest->last_seen))
            oldest = p;
    }
    return oldest;
}

enum peer_claim peer_claim(struct peer_table *t, const struct hello *hello, bool same_run,
                           struct peer **found)
{
    size_t       from = hello->role == ROLE_ACTOR ? 0 : t->actors;
    size_t       to = hello->role == ROLE_ACTOR ? t->actors : t->n;
    struct peer *named = slot_by_name(t, hello, from, to);
    *found = NULL;
    if (same_run && hello->slot >= from && hello->slot < to && hello->incarnation > 0) {
        struct peer *p = &t->peers[hello->slot];
        if (p->incarnation == hello->incarnation && p == named) {
            *found = p;
            return PEER_RESUMED;
        }
        // also when the newer one is not here yet: after a learner's restart it is on its way back
        if (p == named && p->incarnation > hello->incarnation)
            return PEER_REPLACED;
    }
    *found = named != NULL ? named : slot_free(t, from, to);
    if (*found == NULL)
        return PEER_FULL;
    return named != NULL ? PEER_RESTARTED : PEER_NEW;
}

// ------ rows

void peer_revoke(struct peer *p)
{
    p->granted = p->in + p->staged;
    p->rewinding = true;
    p->rewind_since = 0.0;
    p->rewinds = 0;
    p->resend = true;
}

// a block begins after rows that never came
static enum peer_verdict judge_gap(struct peer *p, double now)
{
    // what was in flight when the repeat was asked for takes a while to arrive
    if (p->rewinding && now - p->rewind_since < 1.0)
        return PEER_DROP;
    p->rewinds++;
    p->rewinding = true;
    p->rewind_since = now;
    p->resend = true;
    return PEER_GAP;
}

enum peer_verdict peer_judge(struct peer *p, uint64_t incarnation, uint64_t first, uint64_t n,
                             double now, uint64_t *skip)
{
    uint64_t have = p->in + p->staged;
    if (incarnation != p->incarnation)
        return PEER_STALE;
    if (first == 0 || first > UINT64_MAX - n || first + n - 1 > p->granted) {
        // rows beyond a credit that was taken back are no offence
        if (p->rewinding && first != 0 && first <= UINT64_MAX - n)
            return PEER_DROP;
        return PEER_OVER;
    }
    if (first + n - 1 <= have) {
        p->duplicates += n;
        return PEER_DUPLICATE;
    }
    if (first > have + 1) {
        if (p->rewinds < PEER_REWINDS || (p->rewinding && now - p->rewind_since < 1.0))
            return judge_gap(p, now);
        p->lost += first - have - 1;
        p->in = first - 1 - p->staged;
        have = first - 1;
    }
    p->rewinding = false;
    p->rewinds = 0;
    *skip = have + 1 - first;
    p->duplicates += *skip;
    return PEER_ACCEPT;
}

uint64_t peer_window(const struct peer *p, uint64_t block, uint64_t most)
{
    double   flight = 2.0 * p->rows_per_s * p->rtt_s;
    uint64_t window = 2 * block;
    if (flight > (double)window)
        window = flight < (double)most ? (uint64_t)flight : most;
    return window < most ? window : most;
}

void peer_rate(struct peer *p, uint64_t rows, double now)
{
    p->rate_rows += rows;
    double elapsed = now - p->rate_since;
    if (elapsed < 1.0)
        return;
    p->rows_per_s = (double)p->rate_rows / elapsed;
    p->rate_rows = 0;
    p->rate_since = now;
}

bool peer_floods(struct peer *p, double now)
{
    if (now - p->control_since >= 1.0) {
        p->control_since = now;
        p->control = 0;
    }
    return ++p->control > PEER_CONTROL_PER_S;
}
