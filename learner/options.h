// What the command line of crossfleet-learner says.
#ifndef LEARNER_OPTIONS_H
#define LEARNER_OPTIONS_H

#include "common/command.h"

#include <stdbool.h>
#include <stdint.h>

#define OPTION_UNSET UINT64_MAX  // a number that was not given

struct learner_options {
    struct command_list operands;  // first: common/command.h fills it
    struct command_list set, var;
    const char         *run;      // directory, NULL: runs/<name>-s<seed>-<UTC>
    const char         *bind;     // NULL: ipc for local actors, or tcp://127.0.0.1:5555
    const char         *keys;     // directory of CURVE keys
    const char         *http;     // address, "off", NULL: 127.0.0.1:9100 or the next free port
    const char         *output;   // report: file to write
    const char         *profile;  // trace file, NULL: none
    uint64_t            seed, actors;
    bool                resume, insecure, lockstep, quiet, log_json, video;
    // plan
    uint64_t cores, steps_rate, updates_rate, rows_rate, network;
    bool     remote, json;
};

extern const struct program learner_program;

#endif
