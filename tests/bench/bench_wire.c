// How many transitions a second reach the replay memory through the whole wire: simulated actors send
// valid rows as fast as credits allow, the learner's network thread checks and inserts them.
//
// One JSON object a line for each value of ACTORS, with curve false and true. Variables: ACTORS="4 100
// 1000", SECONDS=5, OBS=17, ACT=6. Each measurement is a learner process of its own (so that its memory
// is its own) and two sender processes, over tcp on loopback.
#include "common/log.h"
#include "common/memory.h"
#include "tests/bench/wire_rig.h"

#include <math.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { SENDERS = 2 };

// ------ the learner

static void measure(const struct wire *w, struct wire_learner *l, double seconds)
{
    struct transition_recv_counters before, after;
    clock_sleep(1.0);
    transition_recv_read(l->recv, &before, false);
    double from = clock_now();
    clock_sleep(seconds);
    transition_recv_read(l->recv, &after, false);
    double rate = (double)(after.rows - before.rows) / (clock_now() - from);
    double rss = (double)memory_resident() / 1e6;
    double rows = fmin((double)after.rows, CAPACITY);
    double beyond = rss - rows * 4.0 * (double)l->replay.shape.words / 1e6;
    wire_learner_stop(l, &after);
    printf("{\"bench\":\"wire\",\"actors\":%zu,\"curve\":%s,\"obs\":%zu,\"act\":%zu,"
           "\"transitions_per_s\":%.0f,\"lost\":%llu,\"learner_rss_mb\":%.1f,"
           "\"learner_beyond_replay_mb\":%.1f}\n",
           w->actors, w->curve ? "true" : "false", w->obs, w->act, rate,
           (unsigned long long)after.lost, rss, beyond);
    fflush(stdout);
}

static int learner_main(const struct wire *w, double seconds)
{
    struct error                    err = {0};
    struct wire_learner             l = {0};
    struct transition_recv_counters after;
    if (wire_learner_open(&l, w, &err) < 0)
        return wire_fail(w, "learner", &err);
    measure(w, &l, seconds);
    transition_recv_read(l.recv, &after, false);
    wire_learner_close(&l);
    return after.lost > 0;
}

// ------ one line

static int bench_run(const struct wire *w, double seconds)
{
    int    code = 0, status;
    size_t senders = w->actors < SENDERS ? w->actors : SENDERS;
    pid_t  pid[SENDERS + 1];
    pid[senders] = wire_fork();
    if (pid[senders] == 0)
        _exit(learner_main(w, seconds));
    for (size_t i = 0; i < senders; i++) {
        size_t first = w->actors * i / senders, next = w->actors * (i + 1) / senders;
        pid[i] = wire_fork();
        if (pid[i] == 0)
            _exit(wire_sender_main(w, first, next - first));
    }
    for (size_t i = 0; i <= senders; i++)
        if (waitpid(pid[i], &status, 0) < 0 || status != 0)
            code = 1;
    return code;
}

int main(void)
{
    const char   *at = bench_text("ACTORS", "4 100 1000");
    double        seconds = bench_number("SECONDS", 5);
    struct error  err = {0};
    struct rlimit files;
    struct wire   w = {.bench = "bench-wire",
                       .obs = (size_t)bench_number("OBS", 17),
                       .act = (size_t)bench_number("ACT", 6)};
    int           code = 0;
    snprintf(w.keys, sizeof w.keys, "/tmp/crossfleet-bench-%d", (int)getpid());
    if (keys_make(w.keys, &err) < 0)
        return wire_fail(&w, "keys", &err);
    // two sockets an actor on the learner's side
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    log_open("bench", LOG_WARN, false);
    for (char *end; (w.actors = strtoul(at, &end, 10)) > 0 && end != at; at = end) {
        w.window = w.actors <= 16 ? 8192 : 512;
        for (int curve = 0; curve < 2; curve++) {
            w.curve = curve == 1;
            snprintf(w.address, sizeof w.address, "tcp://127.0.0.1:%d",
                     20000 + (int)getpid() % 20000);
            code |= bench_run(&w, seconds);
        }
    }
    return code;
}
