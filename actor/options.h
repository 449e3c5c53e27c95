// What the command line of crossfleet-actor says.
#ifndef ACTOR_OPTIONS_H
#define ACTOR_OPTIONS_H

#include "common/command.h"

#include <stdbool.h>
#include <stdint.h>

struct actor_options {
    struct command_list operands;  // first: common/command.h fills it
    const char         *connect;   // address of the learner
    const char         *keys;      // directory of CURVE keys
    const char         *name;      // who we are across restarts, NULL: host and process
    const char         *plugin;    // shared object of a task
    const char         *output;    // video: file to write
    uint64_t            envs;      // environments, 0: what the learner says
    uint64_t            episodes;  // 0: the command's own default
    uint64_t            seed;
    uint64_t            seconds;  // video: how long at most, 0: to the end
    bool                evaluator, json, bench, log_json;
};

extern const struct program actor_program;

#endif
