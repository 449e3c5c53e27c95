// What a running learner knows about itself: one plain snapshot that everything shows (progress line,
// CSV rows, TensorBoard, status page, /metrics). The learner's loop fills the first part and hands
// it to learner/recorder.h, which derives the second part and publishes the whole in a status_store;
// readers take a copy.
//
// Numbers that are not known yet are NAN. Counters ending in _s are seconds since the start.
#ifndef LEARNER_STATUS_H
#define LEARNER_STATUS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STATUS_ACTORS = 1024, STATUS_CURVE = 400, STATUS_REJECTS = 16 };

enum status_state {
    STATUS_LOADING,  // not able to accept actors yet: /healthz 503
    STATUS_WARMUP,   // fewer steps than training_start_step
    STATUS_TRAINING,
    STATUS_EVALUATING,  // every step is done, the final evaluation runs
    STATUS_STOPPING,    // writing the last checkpoint: /healthz 503
    STATUS_DONE,        // 503
};

// why somebody waits
enum status_wait {
    STATUS_WAIT_WARMUP,   // the learner, until the replay memory holds training_start_step rows
    STATUS_WAIT_INSERTS,  // the learner, for transitions
    STATUS_WAIT_SAMPLES,  // the actors, for updates: credits are withheld
    STATUS_WAITS,
};

enum status_actor_state {
    STATUS_ACTOR_GONE,  // disconnected; its slot is free or waits for it
    STATUS_ACTOR_ACTIVE,
    STATUS_ACTOR_SILENT,  // connected, but nothing came for longer than the heartbeat's timeout
};

struct status_actor {
    uint32_t                slot;
    enum status_actor_state state;
    bool                    evaluator;
    char                    name[64], host[64];
    uint64_t                steps;        // accepted from this slot
    double                  steps_per_s;  // by the recorder, from steps
    double                  lag;          // versions between its last block and the newest weights
    double                  age_s;        // since its last message
    uint64_t                restarts;     // incarnations after the first
    uint64_t                lost;         // transitions missing in its sequence
    double                  wait_s;       // waited for credit, total of its process
    double                  weights_age_s;  // since it got valid weights
    uint64_t                weights_bad;    // frames of weights that it did not take
};

struct status_reject {
    char     reason[32];
    uint64_t n;
};

struct status_point {
    uint64_t steps;
    double   elapsed_s, value;
};

// At most STATUS_CURVE points: when full, every second one is dropped and half as many come after.
struct status_curve {
    size_t              n;
    uint64_t            stride, seen;  // one in stride offered points is kept
    struct status_point points[STATUS_CURVE];
};

struct status {
    // ---------------------------------------------------------------- filled by the loop
    enum status_state state;
    char              run_id[40];
    char              name[128], env[64], algorithm[16];
    uint64_t          seed;
    const char       *spec_text;  // resolved YAML; borrowed, must outlive the store
    const char       *run_path;   // run directory; likewise
    char              bind[256];  // where actors connect
    char              http[128];  // URL of the status page, or ""

    uint64_t steps, max_frame, start_step;  // environment steps: now, end, first training
    uint64_t updates, ratio_p, ratio_q;     // wanted: p/q updates a step
    double   tolerance;                     // of the limiter, environment steps
    double   busy_s;                        // update thread inside updates
    double   wait_s[STATUS_WAITS];
    uint64_t updates_skipped;  // something was not finite

    double critic_loss, actor_loss, alpha, alpha_loss, entropy, q_mean;  // means since the last row
    double learning_rate;

    uint64_t             weights_version, publishes;
    double               lag_p50, lag_p99;  // versions, of the transitions since the last row
    double               sample_age;  // mean versions between a sampled row and the newest weights
    uint64_t             replay_rows, replay_capacity;
    uint64_t             lost, duplicates;
    size_t               n_rejects;
    struct status_reject rejects[STATUS_REJECTS];  // messages, by reason
    uint64_t             checkpoints, evaluations_skipped;

    size_t              n_actors;  // rows, evaluator and gone ones included
    struct status_actor actors[STATUS_ACTORS];

    // ---------------------------------------------------------------- derived by the recorder
    char     version[32];               // ours
    double   elapsed_s, eta_s;          // of training, earlier starts of a resumed run included
    double   wall_start;                // seconds since 1970 of this start
    double   utd;                       // updates / (steps - start_step)
    double   fps, updates_per_s;        // over the last few seconds
    double   utilisation;               // share of the last seconds that went into updates
    double   wait_share[STATUS_WAITS];  // share of the last seconds
    uint64_t episodes;
    double   return_last, return_mean, length_mean;  // the means over the last 100 episodes
    double   eval_last, eval_best;                   // mean return of an evaluation
    double   eval_std;
    uint64_t evaluations, eval_last_steps, eval_best_steps, eval_best_version;
    uint64_t rss_bytes;

    struct status_curve train, eval;
};

// Zero, every unknown number NAN.
void status_init(struct status *s);

// Adds a point, thinning when full.
void status_curve_add(struct status_curve *c, uint64_t steps, double elapsed_s, double value);

// Connected actors, the evaluator not counted.
size_t status_actors_connected(const struct status *s);

// Who waits for whom, in one sentence (the page) or in a few words (the progress line).
void        status_sentence(char *text, size_t size, const struct status *s);
void        status_bottleneck(char *text, size_t size, const struct status *s);
const char *status_state_name(enum status_state state);
const char *status_actor_state_name(enum status_actor_state state);
const char *status_wait_name(enum status_wait reason);  // label of /metrics: "warmup" ...

// "1,234,567", "3 h 12 min", "45 s"; "-" for what is not known.
void status_format_count(char *text, size_t size, uint64_t n);
void status_format_duration(char *text, size_t size, double seconds);

// Where the newest snapshot lies. Thread-safe after init.
struct status_store {
    pthread_mutex_t lock;
    struct status   now;
};

int  status_store_init(struct status_store *store);
void status_store_free(struct status_store *store);
void status_store_put(struct status_store *store, const struct status *s);
void status_store_get(struct status_store *store, struct status *s);

#endif
