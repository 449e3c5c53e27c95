#include "actor/encoder.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { MISSING = 127 };  // exit code of a program that could not be run

static bool ends_with(const char *name, const char *ending)
{
    size_t n = strlen(name), m = strlen(ending);
    return n > m && strcmp(name + n - m, ending) == 0;
}

int encoder_check(const char *output, struct error *err)
{
    if (ends_with(output, ".mp4") || ends_with(output, ".gif"))
        return 0;
    return error_set(err, ERR_SPEC, "%s: a video's name ends in .mp4 or .gif", output);
}

// runs ffmpeg with the pipe's end as its standard input
static int start(struct encoder *e, int from, char *const *arguments, struct error *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, from, STDIN_FILENO);
    posix_spawn_file_actions_addclose(&actions, e->pipe);
    int rc = posix_spawnp(&e->child, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (rc != 0)
        return error_set(err, ERR_SYSTEM, "cannot run ffmpeg: %s; apt-get install ffmpeg",
                         strerror(rc));
    return 0;
}

int encoder_open(struct encoder *e, const char *output, size_t width, size_t height, int fps,
                 struct error *err)
{
    char  size[32], rate[16], file[4096];
    char *mp4[] = {"-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart"};
    // few colours and no dither: what moves little between frames packs well
    char  *gif[] = {"-filter_complex",
                    "fps=12.5,scale=288:-1:flags=area,split[a][b];[a]palettegen=max_colors=48[p];"
                     "[b][p]paletteuse=dither=none:diff_mode=rectangle"};
    char  *arguments[32] = {"ffmpeg", "-y",       "-nostdin", "-loglevel", "error",
                            "-f",     "rawvideo", "-pix_fmt", "rgb24",     "-s",
                            size,     "-r",       rate,       "-i",        "pipe:0"};
    size_t n = 15;
    bool   is_gif = ends_with(output, ".gif");
    int    ends[2];
    snprintf(size, sizeof size, "%zux%zu", width, height);
    snprintf(rate, sizeof rate, "%d", fps);
    // a name that begins with a dash is no option
    snprintf(file, sizeof file, "file:%s", output);
    size_t more = is_gif ? sizeof gif / sizeof gif[0] : sizeof mp4 / sizeof mp4[0];
    memcpy(arguments + n, is_gif ? gif : mp4, more * sizeof *arguments);
    arguments[n + more] = file;

    *e = (struct encoder){.frame_size = width * height * 3, .output = output};
    if (pipe(ends) < 0)
        return error_set(err, ERR_SYSTEM, "pipe: %s", strerror(errno));
    e->pipe = ends[1];
    // ffmpeg may end early; the write then says so instead of a signal
    signal(SIGPIPE, SIG_IGN);
    int rc = start(e, ends[0], arguments, err);
    close(ends[0]);
    if (rc < 0)
        close(ends[1]);
    return rc;
}

int encoder_write(struct encoder *e, const unsigned char *rgb, struct error *err)
{
    for (size_t done = 0; done < e->frame_size;) {
        ssize_t n = write(e->pipe, rgb + done, e->frame_size - done);
        if (n < 0 && errno != EINTR)
            return error_set(err, ERR_SYSTEM, "ffmpeg takes no more frames for %s: %s", e->output,
                             strerror(errno));
        if (n > 0)
            done += (size_t)n;
    }
    return 0;
}

int encoder_close(struct encoder *e, struct error *err)
{
    int status = 0;
    close(e->pipe);
    while (waitpid(e->child, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == MISSING)
        return error_set(err, ERR_SYSTEM, "cannot run ffmpeg: apt-get install ffmpeg");
    return error_set(err, ERR_SYSTEM, "ffmpeg failed to write %s", e->output);
}
