// CURVE keys in files. `keys_make DIR` writes
//
//   DIR/learner.key        0600  the learner's pair
//   DIR/learner.pub              its public key: every actor needs it
//   DIR/actor.key          0600  an actor's pair
//   DIR/actors/actor.pub         public keys that may connect: the allow-list
//
// A learner needs learner.key and actors/; an actor needs actor.key and learner.pub. A key file is
// lines "public KEY" and "secret KEY" with keys in Z85; secrets are never logged.
// A secret may be its owner's only, or root's and of a group that this process is in.
#ifndef PROTO_KEYS_H
#define PROTO_KEYS_H

#include "common/error.h"
#include "proto/link.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keys {
    char public_key[LINK_KEY], secret_key[LINK_KEY];
    char server_key[LINK_KEY];  // actor: of its learner
    // learner: the allow-list
    char directory[512];
    char (*allowed)[LINK_KEY];  // (n_allowed)
    size_t   n_allowed;
    uint64_t signature;  // of its files, when they were read last
    uint64_t removals;   // readings after which a key was gone
    double   look_at;    // clock_now() of the next look at the directory
};

// Makes a directory of fresh keys; existing files are not overwritten.
//
//   returns  0, ERR_SYSTEM
int keys_make(const char *directory, struct error *err);

// Reads a learner's or an actor's side. A secret that others can read is refused.
//
//   returns  0, ERR_SYSTEM, ERR_FORMAT
int  keys_open_learner(struct keys *keys, const char *directory, struct error *err);
int  keys_open_actor(struct keys *keys, const char *directory, struct error *err);
void keys_close(struct keys *keys);

// Gives a socket its keys: a learner's pair, or an actor's with the learner's public key. keys NULL: none.
// They are borrowed by o.
void keys_apply(const struct keys *keys, struct link_options *o);

// Reads the allow-list again when its files have changed; looks once a second. Not thread-safe.
void keys_refresh(struct keys *keys, double now);

// Says whether a public key is on the allow-list, after keys_refresh. A link_allow_fn with a struct
// keys as context. Not thread-safe.
bool keys_allow(void *keys, const char *key);

#endif
