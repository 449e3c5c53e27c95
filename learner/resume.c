#include "learner/resume.h"

#include "common/clock.h"
#include "common/log.h"
#include "learner/learner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IDENTITY "checkpoint/identity"

// ------ the same spec

// gives `other` what may change between two starts of a run
static void free_keys_copy(struct spec *other, const struct spec *spec)
{
    other->env.max_frame = spec->env.max_frame;
    other->meta = spec->meta;
    other->cluster = spec->cluster;
    memcpy(other->file, spec->file, sizeof other->file);
    memcpy(other->name, spec->name, sizeof other->name);
}

// the first lines in which two texts differ
static void lines_differ(char *text, size_t size, char *was, char *is)
{
    char  *a_next, *b_next, *a = strtok_r(was, "\n", &a_next), *b = strtok_r(is, "\n", &b_next);
    size_t n = 0;
    text[0] = '\0';
    for (; a != NULL && b != NULL && n + 400 < size;
         a = strtok_r(NULL, "\n", &a_next), b = strtok_r(NULL, "\n", &b_next)) {
        char *a_key = a + strspn(a, " "), *b_key = b + strspn(b, " ");
        if (strcmp(a_key, b_key) != 0 && a_key[0] != '#')
            n +=
                (size_t)snprintf(text + n, size - n, "\n  was %.150s, is now %.150s", a_key, b_key);
    }
}

int resume_check(struct learner *l, struct error *err)
{
    const struct learner_options *o = l->options;
    char                          path[RUN_DIR_PATH + 64], difference[2048];
    if (!o->resume)
        return 0;
    if (o->run == NULL)
        return error_set(err, ERR_SPEC, "--resume needs --run DIR: which run to go on with");
    snprintf(path, sizeof path, "%s/spec.yaml", o->run);
    if (access(path, R_OK) != 0)
        return 0;
    struct spec *old = calloc(1, sizeof *old);
    if (old == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a spec");
    int rc = spec_load(old, path, &(struct spec_options){0}, NULL, err);
    if (rc == 0 && o->seed == OPTION_UNSET)
        l->spec.seed = old->seed;
    if (rc == 0) {
        free_keys_copy(old, &l->spec);
        char *was = spec_text(old, err), *is = spec_text(&l->spec, err);
        if (was == NULL || is == NULL)
            rc = ERR_MEMORY;
        else if (strcmp(was, is) != 0) {
            lines_differ(difference, sizeof difference, was, is);
            rc = error_set(err, ERR_SPEC,
                           "%s: the run was started with another spec; only env.max_frame, meta "
                           "and cluster may change:%s",
                           o->run, difference);
        }
        free(was);
        free(is);
    }
    free(old);
    return rc;
}

// ------ who we are

static uint64_t random_id(void)
{
    uint64_t id = 0;
    FILE    *f = fopen("/dev/urandom", "rb");
    if (f == NULL || fread(&id, sizeof id, 1, f) != 1)
        id = (uint64_t)(clock_wall() * 1e6) ^ (uint64_t)getpid() << 48;
    if (f != NULL)
        fclose(f);
    return id != 0 ? id : 1;
}

// the incarnation that the start before this one had, 0: none is known
static struct identity identity_read(const struct learner *l)
{
    char            path[RUN_DIR_PATH + 64];
    struct identity old = {0};
    run_dir_file(path, sizeof path, &l->dir, IDENTITY);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return old;
    if (fscanf(f, "run %" SCNx64 " incarnation %" SCNu64, &old.run_id, &old.incarnation) != 2)
        old = (struct identity){0};
    fclose(f);
    return old;
}

static int identity_write(const struct learner *l, struct error *err)
{
    char text[96];
    int  n = snprintf(text, sizeof text, "run %016" PRIx64 " incarnation %" PRIu64 "\n",
                      l->identity.run_id, l->identity.incarnation);
    return run_dir_write(&l->dir, IDENTITY, text, (size_t)n, err);
}

int resume_load(struct learner *l, struct state_head *head, struct error *err)
{
    char     path[RUN_DIR_PATH + 64];
    uint64_t number;
    run_dir_file(path, sizeof path, &l->dir, "checkpoint");
    l->identity = (struct identity){random_id(), 1};
    if (l->dir.resumed) {
        int rc = checkpoint_load(path, &l->saved, &number, err);
        // a run that was stopped before its first checkpoint starts anew
        if (rc < 0 && rc != ERR_SYSTEM)
            return rc;
        if (rc == 0) {
            if (state_head_read(&l->saved, head, err) < 0)
                return err->code;
            head->updates = number;
            struct identity last = identity_read(l);
            uint64_t        before = last.run_id == head->run_id ? last.incarnation : 0;
            l->identity.run_id = head->run_id;
            l->identity.incarnation = 1 + (before > head->incarnation ? before : head->incarnation);
            log_info("learner", "going on from update %" PRIu64 ", step %" PRIu64, number,
                     head->steps);
        }
        err->code = 0;
    }
    run_dir_file(path, sizeof path, &l->dir, "checkpoint/finished");
    FILE *f = fopen(path, "r");
    if (f != NULL) {
        uint64_t frames = 0;
        l->finished = l->saved.n > 0 && fscanf(f, "%" SCNu64, &frames) == 1 &&
                      frames >= l->spec.env.max_frame;
        fclose(f);
    }
    return identity_write(l, err);
}

int resume_rewind(struct learner *l, const struct state_head *head, struct error *err)
{
    uint64_t rows = replay_inserted(&l->replay);
    if (rows < head->steps)
        return error_set(err, ERR_FORMAT,
                         "%s/checkpoint/replay.bin holds %" PRIu64 " rows, the checkpoint counts "
                         "%" PRIu64 ": it is not the replay memory of this run",
                         l->dir.path, rows, head->steps);
    return l->options->lockstep ? replay_rewind(&l->replay, head->steps, err) : 0;
}
