#include "learner/progress_line.h"

#include "common/clock.h"
#include "common/command.h"
#include "common/log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PROGRESS_PLAIN_EVERY_S 5.0

// the one line that the log's hooks act on; part of the logger's state
static struct progress_line *progress_shown;

// ---------------------------------------------------------------- text

static double progress_share(const struct status *s)
{
    return s->max_frame > 0 ? (double)s->steps / (double)s->max_frame : 0;
}

static void progress_number(char *text, size_t size, double x)
{
    if (!isfinite(x))
        snprintf(text, size, "-");
    else if (fabs(x) >= 1000)
        snprintf(text, size, "%.0f", x);
    else if (fabs(x) >= 10)
        snprintf(text, size, "%.1f", x);
    else
        snprintf(text, size, "%.3g", x);
}

// "[========>           ]"
static void progress_bar(char *text, size_t cells, double share)
{
    size_t full = (size_t)(share * (double)cells);
    text[0] = '[';
    for (size_t i = 0; i < cells; i++)
        text[1 + i] = i < full ? '=' : i == full ? '>' : ' ';
    text[cells + 1] = ']';
    text[cells + 2] = '\0';
}

void progress_format(char *text, size_t size, const struct status *s, int width)
{
    char bar[32], steps[32], last[32], best[32], why[64], eta[32], part[8][96];
    progress_bar(bar, width >= 140 ? 20 : 10, progress_share(s));
    status_format_count(steps, sizeof steps, s->steps);
    progress_number(last, sizeof last, s->return_mean);
    progress_number(best, sizeof best, s->eval_best);
    status_bottleneck(why, sizeof why, s);
    status_format_duration(eta, sizeof eta, s->eta_s);
    // the most important first: a part that does not fit the window is left out
    snprintf(part[0], sizeof *part, "%s %3.0f%% %s", bar, 100 * progress_share(s), steps);
    snprintf(part[1], sizeof *part, "eta %s", eta);
    snprintf(part[2], sizeof *part, "return %s", last);
    snprintf(part[3], sizeof *part, "best eval %s", best);
    snprintf(part[4], sizeof *part, "%s", why);
    snprintf(part[5], sizeof *part, "%.0f frames/s", isfinite(s->fps) ? s->fps : 0);
    snprintf(part[6], sizeof *part, "%.0f updates/s",
             isfinite(s->updates_per_s) ? s->updates_per_s : 0);
    snprintf(part[7], sizeof *part, isfinite(s->utd) ? "ratio %.3f" : "ratio -", s->utd);
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        size_t length = strlen(part[i]) + (i > 0 ? 2 : 0);
        if (used + length < size && (i == 0 || used + length < (size_t)width))
            used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? "  " : "", part[i]);
    }
    if (width > 0 && used >= (size_t)width)
        text[width - 1] = '\0';
}

// ---------------------------------------------------------------- terminal

static void progress_put(struct progress_line *p, const char *text)
{
    char line[sizeof p->text + 8];
    int  n = snprintf(line, sizeof line, "\r\033[K%s", text);
    // a terminal that went away must not stop training
    ssize_t written = write(p->fd, line, (size_t)n);
    (void)written;
}

static int progress_width(const struct progress_line *p)
{
    struct winsize window;
    if (ioctl(p->fd, TIOCGWINSZ, &window) != 0 || window.ws_col == 0)
        return 80;
    return window.ws_col;
}

static void progress_before_log(void)
{
    pthread_mutex_lock(&progress_shown->lock);
    if (progress_shown->text[0] != '\0')
        progress_put(progress_shown, "");
}

static void progress_after_log(void)
{
    if (progress_shown->text[0] != '\0')
        progress_put(progress_shown, progress_shown->text);
    pthread_mutex_unlock(&progress_shown->lock);
}

// ---------------------------------------------------------------- API

void progress_open(struct progress_line *p, bool quiet)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    *p = (struct progress_line){.fd = STDERR_FILENO};
    pthread_mutex_init(&p->lock, NULL);
    bool plain = !isatty(p->fd) || (no_color != NULL && no_color[0] != '\0') ||
                 (term != NULL && strcmp(term, "dumb") == 0);
    p->mode = quiet ? PROGRESS_QUIET : plain ? PROGRESS_PLAIN : PROGRESS_TERMINAL;
    if (p->mode == PROGRESS_TERMINAL) {
        progress_shown = p;
        log_set_hooks(progress_before_log, progress_after_log);
    }
}

static void progress_plain(const struct status *s)
{
    char ep_return[32], best[32], why[64], eta[32];
    progress_number(ep_return, sizeof ep_return, s->return_mean);
    progress_number(best, sizeof best, s->eval_best);
    status_bottleneck(why, sizeof why, s);
    status_format_duration(eta, sizeof eta, s->eta_s);
    log_info("progress",
             "steps=%llu/%llu return=%s eval_best=%s frames/s=%.0f updates/s=%.0f ratio=%.3f "
             "eta=%s (%s)",
             (unsigned long long)s->steps, (unsigned long long)s->max_frame, ep_return, best,
             s->fps, s->updates_per_s, isfinite(s->utd) ? s->utd : 0, eta, why);
}

void progress_show(struct progress_line *p, const struct status *s)
{
    if (p->mode == PROGRESS_PLAIN && isfinite(s->fps) && clock_now() >= p->next_plain) {
        p->next_plain = clock_now() + PROGRESS_PLAIN_EVERY_S;
        progress_plain(s);
    }
    if (p->mode != PROGRESS_TERMINAL)
        return;
    pthread_mutex_lock(&p->lock);
    progress_format(p->text, sizeof p->text, s, progress_width(p));
    progress_put(p, p->text);
    pthread_mutex_unlock(&p->lock);
}

void progress_evaluation(struct progress_line *p, const struct status *s)
{
    char last[32], std[32];
    if (p->mode == PROGRESS_QUIET)
        return;
    progress_number(last, sizeof last, s->eval_last);
    progress_number(std, sizeof std, s->eval_std);
    bool best = s->eval_best_steps == s->eval_last_steps;
    log_info("evaluation", "steps=%llu return=%s +- %s%s", (unsigned long long)s->eval_last_steps,
             last, std, best ? " (best so far)" : "");
}

void progress_close(struct progress_line *p, const struct status *s, const char *resume_command)
{
    char took[32], steps[32], updates[32], best[32], last[32], folder[512];
    if (p->mode == PROGRESS_TERMINAL) {
        log_set_hooks(NULL, NULL);
        progress_shown = NULL;
        progress_put(p, "");
    }
    // a start that came to nothing has nothing to sum up and no files
    if (p->mode != PROGRESS_QUIET && s->steps > 0) {
        status_format_duration(took, sizeof took, s->elapsed_s);
        status_format_count(steps, sizeof steps, s->steps);
        status_format_count(updates, sizeof updates, s->updates);
        progress_number(best, sizeof best, s->eval_best);
        progress_number(last, sizeof last, s->eval_last);
        bool done = s->steps >= s->max_frame;
        dprintf(p->fd, "\n%s %s (%s): %s steps and %s updates in %s\n",
                done ? "finished" : "stopped", s->name, s->env, steps, updates, took);
        dprintf(p->fd, "  evaluation  last %s, best %s at step %llu\n", last, best,
                (unsigned long long)s->eval_best_steps);
        dprintf(p->fd, "  files       %s\n", s->run_path);
        program_folder(folder, sizeof folder);
        dprintf(p->fd, "  watch       %scrossfleet-actor video %s -o policy.mp4\n", folder,
                s->run_path);
        dprintf(p->fd, "  evaluate    %scrossfleet-actor eval %s\n", folder, s->run_path);
        dprintf(p->fd, "  plot        %scrossfleet-learner report %s -o report.svg\n", folder,
                s->run_path);
        if (!done && resume_command != NULL)
            dprintf(p->fd, "  resume      %s\n", resume_command);
    }
    pthread_mutex_destroy(&p->lock);
}
