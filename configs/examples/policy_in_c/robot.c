// Acts with a trained policy: reads observations from standard input, one a line, blanks between the
// numbers, and writes the action for each. A robot would read its sensors and drive its motors here.
#include <crossfleet_policy.h>

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    char message[512];
    if (argc != 2) {
        fprintf(stderr, "usage: %s POLICY.safetensors < observations\n", argv[0]);
        return 2;
    }
    struct crossfleet_policy *policy = crossfleet_policy_load(argv[1], message, sizeof message);
    if (policy == NULL) {
        fprintf(stderr, "%s\n", message);
        return 1;
    }

    // all memory is taken before the control loop starts
    size_t n_obs = crossfleet_policy_observations(policy);
    size_t n_out = crossfleet_policy_is_discrete(policy) ? 1 : crossfleet_policy_actions(policy);
    float *obs = calloc(n_obs, sizeof *obs), *action = calloc(n_out, sizeof *action);
    fprintf(stderr, "%s: %zu numbers in, %zu out\n", crossfleet_policy_task(policy), n_obs, n_out);

    for (;;) {
        size_t got = 0;
        while (got < n_obs && scanf("%f", &obs[got]) == 1)
            got++;
        if (got < n_obs)
            break;
        crossfleet_policy_act(policy, action, obs);
        for (size_t i = 0; i < n_out; i++)
            printf("%s%.9g", i > 0 ? " " : "", (double)action[i]);
        printf("\n");
        fflush(stdout);
    }
    free(obs);
    free(action);
    crossfleet_policy_free(policy);
    return 0;
}
