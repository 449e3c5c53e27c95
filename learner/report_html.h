// A report as one self-contained HTML file: the picture and a table of the runs.
#ifndef LEARNER_REPORT_HTML_H
#define LEARNER_REPORT_HTML_H

#include "common/error.h"
#include "learner/run_log.h"

#include <stddef.h>

// Writes page around the SVG file `picture`.
//
//   returns  0 or ERR_SYSTEM
int report_html_write(const char *page, const char *picture, const struct run_log *runs, size_t n,
                      struct error *err);

#endif
