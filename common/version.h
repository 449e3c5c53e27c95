// What this build is.
#ifndef COMMON_VERSION_H
#define COMMON_VERSION_H

#include <stdio.h>

// "0.1.0", or with commits since that: what the Makefile passed as CROSSFLEET_VERSION.
const char *version_text(void);

// Lines for --version: ours, ZeroMQ's, and the BLAS library with the kernel that it chose here.
void version_print(FILE *out, const char *program, const char *zeromq);

#endif
