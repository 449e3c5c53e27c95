// The messages between learner and actors: one MessagePack array each, [kind, field, ...], in the
// order of the structs below. Bulk data is one `bin` of little-endian words, never an array of
// floats. proto/README.md has every message as a table with a hex dump.
//
// Decoding checks every length against the bytes that are there and against the field's limit
// before anything is allocated; spans and texts of a decoded message borrow or copy from the frame,
// so a message lives as long as its frame. Stateless, thread-safe.
#ifndef PROTO_MESSAGE_H
#define PROTO_MESSAGE_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MESSAGE_PROTOCOL = 2 };  // changes with any change of a message

enum message_kind {
    MESSAGE_HELLO = 1,     // actor: who I am
    MESSAGE_WELCOME,       // learner: what you are to do
    MESSAGE_REFUSED,       // learner: why not
    MESSAGE_READY,         // actor: my task's sizes
    MESSAGE_CREDIT,        // learner: how many rows you may send, how many are in
    MESSAGE_TRANSITIONS,   // actor: rows
    MESSAGE_EPISODES,      // actor: finished episodes
    MESSAGE_STATS,         // actor: how it goes
    MESSAGE_EVAL_REQUEST,  // learner: evaluate these weights
    MESSAGE_EVAL_RESULT,   // evaluator: the episodes
    MESSAGE_HEARTBEAT,     // both: alive; the answer carries the same stamp
    MESSAGE_BYE,           // actor: I leave, this was my last row
    MESSAGE_BYE_ACK,       // learner: all your rows are in, close
    MESSAGE_STOP,          // learner: leave
    MESSAGE_WEIGHTS,       // learner, on the weights socket: proto/weights.h
    MESSAGE_KINDS
};

enum message_role { ROLE_ACTOR, ROLE_EVALUATOR };

enum refused_code {
    REFUSED_UNKNOWN = 1,  // say HELLO (again): the learner does not know this connection
    REFUSED_PROTOCOL,     // another protocol version
    REFUSED_NAME,         // a name that is not one
    REFUSED_FULL,         // cluster.max_actors are here
    REFUSED_MISMATCH,     // another task, sizes or spec
    REFUSED_REPLACED,     // a newer process of the same name took the slot
    REFUSED_INVALID,      // a message that breaks the rules; reason says which
};

enum {
    MESSAGE_NAME = 64,                // bytes of a name with its final 0
    MESSAGE_REASON = 1024,            // of a reason with its final 0
    MESSAGE_SPEC_MAX = 1 << 20,       // bytes of spec text
    MESSAGE_ASSETS_MAX = 32 << 20,    // bytes of model files in WELCOME
    MESSAGE_ROWS_MAX = 1 << 20,       // bytes of rows in TRANSITIONS
    MESSAGE_EPISODES_MAX = 10000,     // episodes in one EPISODES or EVAL_RESULT
    MESSAGE_WEIGHTS_MAX = 256 << 20,  // bytes of floats in WEIGHTS
    MESSAGE_OVERHEAD = 4096,          // bytes that all other fields of a message take at most
    MESSAGE_MAX_FIELDS = 12,
};

// Bytes that live elsewhere: in the frame when decoded, with the caller when encoded.
struct span {
    const void *data;
    size_t      size;  // bytes
};

struct hello {
    uint64_t protocol;            // MESSAGE_PROTOCOL; decoded first, whatever follows
    char     name[MESSAGE_NAME];  // 1 to 63 of A-Z a-z 0-9 . _ -
    uint64_t role;                // enum message_role
    char     host[MESSAGE_NAME];  // for people
    uint64_t run_id;              // of the WELCOME this process got before, 0: none
    uint64_t slot;                // likewise
    uint64_t incarnation;         // likewise, of the slot
};

struct welcome {
    uint64_t    run_id;
    uint64_t    learner_incarnation;  // grows by one a start of the learner
    uint64_t    slot;                 // actors 0, 1, ...; evaluators above all actors
    uint64_t    incarnation;          // of the slot: a process that says HELLO gets a higher one
    uint64_t    acknowledged;         // rows of this incarnation that are in the replay memory
    uint64_t    seed;                 // of this incarnation's random streams
    uint64_t    max_rows;             // most rows in one TRANSITIONS
    struct span spec;                 // resolved spec, YAML text
    struct span assets;               // model files of a custom task, or nothing
};

struct refused {
    uint64_t code;  // enum refused_code
    char     reason[MESSAGE_REASON];
};

struct ready {
    char        task[MESSAGE_NAME];
    uint64_t    obs;     // O
    uint64_t    action;  // A: dimensions, or choices if discrete
    bool        discrete;
    uint64_t    spec_hash;  // of the spec that WELCOME brought
    uint64_t    max_steps;  // time limit of an episode
    double      threshold;  // return at which the task counts as solved, NAN: none
    struct span low, high;  // (A) little-endian doubles, bounds in task units; empty if discrete
};

struct credit {
    uint64_t granted;       // rows 1 ... granted of this incarnation may be sent
    uint64_t acknowledged;  // rows 1 ... acknowledged are in the replay memory
    bool     resend;        // send again from acknowledged + 1
    uint64_t min_version;   // act with weights of this version or newer, 0: any
    uint64_t epoch;         // lock-step: another number starts every environment anew
};

struct transitions {
    uint64_t    slot;
    uint64_t    incarnation;
    uint64_t    first;  // number of the first row; the first row of an incarnation has number 1
    uint64_t    n;      // rows, >= 1
    struct span rows;   // (n, words) as in proto/transition.h
};

// one finished episode, as EPISODES and EVAL_RESULT carry it: 16 bytes
struct episode {
    double   ret;     // sum of rewards
    uint32_t length;  // steps
    float    seconds;
};

struct episodes {
    struct span list;  // struct episode, little-endian
};

struct stats {
    double   steps_per_s;
    uint64_t env_broken;  // simulator states that had to be thrown away, total
    uint64_t version;     // weights in use
    double   weights_age_s;
    uint64_t wait_ms;      // waited for credit, total
    uint64_t weights_bad;  // frames of weights that were not taken, total
};

struct eval_request {
    uint64_t    version;
    uint64_t    timesteps;  // that the version belongs to
    uint64_t    episodes;
    uint64_t    seed;
    struct span weights;  // floats of that version
};

struct eval_result {
    uint64_t    version, timesteps, seed;
    struct span list;  // struct episode, little-endian
};

struct heartbeat {
    uint64_t stamp;  // sender's, comes back unchanged
    bool     answer;
};

struct bye {
    uint64_t last;  // rows sent in all
};

struct bye_ack {
    uint64_t last;  // rows of this incarnation in the replay memory
};

struct stop {
    char reason[MESSAGE_REASON];
    bool returns;  // the run goes on later: a remote actor waits for that
};

struct weights_message {
    uint64_t    run_id, learner_incarnation, version;
    uint64_t    crc;     // crc32c of the three above as little-endian 64-bit words, then the floats
    struct span floats;  // little-endian
};

struct message {
    enum message_kind kind;
    union {
        struct hello           hello;
        struct welcome         welcome;
        struct refused         refused;
        struct ready           ready;
        struct credit          credit;
        struct transitions     transitions;
        struct episodes        episodes;
        struct stats           stats;
        struct eval_request    eval_request;
        struct eval_result     eval_result;
        struct heartbeat       heartbeat;
        struct bye             bye;
        struct bye_ack         bye_ack;
        struct stop            stop;
        struct weights_message weights;
    };
};

// Writes m into out (capacity bytes).
//
//   returns  bytes written, or 0 when it does not fit; MESSAGE_OVERHEAD + its spans always do
size_t message_encode(void *out, size_t capacity, const struct message *m);

// Reads a frame. Spans of m point into data.
//
//   returns  0, ERR_FORMAT, or ERR_VERSION for a HELLO of another protocol (hello.protocol is set)
int message_decode(struct message *m, const void *data, size_t size, struct error *err);

// "TRANSITIONS"; "?" for a number that is no kind.
const char *message_name(enum message_kind kind);

// Name and help of field i of a kind (0: the first after the kind itself), NULL beyond the last.
const char *message_field(enum message_kind kind, size_t i, const char **type, const char **help);

#endif
