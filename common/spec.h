// A resolved spec: every key of shared/design.md section 3 with its value, plain data. One X-macro
// table (common/spec_keys.h) is the single place where a key, its type, range, default, unit and help
// live; this struct holds what the table fills.
#ifndef COMMON_SPEC_H
#define COMMON_SPEC_H

#include "common/error.h"
#include "common/layer_spec.h"
#include "common/task_spec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SPEC_NAME 128
#define SPEC_KWARGS 32

enum algorithm_kind { ALGORITHM_CROSSQ, ALGORITHM_SAC };
enum memory_kind { MEMORY_REPLAY, MEMORY_PRIORITIZED };
enum pdtype_kind { PDTYPE_DEFAULT, PDTYPE_NORMAL, PDTYPE_CATEGORICAL };
enum alpha_loss_kind { ALPHA_LOSS_ALPHA, ALPHA_LOSS_LOG_ALPHA };

// agent.algorithm
struct algorithm_spec {
    enum algorithm_kind kind;
    enum pdtype_kind    pdtype;
    double              gamma;
    uint64_t training_frequency;            // environment steps between trainings (ratio's divisor)
    uint64_t training_iter;                 // updates a training; 0 never: resolved to num_envs
    uint64_t training_start_step;           // resolved to max(1000, batch_size)
    uint64_t policy_delay;                  // critic updates between actor updates
    double   log_alpha_min, log_alpha_max;  // -INFINITY, INFINITY: no bound
    double   alpha_init;                    // 1
    double   alpha_lr;                      // 0: the actor's lr
    double   alpha_beta1;                   // resolved to the actor's beta1
    enum alpha_loss_kind alpha_loss;
    double               target_entropy;     // NAN: -A, or 0.6 ln A if discrete
    double               critic_loss_scale;  // 1 in the lab, 0.5 in the paper
    double               log_std_min, log_std_max;
    uint64_t             n_step;  // 1
};

// agent.memory
struct memory_spec {
    enum memory_kind kind;
    uint64_t         batch_size, max_size;
    bool             use_cer;
    double           alpha, epsilon;    // PrioritizedReplay: exponent, floor
    double           beta, beta_final;  // importance exponent, annealed over max_frame
};

// one of env.kwargs: Gymnasium's optional arguments
struct kwarg_spec {
    char   name[48];
    double value[2];  // a number or a bool in [0]; a pair for ranges
    size_t n;         // 1 or 2
    int    line;      // of the spec file, for errors
};

struct env_spec {
    char              name[64];
    uint64_t          num_envs, max_frame;
    uint64_t          max_t;  // time limit, 0: the task's own
    size_t            n_kwargs;
    struct kwarg_spec kwargs[SPEC_KWARGS];
    struct task_spec  task;  // env.name custom or plugin; keys and their YAML in common/task_spec.h
};

struct meta_spec {
    uint64_t log_frequency, eval_frequency;  // environment steps; eval 0: only at the end
    uint64_t eval_episodes;                  // 10
};

// cluster: our own keys
struct cluster_spec {
    uint64_t envs_per_actor;      // 0: ceil(num_envs / actors)
    double   publish_interval_s;  // least time between two weights broadcasts
    uint64_t credit_window;       // transitions an actor may have in flight
    uint64_t block_rows;          // most transitions in one message
    double   limiter_tolerance;   // width of the band in environment steps
    double   heartbeat_s, heartbeat_timeout_s;
    double   checkpoint_interval_s;
    uint64_t learner_threads;  // 0: chosen at start
    uint64_t max_actors;
    uint64_t max_policy_lag;  // versions; 0: unlimited
    uint64_t lockstep_checkpoint_steps;
    uint64_t max_skipped_updates;  // in a row
};

struct spec {
    char                  file[256];        // where it came from, for messages
    char                  name[SPEC_NAME];  // which of the file's specs
    uint64_t              seed;             // of the run; --seed wins
    struct algorithm_spec algorithm;
    struct memory_spec    memory;
    struct net_spec       actor_net;   // agent.net
    struct net_spec       critic_net;  // agent.critic_net; SAC in the lab has agent.net alone
    struct env_spec       env;
    struct meta_spec      meta;
    struct cluster_spec   cluster;
};

// What a command line adds to a spec file.
struct spec_options {
    const char *const *set;  // (n_set)  "agent.memory.batch_size=512"
    size_t             n_set;
    const char *const *var;  // (n_var)  "env=HalfCheetah-v5"
    size_t             n_var;
};

// Reads FILE[:NAME], applies options, checks everything.
//
//   returns  0, or ERR_SPEC with ALL errors, one a line: file:line: path: what is wrong, what is allowed
//   notes    (may be NULL) gets one line a key that is accepted and means nothing here
int spec_load(struct spec *spec, const char *file_and_name, const struct spec_options *options,
              FILE *notes, struct error *err);

// The same from text in memory (what WELCOME carries); label stands for the file in messages.
int spec_parse(struct spec *spec, const char *text, size_t size, const char *label,
               const char *name, const struct spec_options *options, FILE *notes,
               struct error *err);

// Writes the resolved spec with every key and its help as YAML that spec_load reads to the same spec.
int spec_write(const struct spec *spec, FILE *out, struct error *err);

// The same as a text that the caller frees, NULL: ERR_MEMORY.
char *spec_text(const struct spec *spec, struct error *err);

// updates per environment step as a reduced fraction p/q.
void spec_ratio(const struct spec *spec, uint64_t *p, uint64_t *q);

// Environments of an actor when there are so many local ones; 0: as for one.
uint64_t spec_envs_per_actor(const struct spec *spec, uint64_t actors);

// Threads of an update on a machine of so many cores with so many actors on it: every core that these
// leave free, at least one.
uint64_t spec_learner_threads(const struct spec *spec, uint64_t cores, uint64_t actors);

// crc32c of what spec_write writes, without seed and file: both sides of a handshake compare it.
uint32_t spec_hash(const struct spec *spec);

#endif
