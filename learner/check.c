#include "learner/check.h"

#include <stdlib.h>
#include <string.h>

// Gymnasium's tasks that actor/env.c has, and the two ways to bring one's own
static const char *const tasks[] = {
    "Acrobot-v1",
    "CartPole-v1",
    "MountainCar-v0",
    "MountainCarContinuous-v0",
    "Pendulum-v1",
    "Ant-v5",
    "HalfCheetah-v5",
    "Hopper-v5",
    "Humanoid-v5",
    "HumanoidStandup-v5",
    "InvertedPendulum-v5",
    "InvertedDoublePendulum-v5",
    "Pusher-v5",
    "Reacher-v5",
    "Swimmer-v5",
    "Walker2d-v5",
    "custom",
    "plugin",
};

int check_task_exists(const char *name)
{
    for (size_t i = 0; i < sizeof tasks / sizeof tasks[0]; i++)
        if (strcmp(tasks[i], name) == 0)
            return 1;
    return 0;
}

int check_run(const char *file_and_name, const struct spec_options *options, FILE *out, FILE *notes,
              struct error *err)
{
    struct spec *spec = malloc(sizeof *spec);
    if (spec == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a spec");
    int code = spec_load(spec, file_and_name, options, notes, err);
    if (code == 0)
        code = spec_write(spec, out, err);
    if (code == 0 && !check_task_exists(spec->env.name))
        fprintf(notes, "%s: env.name: the task %s does not exist here: it cannot be trained\n",
                spec->file, spec->env.name);
    free(spec);
    return code;
}
