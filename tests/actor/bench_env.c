// make bench-env: JSON lines on stdout (actor/bench_env.h). Variables: TASKS="Ant-v5 ...", SECONDS=5.
#include "actor/bench_env.h"
#include "common/blas.h"

#include <stdlib.h>

int main(void)
{
    struct error err = {0};
    const char  *seconds = getenv("SECONDS");
    blas_init();
    if (bench_env_print(stdout, getenv("TASKS"), seconds != NULL ? atof(seconds) : 5, &err) == 0)
        return 0;
    fprintf(stderr, "bench-env: %s\n", err.text);
    return 1;
}
