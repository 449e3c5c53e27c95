// What ingest costs the learner: updates a second at full speed, with simulated actors sending rows at
// a fixed rate through the whole wire and with none, in turns.
//
// One JSON line. SPEC=configs/paper/halfcheetah.yaml, SET="key=value ..." as in make, RATE=2000 rows a
// second from ACTORS=4 in one other process, THREADS=2, SECONDS=2 a turn, TURNS=7 of each kind; rates are
// medians, cost is the median of what each pair of turns says.
// MAP_ANONYMOUS is no part of POSIX
#define _DEFAULT_SOURCE

#include "common/blas.h"
#include "common/log.h"
#include "learner/sampler.h"
#include "learner/update.h"
#include "tests/bench/wire_rig.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { FIRST_ROWS = 20000, TURNS_MOST = 99, SETS = 16 };

struct bench {
    struct wire wire;
    struct spec spec;
    size_t      threads, turns;
    int         rate;
    double      seconds;
};

struct work {
    struct wire_learner learner;
    struct update      *update;
    struct batch        batch;
    struct sampler      sampler;
};

static int spec_open(struct spec *spec, struct error *err)
{
    const char *file = bench_text("SPEC", "configs/paper/halfcheetah.yaml"), *set[SETS];
    static char text[4096];
    size_t      n = 0;
    snprintf(text, sizeof text, "%s", bench_text("SET", ""));
    for (char *at, *word = strtok_r(text, " ", &at); word != NULL && n < SETS;
         word = strtok_r(NULL, " ", &at))
        set[n++] = word;
    struct spec_options options = {.set = set, .n_set = n};
    return spec_load(spec, file, &options, NULL, err);
}

static int work_open(struct work *w, const struct bench *b, struct error *err)
{
    size_t O = b->wire.obs, A = b->wire.act;
    if (wire_learner_open(&w->learner, &b->wire, err) < 0 ||
        batch_init(&w->batch, (size_t)b->spec.memory.batch_size, O, A, A, err) < 0 ||
        sampler_init(&w->sampler, &b->spec.memory, CAPACITY, 1, err) < 0)
        return err->code;
    w->update = update_make(&b->spec, O, A, false, b->threads, 1, err);
    if (w->update == NULL)
        return err->code;
    atomic_store(b->wire.pace, -1);
    if (limiter_wait_inserted(&w->learner.limiter, FIRST_ROWS, 60.0) < 0)
        return error_set(err, ERR_TIMEOUT, "no rows came");
    return 0;
}

static void work_close(struct work *w)
{
    wire_learner_close(&w->learner);
    update_free(w->update);
    batch_free(&w->batch);
    sampler_free(&w->sampler);
}

// updates a second and rows a second of one turn
static double turn(struct work *w, const struct bench *b, int pace, double *rows)
{
    struct update_result result;
    uint64_t             n = 0, before;
    atomic_store(b->wire.pace, pace);
    clock_sleep(0.1);
    before = replay_inserted(&w->learner.replay);
    double start = clock_now(), now = start;
    // whole turns of the policy delay
    for (; now - start < b->seconds || n % b->spec.algorithm.policy_delay != 0; n++) {
        sampler_draw(&w->sampler, &w->learner.replay, &w->batch, 0);
        update_step(w->update, &w->batch, &result);
        now = clock_now();
    }
    *rows = (double)(replay_inserted(&w->learner.replay) - before) / (now - start);
    return (double)n / (now - start);
}

static int learner_main(const struct bench *b)
{
    struct error                    err = {0};
    static struct work              w;
    struct transition_recv_counters after;
    double alone[TURNS_MOST], with[TURNS_MOST], cost[TURNS_MOST], rows[TURNS_MOST], none;
    if (work_open(&w, b, &err) < 0)
        return wire_fail(&b->wire, "learner", &err);
    turn(&w, b, 0, &none);
    for (size_t i = 0; i < b->turns; i++) {
        // either kind comes first as often
        if (i % 2 == 1)
            with[i] = turn(&w, b, b->rate, &rows[i]);
        alone[i] = turn(&w, b, 0, &none);
        if (i % 2 == 0)
            with[i] = turn(&w, b, b->rate, &rows[i]);
        cost[i] = 1 - with[i] / alone[i];
    }
    wire_learner_stop(&w.learner, &after);
    printf("{\"bench\":\"ingest\",\"threads\":%zu,\"actors\":%zu,\"transitions_per_s\":%.0f,"
           "\"lost\":%llu,\"updates_per_s_alone\":%.2f,\"updates_per_s\":%.2f,\"cost\":%.4f}\n",
           b->threads, b->wire.actors, bench_median(rows, b->turns), (unsigned long long)after.lost,
           bench_median(alone, b->turns), bench_median(with, b->turns),
           bench_median(cost, b->turns));
    fflush(stdout);
    work_close(&w);
    return after.lost > 0;
}

int main(void)
{
    struct error        err = {0};
    static struct bench b;
    int                 status, code = 0;
    b = (struct bench){.wire = {.bench = "bench-ingest",
                                .actors = (size_t)bench_number("ACTORS", 4),
                                .obs = 17,
                                .act = 6,
                                .window = 2048},
                       .threads = (size_t)bench_number("THREADS", 2),
                       .turns = (size_t)bench_number("TURNS", 7),
                       .rate = (int)bench_number("RATE", 2000),
                       .seconds = bench_number("SECONDS", 2)};
    if (b.threads < 1 || b.turns < 1 || b.turns > TURNS_MOST || b.wire.actors < 1) {
        fprintf(stderr, "bench-ingest: THREADS, ACTORS, TURNS (at most %d) are numbers above 0\n",
                TURNS_MOST);
        return 2;
    }
    if (spec_open(&b.spec, &err) < 0)
        return wire_fail(&b.wire, "spec", &err);
    void *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    b.wire.pace = shared;
    blas_init();
    log_open("bench", LOG_WARN, false);
    snprintf(b.wire.address, sizeof b.wire.address, "tcp://127.0.0.1:%d",
             20000 + (int)getpid() % 20000);
    pid_t learner = wire_fork();
    if (learner == 0)
        _exit(learner_main(&b));
    pid_t sender = wire_fork();
    if (sender == 0)
        _exit(wire_sender_main(&b.wire, 0, b.wire.actors));
    const pid_t pid[] = {learner, sender};
    for (int i = 0; i < 2; i++)
        if (waitpid(pid[i], &status, 0) < 0 || status != 0)
            code = 1;
    return code;
}
