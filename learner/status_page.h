// The status page: learner/status_page.html, put into the program as it is.
#ifndef LEARNER_STATUS_PAGE_H
#define LEARNER_STATUS_PAGE_H

#include <stddef.h>

// The page's bytes, UTF-8, not terminated.
const char *status_page(size_t *size);

#endif
