// What a person sees in the terminal while training runs.
//
//   on a terminal      one line that is redrawn in place, cut to the width of the window
//   elsewhere          a log line every few seconds (also with NO_COLOR set)
//   at the end         a summary: time, score, where the files are, what to type next
//
// Log lines and the progress line share the terminal: the log's hooks take the line away before a log
// line and bring it back after. So at most one progress line exists in a process.
#ifndef LEARNER_PROGRESS_LINE_H
#define LEARNER_PROGRESS_LINE_H

#include "learner/status.h"

#include <pthread.h>
#include <stdbool.h>

enum progress_mode { PROGRESS_TERMINAL, PROGRESS_PLAIN, PROGRESS_QUIET };

struct progress_line {
    enum progress_mode mode;
    int                fd;          // where it is drawn: stderr
    double             next_plain;  // clock_now() from which a plain line may come
    pthread_mutex_t    lock;
    char               text[512];  // drawn last, "" when the line is clear
};

// Chooses the mode by what stderr is, unless quiet.
void progress_open(struct progress_line *p, bool quiet);

// Shows the newest snapshot.
void progress_show(struct progress_line *p, const struct status *s);

// Shows an evaluation that has come in.
void progress_evaluation(struct progress_line *p, const struct status *s);

// Takes the line away and writes the summary. resume_command may be NULL.
void progress_close(struct progress_line *p, const struct status *s, const char *resume_command);

// The line for a window of this width, without control characters.
void progress_format(char *text, size_t size, const struct status *s, int width);

#endif
