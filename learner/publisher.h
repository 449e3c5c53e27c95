// The policy that leaves the learner: folded from the actor network, numbered, handed to the weights
// socket and to policy files. Used by the update thread only.
#ifndef LEARNER_PUBLISHER_H
#define LEARNER_PUBLISHER_H

#include "common/error.h"
#include "common/network.h"
#include "common/policy.h"
#include "common/policy_file.h"
#include "common/spec.h"

#include <stddef.h>
#include <stdint.h>

struct publisher {
    const struct net_spec *net;  // borrowed, of the spec
    struct policy          policy;
    struct policy_about    about;
    struct policy_source   source[NET_MAX_LAYERS + 1];  // into the actor network
    uint64_t               version;                     // of the newest weights, 0: none yet
    struct policy          kept;                        // a copy that is being evaluated
    uint64_t               kept_version, kept_steps;
};

// about: everything but weights_version, steps and eval_return. actor must outlive the publisher.
//
//   returns  0 or ERR_MEMORY
int  publisher_init(struct publisher *p, const struct spec *spec, const struct network *actor,
                    size_t A, bool discrete, const struct policy_about *about, struct error *err);
void publisher_free(struct publisher *p);

// Folds the actor's current weights as the next version; p->policy.floats then holds them.
void publisher_fold(struct publisher *p);

// Keeps a copy of the newest weights, which belong to `steps` environment steps.
void publisher_keep(struct publisher *p, uint64_t steps);

// Writes the newest weights as path.
//
//   returns  0, ERR_SYSTEM or ERR_MEMORY
int publisher_save(struct publisher *p, const char *path, uint64_t steps, double eval_return,
                   struct error *err);

// Writes the kept weights likewise.
int publisher_save_kept(struct publisher *p, const char *path, double eval_return,
                        struct error *err);

#endif
