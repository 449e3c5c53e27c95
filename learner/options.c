#include "learner/options.h"

#include "common/stop.h"
#include "common/version.h"
#include "learner/check.h"
#include "learner/doctor.h"
#include "learner/export.h"
#include "learner/plan_measure.h"
#include "learner/report.h"
#include "learner/status_client.h"
#include "learner/train.h"
#include "proto/keys.h"
#include "proto/link.h"

#include <stddef.h>

#define OPTION(member) offsetof(struct learner_options, member)

static const struct command_option train_options[] = {
    {"set", "KEY=VALUE", OPTION_LIST, OPTION(set), "change a key of the spec; may be repeated"},
    {"var", "NAME=VALUE", OPTION_LIST, OPTION(var), "fill ${NAME} in the spec"},
    {"run", "DIR", OPTION_TEXT, OPTION(run), "run directory (runs/<name>-s<seed>-<UTC>)"},
    {"resume", NULL, OPTION_FLAG, OPTION(resume), "go on with the run in DIR; an empty DIR starts"},
    {"seed", "N", OPTION_NUMBER, OPTION(seed), "random seed (the spec's)"},
    {"actors", "N", OPTION_NUMBER, OPTION(actors),
     "local actor processes (2); 0: remote ones only"},
    {"bind", "ADDR", OPTION_TEXT, OPTION(bind),
     "where remote actors connect, weights on the next port"},
    {"keys", "DIR", OPTION_TEXT, OPTION(keys), "CURVE keys made by keygen"},
    {"insecure", NULL, OPTION_FLAG, OPTION(insecure), "let others reach --bind without keys"},
    {"lockstep", NULL, OPTION_FLAG, OPTION(lockstep),
     "rounds in a fixed order: repeats bit for bit"},
    {"http", "ADDR|off", OPTION_TEXT, OPTION(http),
     "status page (127.0.0.1:9100 or the next free)"},
    {"profile", "FILE", OPTION_TEXT, OPTION(profile),
     "where the time of 1000 updates goes: a table and a trace file"},
    {"video", NULL, OPTION_FLAG, OPTION(video), "film the best policy at the end: video.gif"},
    {"quiet", NULL, OPTION_FLAG, OPTION(quiet), "no progress"},
    {"log-json", NULL, OPTION_FLAG, OPTION(log_json), "log lines as JSON"},
};

static const struct command_option check_options[] = {
    {"set", "KEY=VALUE", OPTION_LIST, OPTION(set), "change a key of the spec; may be repeated"},
    {"var", "NAME=VALUE", OPTION_LIST, OPTION(var), "fill ${NAME} in the spec"},
};

static const struct command_option plan_options[] = {
    {"set", "KEY=VALUE", OPTION_LIST, OPTION(set), "change a key of the spec; may be repeated"},
    {"var", "NAME=VALUE", OPTION_LIST, OPTION(var), "fill ${NAME} in the spec"},
    {"actors", "N", OPTION_NUMBER, OPTION(actors), "actor processes (2)"},
    {"cores", "N", OPTION_NUMBER, OPTION(cores), "of the learner's machine (this one's)"},
    {"remote", NULL, OPTION_FLAG, OPTION(remote), "actors run on other machines, a core each"},
    {"steps-rate", "N", OPTION_NUMBER, OPTION(steps_rate),
     "steps/s of an actor alone (measured here)"},
    {"updates-rate", "N", OPTION_NUMBER, OPTION(updates_rate),
     "updates/s of the learner alone (measured here)"},
    {"rows-rate", "N", OPTION_NUMBER, OPTION(rows_rate),
     "rows/s that the learner's network thread takes (800000)"},
    {"network", "MBIT", OPTION_NUMBER, OPTION(network),
     "Mbit/s of the learner's link to remote actors (1000)"},
    {"json", NULL, OPTION_FLAG, OPTION(json), "print one JSON object"},
};

static const struct command_option report_options[] = {
    {"output", "FILE", OPTION_TEXT, OPTION(output), "also -o: .svg, .png or .html (report.svg)"},
};

static const struct command_option export_options[] = {
    {"output", "FILE", OPTION_TEXT, OPTION(output), "also -o: .onnx (policy.onnx)"},
};

static int run_train(const void *options, struct error *err)
{
    return train_run(options, err);
}

static int run_check(const void *options, struct error *err)
{
    const struct learner_options *o = options;
    const struct spec_options     changes = {o->set.item, o->set.n, o->var.item, o->var.n};
    int rc = check_run(o->operands.item[0], &changes, stdout, stderr, err);
    return program_exit(rc);
}

static int run_keygen(const void *options, struct error *err)
{
    const struct learner_options *o = options;
    return keys_make(o->operands.item[0], err) < 0 ? EXIT_FAILED : EXIT_DONE;
}

static int run_plan(const void *options, struct error *err)
{
    int rc = plan_run(options, stdout, err);
    return program_exit(rc);
}

static int run_report(const void *options, struct error *err)
{
    const struct learner_options *o = options;
    const char                   *file = o->output != NULL ? o->output : "report.svg";
    int                           rc = report_write(o->operands.item, o->operands.n, file, err);
    return program_exit(rc);
}

static int run_status(const void *options, struct error *err)
{
    const struct learner_options *o = options;
    return status_client_run(o->operands.item[0], stdout, err) < 0 ? EXIT_FAILED : EXIT_DONE;
}

static int run_export(const void *options, struct error *err)
{
    const struct learner_options *o = options;
    const char                   *file = o->output != NULL ? o->output : "policy.onnx";
    int                           rc = export_run(o->operands.item[0], file, err);
    return program_exit(rc);
}

static int run_doctor(const void *options, struct error *err)
{
    (void)options, (void)err;
    return doctor_run(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static const struct command commands[] = {
    {"train", "SPEC[:NAME]", 1, 1, "train a policy: one process, one session", train_options,
     sizeof train_options / sizeof *train_options, run_train},
    {"check", "SPEC[:NAME]", 1, 1, "print the resolved spec with every key, or its errors",
     check_options, sizeof check_options / sizeof *check_options, run_check},
    {"keygen", "DIR", 1, 1, "make CURVE key pairs", NULL, 0, run_keygen},
    {"plan", "SPEC[:NAME]", 1, 1, "how fast so many actors would be, and what holds them up",
     plan_options, sizeof plan_options / sizeof *plan_options, run_plan},
    {"report", "RUN...", 1, COMMAND_LIST, "learning curves of one or many runs", report_options, 1,
     run_report},
    {"status", "URL", 1, 1, "one screen of a running learner", NULL, 0, run_status},
    {"export", "POLICY|RUN", 1, 1, "a policy as an ONNX model", export_options, 1, run_export},
    {"doctor", "", 0, 0, "what this machine has and lacks for training", NULL, 0, run_doctor},
};

static void print_version(FILE *out)
{
    char zeromq[32];
    link_version(zeromq, sizeof zeromq);
    version_print(out, "crossfleet-learner", zeromq);
}

const struct program learner_program = {
    .name = "crossfleet-learner",
    .summary = "Trains control policies with CrossQ; actors connect to it.",
    .commands = commands,
    .n_commands = sizeof commands / sizeof *commands,
    .version = print_version,
};
