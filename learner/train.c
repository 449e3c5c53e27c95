#include "learner/train.h"

#include "common/log.h"
#include "common/stop.h"
#include "learner/film.h"
#include "learner/learner.h"
#include "learner/report.h"
#include "learner/state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

// everything is on disk before the actors are told to leave
static int save(struct learner *l, struct error *err)
{
    char text[32];
    l->status->state = STATUS_STOPPING;
    // between its checkpoints lock-step has none from which it could repeat itself
    if (l->options->lockstep && !l->finished)
        return 0;
    if (state_save(l, err) < 0)
        return err->code;
    if (!l->finished)
        return 0;
    int n = snprintf(text, sizeof text, "%" PRIu64 "\n", l->spec.env.max_frame);
    return run_dir_write(&l->dir, "checkpoint/finished", text, (size_t)n, err);
}

// a run without its picture is a run all the same
static void draw(const char *run)
{
    char         path[RUN_DIR_PATH + 16];
    struct error err = {0};
    snprintf(path, sizeof path, "%s/report.svg", run);
    if (report_write(&run, 1, path, &err) < 0)
        log_warn("report", "%s", err.text);
}

static void film(const char *run, uint64_t steps)
{
    struct error err = {0};
    if (film_make(run, steps, &err) < 0)
        log_warn("video", "%s", err.text);
    else
        log_info("video", "%s/video.gif", run);
}

// path gets the run directory when this session has finished the run
static int session(struct learner *l, char hash[65], char path[RUN_DIR_PATH], struct error *err)
{
    int rc = learner_open(l, l->options, err);
    if (rc < 0)
        return rc;
    if (l->finished) {
        log_info("learner", "%s: all %" PRIu64 " steps are done", l->dir.path,
                 l->spec.env.max_frame);
        return 0;
    }
    rc = learner_run(l, err);
    if (rc == 0 || rc == ERR_STOPPED || rc == ERR_NUMERIC) {
        // the reason to end stays, unless the checkpoint fails too
        struct error failed = {0};
        if (save(l, &failed) < 0)
            return *err = failed, err->code;
        if (l->options->lockstep && l->finished)
            state_hash(l, hash);
        if (l->finished)
            snprintf(path, RUN_DIR_PATH, "%s", l->dir.path);
    }
    return rc;
}

int train_run(const struct learner_options *options, struct error *err)
{
    char            hash[65] = "", path[RUN_DIR_PATH] = "";
    struct learner *l = calloc(1, sizeof *l);
    if (l == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a learner"), EXIT_FAILED;
    stop_catch();
    log_open("learner", LOG_INFO, options->log_json);
    l->options = options;
    int rc = options->video ? film_check(err) : 0;
    if (rc == 0)
        rc = session(l, hash, path, err);
    uint64_t steps = l->spec.env.max_frame;
    learner_close(l);
    free(l);
    if (path[0] != '\0')
        draw(path);
    if (path[0] != '\0' && options->video)
        film(path, steps);
    if (hash[0] != '\0')
        printf("checkpoint sha256 %s\n", hash);
    if (rc == ERR_STOPPED) {
        err->code = 0;
        return 128 + stop_signal();
    }
    return program_exit(rc);
}
