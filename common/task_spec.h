// What a spec says about a task of the user's own: env.name custom with a MuJoCo model and short lists
// of terms, or env.name plugin with a shared object. Plain data; the spec loader fills it, the actor
// (actor/env/custom.c, actor/env/plugin.c) builds the task from it.
//
//   env:
//     name: custom
//     model: robot.xml                 # relative to the spec file
//     frame_skip: 5
//     max_t: 1000
//     observation:                     # in this order
//       - qpos                         # short for {term: qpos}
//       - {term: up, body: torso}
//     reward:                          # summed, each times its weight (default 1)
//       - {term: forward_velocity, body: torso, weight: 2}
//       - {term: control_cost, weight: 0.1}
//     termination:                     # an episode ends when one leaves its range
//       - {term: height, body: torso, range: [0.2, 1.0]}
//     reset_noise: {qpos: 0.1, qvel: 0.1}   # uniform in +-that, around the model's pose at rest
//
//   env:
//     name: plugin
//     plugin: ./my_env.so              # kwargs go to it
#ifndef COMMON_TASK_SPEC_H
#define COMMON_TASK_SPEC_H

#include <stddef.h>
#include <stdint.h>

enum { TASK_TERMS = 32, TASK_NAME = 64, TASK_PATH = 512 };

// where a term stands
enum task_section { TASK_OBSERVATION = 1, TASK_REWARD = 2, TASK_TERMINATION = 4 };

// what a term is about
enum task_object_kind {
    TASK_NOTHING = 0,
    TASK_BODY = 1,    // key body, or to_body
    TASK_SITE = 2,    // site, to_site
    TASK_JOINT = 4,   // joint
    TASK_SENSOR = 8,  // sensor
};

struct task_object {
    enum task_object_kind kind;
    char                  name[TASK_NAME];
};

// one item of env.observation, env.reward or env.termination
struct task_term {
    char               term[TASK_NAME];
    struct task_object of;        // keys body, site, joint, sensor: at most one
    struct task_object to;        // keys to_body, to_site
    double             weight;    // rewards; default 1
    double             range[2];  // terminations: [low, high], may be infinite on one side
    int                line;      // of the spec file, for errors
};

struct task_spec {
    char             model[TASK_PATH];   // MJCF file, "" if none; found relative to the spec file
    char             plugin[TASK_PATH];  // shared object, "" if none
    uint64_t         frame_skip;         // simulation steps a control step, default 1
    double           noise_qpos, noise_qvel;
    size_t           n_observation, n_reward, n_termination;
    struct task_term observation[TASK_TERMS];
    struct task_term reward[TASK_TERMS];
    struct task_term termination[TASK_TERMS];
};

// A row of the table of terms, which is the single place where a term is described.
struct task_term_info {
    const char *name;
    unsigned    sections;  // set of enum task_section
    unsigned    of,
        to;  // sets of enum task_object_kind it takes; with TASK_OPTIONAL it may be left out
    const char *help;
};

enum { TASK_OPTIONAL = 1024 };

// The i-th term of the table, NULL after the last.
const struct task_term_info *task_term_info(size_t i);

// Says what is wrong with a term in its section, apart from what only the model knows.
//
//   problem  (size) out, "" when all is well: "there is no term x, allowed: ..."
void task_term_check(const struct task_term *term, enum task_section section, char *problem,
                     size_t size);

#endif
