// crossfleet-learner: the commands are in learner/options.c.
#include "learner/options.h"

int main(int argc, char **argv)
{
    struct learner_options options = {.seed = OPTION_UNSET, .actors = 2};
    return program_main(&learner_program, argc, argv, &options);
}
