#include "deploy/c/crossfleet_policy.h"

#include "common/policy_file.h"

#include <stdio.h>
#include <stdlib.h>

struct crossfleet_policy {
    struct policy       policy;
    struct policy_about about;
    float              *outputs;  // (2 A)
};

struct crossfleet_policy *crossfleet_policy_load(const char *path, char *message, size_t size)
{
    struct error              err = {.code = 0};
    struct crossfleet_policy *p = calloc(1, sizeof *p);
    if (p == NULL) {
        error_set(&err, ERR_MEMORY, "%s: no memory", path);
    } else if (policy_file_load(path, &p->policy, &p->about, 1, &err) == 0) {
        p->outputs = calloc(2 * p->policy.A, sizeof *p->outputs);
        if (p->outputs == NULL)
            error_set(&err, ERR_MEMORY, "%s: no memory", path);
    }
    if (err.code == 0)
        return p;
    if (message != NULL)
        snprintf(message, size, "%s", err.text);
    crossfleet_policy_free(p);
    return NULL;
}

void crossfleet_policy_free(struct crossfleet_policy *policy)
{
    if (policy == NULL)
        return;
    policy_free(&policy->policy);
    free(policy->outputs);
    free(policy);
}

const char *crossfleet_policy_task(const struct crossfleet_policy *policy)
{
    return policy->about.env;
}

size_t crossfleet_policy_observations(const struct crossfleet_policy *policy)
{
    return policy->policy.O;
}

size_t crossfleet_policy_actions(const struct crossfleet_policy *policy)
{
    return policy->policy.A;
}

int crossfleet_policy_is_discrete(const struct crossfleet_policy *policy)
{
    return policy->policy.discrete;
}

void crossfleet_policy_act(struct crossfleet_policy *policy, float *action,
                           const float *observation)
{
    struct policy *p = &policy->policy;
    policy_act(p, action, policy->outputs, observation, 1, NULL);
    for (size_t k = 0; k < p->A && !p->discrete; k++) {
        double low = policy->about.low[k], high = policy->about.high[k];
        action[k] = (float)(low + ((double)action[k] + 1) / 2 * (high - low));
    }
}
