// What this build is.
#ifndef COMMON_VERSION_H
#define COMMON_VERSION_H

#include <stdio.h>

// "0.1.0": VERSION of the Makefile, "dev" without it.
const char *version_text(void);

// Lines for --version: ours, ZeroMQ's, and the BLAS library with the kernel that it chose here.
void version_print(FILE *out, const char *program, const char *zeromq);

#endif
