// crossfleet-actor: the commands are in actor/options.c.
#include "actor/options.h"

int main(int argc, char **argv)
{
    struct actor_options options = {0};
    return program_main(&actor_program, argc, argv, &options);
}
