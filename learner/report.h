// `crossfleet-learner report RUN... -o FILE`: one picture of one or many runs, drawn by gnuplot.
//
// Six panels: evaluation return against steps and against wall-clock, updates/s, achieved ratio, policy
// lag, waiting. Runs of the same spec and task are seeds of one experiment: thin lines, one thick line for
// their interquartile mean and a band for its bootstrap interval. A run without evaluations shows its
// training returns instead.
#ifndef LEARNER_REPORT_H
#define LEARNER_REPORT_H

#include "common/error.h"

#include <stddef.h>

// Draws runs (n directories) as output, whose name ends in .svg, .png or .html (the picture and a table
// in one file that needs nothing else). Written under another name first.
//
//   returns  0; ERR_SPEC for a name or directory that does not do, ERR_SYSTEM when gnuplot is missing
//            (the text says how to get it) or fails
int report_write(const char *const *runs, size_t n, const char *output, struct error *err);

#endif
