#include "common/stop.h"

#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

static atomic_int stop_flag;

static void stop_handle(int number)
{
    if (atomic_load(&stop_flag) != 0)
        _exit(128 + number);
    atomic_store(&stop_flag, number);
}

void stop_catch(void)
{
    struct sigaction action = {.sa_handler = stop_handle};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int stop_signal(void)
{
    return atomic_load(&stop_flag);
}

void stop_ask(int number)
{
    atomic_store(&stop_flag, number);
}
