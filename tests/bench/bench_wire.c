// How many transitions a second reach the replay memory through the whole wire: simulated actors send
// valid rows as fast as credits allow, the learner's network thread checks and inserts them.
//
// One JSON object a line for each value of ACTORS, with curve false and true. Variables: ACTORS="4 100
// 1000", SECONDS=5, OBS=17, ACT=6. Each measurement is a learner process of its own (so that its memory
// is its own) and two sender processes, over tcp on loopback.

#include "actor/transition_send.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/memory.h"
#include "learner/transition_recv.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SENDERS = 2, BLOCK = 512, CAPACITY = 1000000 };

struct bench {
    size_t actors, obs, act, window;
    bool   curve;
    double seconds;
    char   address[64], keys[64];
};

static int fail(const char *what, const struct error *err)
{
    fprintf(stderr, "bench-wire: %s: %s\n", what, err->text);
    return 1;
}

// ------ senders

// a block of valid rows
static float *rows_make(struct row_shape shape)
{
    float *rows = calloc(BLOCK * shape.words, sizeof *rows);
    for (size_t i = 0; rows != NULL && i < BLOCK * shape.words; i++)
        rows[i] = i % shape.words >= shape.flags ? 0.0f : 0.5f;
    return rows;
}

static struct transition_send *sender_open(const struct bench *b, struct link_hub *hub,
                                           const struct keys *keys, size_t i, struct error *err)
{
    char   name[32];
    double bounds[MESSAGE_NAME];
    snprintf(name, sizeof name, "sim-%zu", i);
    for (size_t k = 0; k < MESSAGE_NAME; k++)
        bounds[k] = 1.0;
    struct transition_send_config c = {.address = b->address,
                                       .name = name,
                                       .keys = keys,
                                       .heartbeat_s = 2.0,
                                       .timeout_s = 10.0,
                                       .hub = hub};
    struct transition_send_task   task = {
          .name = "bench", .obs = b->obs, .action = b->act, .low = bounds, .high = bounds};
    struct transition_send *s = transition_send_open(&c, err);
    if (s == NULL || transition_send_handshake(s, 60.0, NULL, err) < 0 ||
        transition_send_ready(s, &task, b->window, err) < 0) {
        transition_send_close(s, 0.0);
        return NULL;
    }
    return s;
}

// sends until every actor was told to stop
static uint64_t senders_run(struct transition_send **s, size_t n, const float *rows)
{
    uint64_t open = 0;
    for (size_t left = n; left > 0;) {
        bool moved = false;
        for (size_t i = 0; i < n; i++) {
            if (s[i] == NULL)
                continue;
            enum send_event event = transition_send_poll(s[i], 0.0);
            if (event == SEND_STOP)
                transition_send_leave(s[i]);
            if (event == SEND_LEFT) {
                open += transition_send_close(s[i], 0.0);
                s[i] = NULL;
                left--;
                continue;
            }
            size_t room = transition_send_room(s[i]), credit = (size_t)transition_send_credit(s[i]);
            size_t k = room < credit ? room : credit;
            k = k < BLOCK ? k : BLOCK;
            if (k > 0)
                transition_send_add(s[i], rows, k);
            moved |= k > 0;
        }
        if (!moved)
            clock_sleep(0.0002);
    }
    return open;
}

static int sender_main(const struct bench *b, size_t first, size_t n)
{
    struct error             err = {0};
    struct keys              keys = {0};
    struct link_hub         *hub = link_hub_open((int)n, &err);
    struct transition_send **s = calloc(n, sizeof(struct transition_send *));
    float                   *rows = rows_make(row_shape_make(b->obs, b->act));
    if (hub == NULL || s == NULL || rows == NULL)
        return fail("sender", &err);
    if (b->curve && keys_open_actor(&keys, b->keys, &err) < 0)
        return fail("keys", &err);
    for (size_t i = 0; i < n; i++) {
        s[i] = sender_open(b, hub, b->curve ? &keys : NULL, first + i, &err);
        if (s[i] == NULL)
            return fail("sender", &err);
        // earlier ones must not fall silent while the later ones connect
        for (size_t k = 0; i % 16 == 0 && k < i; k++)
            transition_send_poll(s[k], 0.0);
    }
    uint64_t open = senders_run(s, n, rows);
    if (open > 0)
        fprintf(stderr, "bench-wire: %llu rows without an answer\n", (unsigned long long)open);
    link_hub_close(hub);
    keys_close(&keys);
    free(rows);
    free(s);
    return open > 0;
}

// ------ the learner

static double rss_mb(void)
{
    return (double)memory_resident() / 1e6;
}

static int measure(const struct bench *b, struct transition_recv *recv, const struct replay *replay)
{
    struct transition_recv_counters before, after;
    if (transition_recv_wait_actors(recv, b->actors, 60.0) < 0) {
        fprintf(stderr, "bench-wire: not all actors came\n");
        return 1;
    }
    clock_sleep(1.0);
    transition_recv_read(recv, &before, false);
    double from = clock_now();
    clock_sleep(b->seconds);
    transition_recv_read(recv, &after, false);
    double rate = (double)(after.rows - before.rows) / (clock_now() - from), rss = rss_mb();
    double rows = fmin((double)after.rows, CAPACITY);
    double beyond = rss - rows * 4.0 * (double)replay->shape.words / 1e6;
    transition_recv_stop_actors(recv, "bench is over");
    for (int i = 0; i < 100 && after.actors > 0; i++) {
        clock_sleep(0.1);
        transition_recv_read(recv, &after, false);
    }
    printf("{\"bench\":\"wire\",\"actors\":%zu,\"curve\":%s,\"obs\":%zu,\"act\":%zu,"
           "\"transitions_per_s\":%.0f,\"lost\":%llu,\"learner_rss_mb\":%.1f,"
           "\"learner_beyond_replay_mb\":%.1f}\n",
           b->actors, b->curve ? "true" : "false", b->obs, b->act, rate,
           (unsigned long long)after.lost, rss, beyond);
    fflush(stdout);
    return after.lost > 0;
}

static int learner_main(const struct bench *b)
{
    struct error                  err = {0};
    struct keys                   keys = {0};
    struct limiter                limiter;
    struct replay                 replay;
    struct reception_task         task;
    struct transition_recv_config c = {.bind = {b->address}, .n_bind = 1};
    struct limiter_config         lc = {.q = 1, .max_frame = UINT64_MAX / 8};
    if (b->curve && keys_open_learner(&keys, b->keys, &err) < 0)
        return fail("keys", &err);
    c.keys = b->curve ? &keys : NULL;
    c.reception = (struct reception_config){.run_id = 1,
                                            .incarnation = 1,
                                            .task = "bench",
                                            .spec_text = "",
                                            .max_actors = b->actors,
                                            .credit_window = b->window,
                                            .block_rows = BLOCK,
                                            .heartbeat_s = 2.0,
                                            .timeout_s = 10.0};
    struct transition_recv *recv = transition_recv_start(&c, &err);
    if (recv == NULL || transition_recv_wait_task(recv, &task, 30.0) < 0)
        return fail("learner", &err);
    if (replay_init(&replay, row_shape_make(b->obs, b->act), CAPACITY, b->actors, 0, NULL, false,
                    &err) < 0 ||
        limiter_init(&limiter, &lc, &err) < 0 ||
        transition_recv_open(recv, &replay, &limiter, &err) < 0)
        return fail("learner", &err);
    int code = measure(b, recv, &replay);
    transition_recv_stop(recv, "bench is over", 1.0);
    limiter_free(&limiter);
    replay_free(&replay);
    keys_close(&keys);
    return code;
}

// ------ one line

static pid_t child_start(void)
{
    pid_t pid = fork();
    if (pid == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

static int bench_run(const struct bench *b)
{
    int    code = 0, status;
    size_t senders = b->actors < SENDERS ? b->actors : SENDERS;
    pid_t  pid[SENDERS + 1];
    pid[senders] = child_start();
    if (pid[senders] == 0)
        _exit(learner_main(b));
    for (size_t i = 0; i < senders; i++) {
        size_t first = b->actors * i / senders, next = b->actors * (i + 1) / senders;
        pid[i] = child_start();
        if (pid[i] == 0)
            _exit(sender_main(b, first, next - first));
    }
    for (size_t i = 0; i <= senders; i++)
        if (waitpid(pid[i], &status, 0) < 0 || status != 0)
            code = 1;
    return code;
}

static double env_number(const char *name, double otherwise)
{
    const char *text = getenv(name);
    return text == NULL || text[0] == '\0' ? otherwise : strtod(text, NULL);
}

int main(void)
{
    const char   *actors = getenv("ACTORS");
    struct error  err = {0};
    struct rlimit files;
    struct bench  b = {.obs = (size_t)env_number("OBS", 17),
                       .act = (size_t)env_number("ACT", 6),
                       .seconds = env_number("SECONDS", 5)};
    int           code = 0;
    snprintf(b.keys, sizeof b.keys, "/tmp/crossfleet-bench-%d", (int)getpid());
    if (keys_make(b.keys, &err) < 0)
        return fail("keys", &err);
    // two sockets an actor on the learner's side
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    log_open("bench", LOG_WARN, false);
    const char *at = actors == NULL || actors[0] == '\0' ? "4 100 1000" : actors;
    for (char *end; (b.actors = strtoul(at, &end, 10)) > 0 && end != at; at = end) {
        b.window = b.actors <= 16 ? 8192 : 512;
        for (int curve = 0; curve < 2; curve++) {
            b.curve = curve == 1;
            snprintf(b.address, sizeof b.address, "tcp://127.0.0.1:%d",
                     20000 + (int)getpid() % 20000);
            code |= bench_run(&b);
        }
    }
    return code;
}
