#include "actor/options.h"

#include "actor/actor.h"
#include "actor/env.h"
#include "actor/envs.h"
#include "actor/eval.h"
#include "actor/video.h"
#include "common/blas.h"
#include "common/version.h"
#include "proto/link.h"

#include <stddef.h>

#define OPTION(member) offsetof(struct actor_options, member)

static const struct command_option run_options[] = {
    {"connect", "ADDR", OPTION_TEXT, OPTION(connect), "the learner's address, as its --bind"},
    {"envs", "M", OPTION_NUMBER, OPTION(envs), "environments (what the learner's spec says)"},
    {"keys", "DIR", OPTION_TEXT, OPTION(keys), "CURVE keys: actor.key and learner.pub"},
    {"name", "NAME", OPTION_TEXT, OPTION(name),
     "who this is, also after a restart (host and process)"},
    {"evaluator", NULL, OPTION_FLAG, OPTION(evaluator), "evaluate policies instead of acting"},
    {"plugin", "FILE", OPTION_TEXT, OPTION(plugin), "shared object with the run's task"},
    {"log-json", NULL, OPTION_FLAG, OPTION(log_json), "log lines as JSON"},
};

static const struct command_option eval_options[] = {
    {"episodes", "N", OPTION_NUMBER, OPTION(episodes), "episodes to play (10)"},
    {"seed", "N", OPTION_NUMBER, OPTION(seed), "seed of their start states (0)"},
    {"json", NULL, OPTION_FLAG, OPTION(json), "print one JSON object"},
};

static const struct command_option video_options[] = {
    {"output", "FILE.mp4|.gif", OPTION_TEXT, OPTION(output), "the film to write (-o)"},
    {"episodes", "N", OPTION_NUMBER, OPTION(episodes), "episodes to show (1)"},
    {"seed", "N", OPTION_NUMBER, OPTION(seed), "seed of their start states (0)"},
    {"seconds", "N", OPTION_NUMBER, OPTION(seconds), "length at most (to the end)"},
};

static const struct command_option envs_options[] = {
    {"bench", NULL, OPTION_FLAG, OPTION(bench), "measure steps/s on this machine"},
};

static int run_actor(const void *options, struct error *err)
{
    const struct actor_options *o = options;
    if (o->connect == NULL) {
        error_set(err, ERR_SPEC, "run needs --connect ADDR, the learner's address");
        return EXIT_USAGE;
    }
    return actor_run(o, err);
}

static int run_eval(const void *options, struct error *err)
{
    const struct actor_options *o = options;
    uint64_t                    episodes = o->episodes != 0 ? o->episodes : 10;
    if (episodes > 1000000) {
        error_set(err, ERR_SPEC, "--episodes: 1 to 1000000");
        return EXIT_USAGE;
    }
    blas_init();
    return eval_run(o->operands.item[0], episodes, o->seed, o->json, stdout, err) < 0 ? EXIT_FAILED
                                                                                      : EXIT_DONE;
}

static int run_video(const void *options, struct error *err)
{
    const struct actor_options *o = options;
    if (o->output == NULL) {
        error_set(err, ERR_SPEC, "video needs -o FILE.mp4 or FILE.gif");
        return EXIT_USAGE;
    }
    blas_init();
    struct video_length length = {o->episodes != 0 ? o->episodes : 1, o->seconds};
    int                 rc = video_run(o->operands.item[0], o->output, length, o->seed, err);
    return program_exit(rc);
}

static int run_envs(const void *options, struct error *err)
{
    const struct actor_options *o = options;
    const char                 *task = o->operands.n > 0 ? o->operands.item[0] : NULL;
    int                         rc = envs_print(stdout, task, o->bench, err);
    return program_exit(rc);
}

static const struct command commands[] = {
    {"run", "", 0, 0, "join a learner and act, or evaluate", run_options,
     sizeof run_options / sizeof *run_options, run_actor},
    {"eval", "POLICY.safetensors|RUN", 1, 1, "play a trained policy", eval_options,
     sizeof eval_options / sizeof *eval_options, run_eval},
    {"video", "POLICY.safetensors|RUN", 1, 1, "a film of a trained policy", video_options,
     sizeof video_options / sizeof *video_options, run_video},
    {"envs", "[TASK]", 0, 1, "the tasks, their sizes and limits", envs_options, 1, run_envs},
};

static void print_version(FILE *out)
{
    char zeromq[32];
    link_version(zeromq, sizeof zeromq);
    version_print(out, "crossfleet-actor", zeromq);
    fprintf(out, "MuJoCo %s\n", env_simulator_version());
}

const struct program actor_program = {
    .name = "crossfleet-actor",
    .summary = "Steps environments for a learner; plays and films trained policies.",
    .commands = commands,
    .n_commands = sizeof commands / sizeof *commands,
    .version = print_version,
};
