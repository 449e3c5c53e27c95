#include "common/version.h"

#include "common/blas.h"

#ifndef CROSSFLEET_VERSION
#define CROSSFLEET_VERSION "dev"
#endif

const char *version_text(void)
{
    return CROSSFLEET_VERSION;
}

void version_print(FILE *out, const char *program, const char *zeromq)
{
    fprintf(out, "%s %s\nZeroMQ %s\n%s\nBLAS kernel %s\n", program, CROSSFLEET_VERSION, zeromq,
            blas_version(), blas_kernel());
}
