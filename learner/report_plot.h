// The gnuplot script of a report: data and drawing in one text.
#ifndef LEARNER_REPORT_PLOT_H
#define LEARNER_REPORT_PLOT_H

#include "learner/aggregate.h"
#include "learner/run_log.h"

#include <stdio.h>

enum { REPORT_RUNS = AGGREGATE_RUNS };

// Writes the script for runs (n). format: "svg" or "png"; picture: the file that gnuplot makes.
//
//   returns  0 or ERR_MEMORY
int report_plot_script(FILE *out, const struct run_log *runs, size_t n, const char *picture,
                       const char *format, struct error *err);

#endif
