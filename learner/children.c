#include "learner/children.h"

#include "common/clock.h"
#include "common/command.h"
#include "common/log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_SETTLED_S 10.0  // a death later than this is not a failure to come up
#define CHILD_FAILURES 5
#define CHILD_USELESS 2  // exit code: the task cannot be made here, and never will be

int children_program(char *path, size_t size, struct error *err)
{
    size_t n = program_directory(path, size);
    if (n == 0)
        return error_set(err, ERR_SYSTEM, "/proc/self/exe: %s", strerror(errno));
    if ((size_t)snprintf(path + n, size - n, "crossfleet-actor") >= size - n)
        return error_set(err, ERR_SYSTEM, "the path of this program is too long");
    if (access(path, X_OK) != 0)
        return error_set(err, ERR_SYSTEM,
                         "%s: %s; it belongs beside this program (make all), or use --actors 0",
                         path, strerror(errno));
    return 0;
}

static void child_exec(const struct children *c, const struct child *child, pid_t parent)
{
    // a learner that is killed takes its actors along; one that died before prctl is noticed here
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    // the terminal's Ctrl-C is the learner's, which tells its actors in its own time
    setpgid(0, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    const char *argv[16];
    size_t      n = 0;
    argv[n++] = c->program;
    argv[n++] = "run";
    argv[n++] = "--connect";
    argv[n++] = c->connect;
    argv[n++] = "--name";
    argv[n++] = child->name;
    if (child->evaluator)
        argv[n++] = "--evaluator";
    if (c->keys[0] != '\0') {
        argv[n++] = "--keys";
        argv[n++] = c->keys;
    }
    if (c->log_json)
        argv[n++] = "--log-json";
    argv[n] = NULL;
    execv(c->program, (char *const *)argv);
    _exit(127);
}

static int child_start(struct children *c, struct child *child, struct error *err)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0)
        return error_set(err, ERR_SYSTEM, "no process for %s: %s", child->name, strerror(errno));
    if (pid == 0)
        child_exec(c, child, parent);
    child->pid = pid;
    child->started = clock_now();
    return 0;
}

int children_start(struct children *c, const char *program, size_t actors, bool evaluator,
                   const char *connect, const char *keys, bool log_json, struct error *err)
{
    *c = (struct children){.log_json = log_json};
    snprintf(c->connect, sizeof c->connect, "%s", connect);
    snprintf(c->keys, sizeof c->keys, "%s", keys != NULL ? keys : "");
    if (program != NULL)
        snprintf(c->program, sizeof c->program, "%s", program);
    else if (children_program(c->program, sizeof c->program, err) < 0)
        return err->code;
    c->n = actors + (evaluator ? 1 : 0);
    c->child = calloc(c->n + 1, sizeof *c->child);
    if (c->child == NULL)
        return error_set(err, ERR_MEMORY, "no memory for %zu actors", c->n);
    for (size_t i = 0; i < c->n; i++) {
        struct child *child = &c->child[i];
        child->evaluator = i == actors;
        if (child->evaluator)
            snprintf(child->name, sizeof child->name, "evaluator");
        else
            snprintf(child->name, sizeof child->name, "local-%zu", i);
        if (child_start(c, child, err) < 0) {
            children_stop(c, 1.0);
            return err->code;
        }
    }
    return 0;
}

// what a wait status means, in words
static void status_text(char *text, size_t size, int status)
{
    if (WIFSIGNALED(status))
        snprintf(text, size, "was killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(text, size, "left with exit code %d", WEXITSTATUS(status));
}

static int child_died(struct child *child, int status, struct error *err)
{
    char   why[96];
    double now = clock_now();
    status_text(why, sizeof why, status);
    child->pid = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        child->done = true;
        return 0;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_USELESS)
        return error_set(err, ERR_SPEC, "%s %s: its own line above says what is wrong", child->name,
                         why);
    child->failures = now - child->started < CHILD_SETTLED_S ? child->failures + 1 : 1;
    if (child->failures >= CHILD_FAILURES)
        return error_set(err, ERR_SYSTEM, "%s %s, %u times in a row; its own lines above say why",
                         child->name, why, child->failures);
    double wait = 0.25 * (double)(1u << child->failures);
    child->retry_at = now + wait;
    log_warn("children", "%s %s; starting it again in %.1f s", child->name, why, wait);
    return 0;
}

int children_watch(struct children *c, struct error *err)
{
    for (size_t i = 0; i < c->n; i++) {
        struct child *child = &c->child[i];
        int           status;
        if (child->pid > 0 && waitpid(child->pid, &status, WNOHANG) == child->pid &&
            child_died(child, status, err) < 0)
            return err->code;
        if (child->pid == 0 && !child->done && clock_now() >= child->retry_at) {
            if (child_start(c, child, err) < 0)
                return err->code;
            child->restarts++;
        }
    }
    return 0;
}

// reaps whoever has left; says whether all have
static bool all_left(struct children *c)
{
    bool all = true;
    for (size_t i = 0; i < c->n; i++) {
        if (c->child[i].pid > 0 && waitpid(c->child[i].pid, NULL, WNOHANG) != 0)
            c->child[i].pid = 0;
        all = all && c->child[i].pid == 0;
    }
    return all;
}

static void signal_all(const struct children *c, int number)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->child[i].pid > 0)
            kill(c->child[i].pid, number);
}

void children_stop(struct children *c, double grace_s)
{
    double until = clock_now() + grace_s;
    if (c->child == NULL)
        return;
    signal_all(c, SIGTERM);
    // a stopped process takes its SIGTERM only when it runs again
    signal_all(c, SIGCONT);
    while (!all_left(c) && clock_now() < until)
        clock_sleep(0.01);
    signal_all(c, SIGKILL);
    while (!all_left(c))
        clock_sleep(0.01);
    free(c->child);
    *c = (struct children){0};
}
