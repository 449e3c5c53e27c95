#include "learner/film.h"

#include "common/clock.h"
#include "common/stop.h"
#include "learner/children.h"
#include "learner/run_dir.h"
#include "learner/tensorboard.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILM_SECONDS "10"

enum { PATH_SIZE = RUN_DIR_PATH + 64, PROGRAM_SIZE = 4096 };

extern char **environ;

// ------ before

// whether a program of that name is in one of PATH's folders
static bool in_path(const char *program)
{
    const char *path = getenv("PATH");
    while (path != NULL && *path != '\0') {
        char   file[PROGRAM_SIZE];
        size_t n = strcspn(path, ":");
        snprintf(file, sizeof file, "%.*s/%s", (int)n, path, program);
        if (access(file, X_OK) == 0)
            return true;
        path += n + (path[n] == ':');
    }
    return false;
}

int film_check(struct error *err)
{
    char program[PROGRAM_SIZE];
    if (!in_path("ffmpeg"))
        return error_set(
            err, ERR_SYSTEM,
            "--video needs ffmpeg: apt-get install ffmpeg, or train without it and film "
            "the run later with crossfleet-actor video");
    return children_program(program, sizeof program, err);
}

// ------ after

static int child_run(char *const *arguments, struct error *err)
{
    pid_t child;
    int   status = 0;
    int   rc = posix_spawn(&child, arguments[0], NULL, NULL, arguments, environ);
    if (rc != 0)
        return error_set(err, ERR_SYSTEM, "cannot run %s: %s", arguments[0], strerror(rc));
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (stop_signal() != 0)
            kill(child, SIGTERM);
        clock_sleep(0.05);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return error_set(err, ERR_SYSTEM, "no video: %s; try again: %s video %s -o FILE.gif",
                     WIFEXITED(status) ? "the line above says why" : "it was stopped", arguments[0],
                     arguments[2]);
}

// width and height stand behind a gif's signature
static int add_to_tensorboard(const char *run, const uint8_t *gif, size_t size, uint64_t step,
                              struct error *err)
{
    char               path[PATH_SIZE];
    struct tensorboard tb;
    snprintf(path, sizeof path, "%s/tb", run);
    int rc = tensorboard_open(&tb, path, size + 4096, 0, err);
    if (rc < 0)
        return rc;
    tensorboard_image(&tb, "video", (size_t)(gif[6] | gif[7] << 8), (size_t)(gif[8] | gif[9] << 8),
                      gif, size);
    rc = tensorboard_end(&tb, step, err);
    tensorboard_close(&tb);
    return rc;
}

static int show(const char *run, const char *file, uint64_t step, struct error *err)
{
    struct stat st;
    uint8_t    *gif = NULL;
    int         rc = 0;
    FILE       *in = fopen(file, "rb");
    if (in == NULL || fstat(fileno(in), &st) < 0 || st.st_size < 10 ||
        (gif = malloc((size_t)st.st_size)) == NULL ||
        fread(gif, 1, (size_t)st.st_size, in) != (size_t)st.st_size)
        rc = error_set(err, ERR_SYSTEM, "%s cannot be read back: %s", file, strerror(errno));
    else
        rc = add_to_tensorboard(run, gif, (size_t)st.st_size, step, err);
    free(gif);
    if (in != NULL)
        fclose(in);
    return rc;
}

int film_make(const char *run, uint64_t step, struct error *err)
{
    char  program[PROGRAM_SIZE], policy[PATH_SIZE], part[PATH_SIZE], whole[PATH_SIZE];
    char *arguments[] = {program, "video", policy, "-o", part, "--seconds", FILM_SECONDS, NULL};
    snprintf(policy, sizeof policy, "%s/policy/best.safetensors", run);
    snprintf(part, sizeof part, "%s/.video.gif", run);
    snprintf(whole, sizeof whole, "%s/video.gif", run);
    int rc = children_program(program, sizeof program, err);
    if (rc == 0)
        rc = child_run(arguments, err);
    if (rc == 0 && rename(part, whole) < 0)
        rc = error_set(err, ERR_SYSTEM, "%s: %s", whole, strerror(errno));
    if (rc < 0) {
        unlink(part);
        return rc;
    }
    return show(run, whole, step, err);
}
