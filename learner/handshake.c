#include "learner/handshake.h"

#include "common/log.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define WELCOME_S 0.25  // least time between two
enum { WELCOMES = 3 };  // without a READY

// ------ HELLO

// whoever has the slot now makes room for a process that is not the same
static void slot_vacate(struct reception *r, struct peer *p, double now)
{
    if (p->live && p->bound) {
        reception_refuse(r, &p->link, REFUSED_REPLACED, "a newer process of this name is here");
        reception_doom(r, p->connection, now);
    }
    reception_leave(r, p, "replaced");
}

static void slot_renew(struct reception *r, struct peer *p, enum peer_claim claim,
                       const struct hello *hello)
{
    if (claim == PEER_NEW) {
        r->lost += p->lost;
        r->duplicates += p->duplicates;
        p->rows = p->lost = p->duplicates = 0;
        p->restarts = 0;
    } else if (p->joined > 0) {
        p->restarts++;
    }
    if (p->incarnation > 0 && p->slot < r->peers.actors)
        log_info("wire", "slot %llu: incarnation %llu ended with %llu rows",
                 (unsigned long long)p->slot, (unsigned long long)p->incarnation,
                 (unsigned long long)p->in);
    // a learner's own incarnation keeps apart what two learners gave out
    uint64_t base = r->config.incarnation << 20;
    p->incarnation = (p->incarnation > base ? p->incarnation : base) + 1;
    r->in_flight -= p->granted - p->in - p->staged;
    p->in = p->staged = p->granted = p->told = 0;
    memcpy(p->name, hello->name, sizeof p->name);
    const struct replay_mark mark = peer_mark(p);
    if (r->replay != NULL && p->slot < r->peers.actors)
        replay_claim(r->replay, (size_t)p->slot, &mark);
    p->given_up = 0;
    memset(&p->stats, 0, sizeof p->stats);
}

static uint64_t peer_seed(const struct reception *r, const struct peer *p)
{
    // the first process of the first learner gets the run's seed itself; lock-step always does
    uint64_t start = ((uint64_t)1 << 20) + 1;
    if (r->config.lockstep || p->incarnation <= start)
        return r->config.seed;
    return r->config.seed + (p->incarnation - start) * 0x9e3779b97f4a7c15u;
}

static void welcome(struct reception *r, struct peer *p)
{
    struct message m = {.kind = MESSAGE_WELCOME};
    m.welcome = (struct welcome){
        .run_id = r->config.run_id,
        .learner_incarnation = r->config.incarnation,
        .slot = p->slot,
        .incarnation = p->incarnation,
        .acknowledged = p->in,
        .seed = peer_seed(r, p),
        .max_rows = r->config.block_rows,
        .spec = {r->config.spec_text, r->config.spec_size},
        .assets = {r->config.assets, r->config.assets_size},
    };
    p->welcomes++;
    reception_send(r, p, &m);
}

static void host_copy(char *to, const char *from)
{
    for (; *from != '\0'; from++)
        *to++ = (unsigned char)*from < 0x80 ? *from : '?';
    *to = '\0';
}

static void seat(struct reception *r, struct peer *p, const struct link_frame *frame,
                 const struct hello *hello, double now)
{
    memcpy(p->name, hello->name, sizeof p->name);
    host_copy(p->host, hello->host);
    memcpy(p->address, frame->address, sizeof p->address);
    memcpy(p->key, frame->key, sizeof p->key);
    p->connection = link_connection(frame->fd, frame->address);
    p->role = hello->role;
    r->live += !p->live && hello->role == ROLE_ACTOR;
    p->used = p->live = true;
    p->ready = p->leaving = false;
    p->joined = p->last_seen = p->beat_at = now;
    p->welcomed = now;
    if (peer_find(&r->peers, &frame->peer) != p)
        p->welcomes = 0;
    // what it could not bring before it left may come now
    p->lost -= p->given_up;
    p->given_up = 0;
    peer_bind(&r->peers, p, &frame->peer);
}

// says whether the frame needs no slot: it was answered otherwise
static bool hello_turned_away(struct reception *r, const struct link_frame *frame,
                              const struct hello *hello)
{
    struct message m = {.kind = MESSAGE_STOP};
    if (r->config.allow != NULL && !r->config.allow(r->config.allow_context, frame->key)) {
        reception_expel(r, frame, NULL, REJECT_HANDSHAKE, REFUSED_INVALID,
                        "its key is not allowed any more");
        return true;
    }
    if (!peer_name_valid(hello->name)) {
        reception_expel(r, frame, NULL, REJECT_NAME, REFUSED_NAME,
                        "a name is 1 to 63 of A-Z a-z 0-9 . _ - and does not begin with a dot");
        return true;
    }
    if (!r->stopping[hello->role])
        return false;
    m.stop = r->stop;
    size_t size = message_encode(r->out, r->out_size, &m);
    link_send(r->router, &frame->peer, r->out, size);
    return true;
}

// a connection that greets again; says whether it needs no other WELCOME now
static bool hello_repeated(struct reception *r, const struct link_frame *frame, struct peer *p,
                           double now)
{
    // a WELCOME may be large: the next one waits until READY has answered this one
    double wait = p->welcomes > 0 ? r->config.timeout_s : WELCOME_S;
    p->last_seen = now;
    if (peer_floods(p, now))
        reception_expel(r, frame, p, REJECT_FLOOD, REFUSED_INVALID, "too many HELLO");
    else if (now - p->welcomed >= wait && p->welcomes >= WELCOMES)
        reception_expel(r, frame, p, REJECT_SLOW, REFUSED_INVALID, "no READY after WELCOME");
    else
        return now - p->welcomed < wait;
    return true;
}

void handshake_hello(struct reception *r, const struct link_frame *frame, const struct hello *hello,
                     double now)
{
    struct peer *p = peer_find(&r->peers, &frame->peer);
    if (p != NULL && (strcmp(p->name, hello->name) != 0 || p->role != hello->role)) {
        reception_leave(r, p, "its connection greets as another");
        p = NULL;
    }
    if ((p != NULL && hello_repeated(r, frame, p, now)) || hello_turned_away(r, frame, hello))
        return;
    // a connection that greets again under its name is the same process
    bool            repeats = p != NULL;
    bool            same_run = hello->run_id == r->config.run_id;
    enum peer_claim claim = repeats ? PEER_RESUMED : peer_claim(&r->peers, hello, same_run, &p);
    if (claim == PEER_REPLACED) {
        reception_expel(r, frame, NULL, REJECT_STALE, REFUSED_REPLACED,
                        "a newer process of this name took its place");
        return;
    }
    if (claim == PEER_FULL) {
        char what[128];
        snprintf(what, sizeof what, "all %zu slots are taken (cluster.max_actors)",
                 hello->role == ROLE_ACTOR ? r->peers.actors : (size_t)PEER_EVALUATORS);
        reception_expel(r, frame, NULL, REJECT_FULL, REFUSED_FULL, what);
        return;
    }
    if (claim == PEER_RESUMED) {
        reception_revoke(r, p);
    } else {
        slot_vacate(r, p, now);
        slot_renew(r, p, claim, hello);
    }
    seat(r, p, frame, hello, now);
    p->rewinding = p->resend = true;
    p->rewind_since = 0.0;
    p->rewinds = 0;
    log_info("wire", "%s from %s %s has slot %llu (%s)", p->name, p->host, p->address,
             (unsigned long long)p->slot, claim == PEER_RESUMED ? "back" : "new process");
    welcome(r, p);
}

// ------ READY

static bool bounds_fit(const struct ready *ready)
{
    size_t n = ready->discrete ? 0 : (size_t)ready->action;
    if (ready->low.size != n * sizeof(double) || ready->high.size != n * sizeof(double))
        return false;
    for (size_t i = 0; i < n; i++) {
        double low, high;
        memcpy(&low, (const char *)ready->low.data + i * sizeof low, sizeof low);
        memcpy(&high, (const char *)ready->high.data + i * sizeof high, sizeof high);
        if (!isfinite(low) || !isfinite(high) || low > high)
            return false;
    }
    return true;
}

// a task whose rows can be sent at all
static bool sizes_fit(const struct ready *ready)
{
    return ready->obs >= 1 && ready->action >= 1 && ready->obs <= MESSAGE_ROWS_MAX / 32 &&
           ready->action <= (ready->discrete ? 1u << 20 : MESSAGE_NAME) && bounds_fit(ready);
}

static void task_learn(struct reception *r, const struct ready *ready)
{
    struct reception_task *t = &r->task;
    memcpy(t->name, ready->task, sizeof t->name);
    t->obs = ready->obs;
    t->action = ready->action;
    t->discrete = ready->discrete;
    t->max_steps = ready->max_steps;
    t->threshold = ready->threshold;
    if (!ready->discrete) {
        memcpy(t->low, ready->low.data, ready->low.size);
        memcpy(t->high, ready->high.data, ready->high.size);
    }
    t->known = true;
    pthread_cond_broadcast(&r->changed);
}

static bool task_same(const struct reception *r, const struct ready *ready)
{
    const struct reception_task *t = &r->task;
    return !t->known ||
           (t->obs == ready->obs && t->action == ready->action && t->discrete == ready->discrete &&
            (t->discrete || (memcmp(t->low, ready->low.data, ready->low.size) == 0 &&
                             memcmp(t->high, ready->high.data, ready->high.size) == 0)));
}

static void mismatch_describe(char *text, size_t size, const struct reception *r,
                              const struct ready *ready)
{
    const struct reception_task *t = &r->task;
    int                          n =
        snprintf(text, size,
                 "READY does not fit: task %s (learner: %s), spec hash %08llx (learner: %08x), "
                 "observation %llu, action %llu, %s",
                 ready->task, r->config.task, (unsigned long long)ready->spec_hash,
                 r->config.spec_hash, (unsigned long long)ready->obs,
                 (unsigned long long)ready->action, ready->discrete ? "discrete" : "continuous");
    if (n < 0 || (size_t)n >= size)
        return;
    if (!sizes_fit(ready))
        snprintf(text + n, size - (size_t)n, ": sizes or bounds that no task has");
    else if (t->known)
        snprintf(text + n, size - (size_t)n, " (learner: observation %llu, action %llu, %s%s)",
                 (unsigned long long)t->obs, (unsigned long long)t->action,
                 t->discrete ? "discrete" : "continuous",
                 task_same(r, ready) ? "" : "; sizes or bounds differ");
}

void handshake_ready(struct reception *r, const struct link_frame *frame, struct peer *p,
                     const struct ready *ready)
{
    if (strcmp(ready->task, r->config.task) != 0 || ready->spec_hash != r->config.spec_hash ||
        !sizes_fit(ready) || !task_same(r, ready)) {
        char what[512];
        mismatch_describe(what, sizeof what, r, ready);
        reception_expel(r, frame, p, REJECT_MISMATCH, REFUSED_MISMATCH, what);
        return;
    }
    if (!r->task.known)
        task_learn(r, ready);
    p->ready = true;
    p->welcomes = 0;
    pthread_cond_broadcast(&r->changed);
    reception_tell(r, p);
}
