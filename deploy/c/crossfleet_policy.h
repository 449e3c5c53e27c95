/* Acts with a policy that crossfleet trained: for robots and other programs in C or C++.
 *
 *     cc robot.c -lcrossfleet_policy -lm
 *
 * The library needs nothing but libc and libm. It allocates when it loads and never after; acting
 * takes a fixed time. One policy belongs to one thread; several policies are independent.
 */
#ifndef CROSSFLEET_POLICY_H
#define CROSSFLEET_POLICY_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct crossfleet_policy;

/* Loads a policy file (policy/latest.safetensors of a run). Everything in it is checked.
 *
 *   returns  NULL on failure, with one line about it in message (size bytes; may be NULL)
 *   owns     the caller, until crossfleet_policy_free
 */
struct crossfleet_policy *crossfleet_policy_load(const char *path, char *message, size_t size);
void                      crossfleet_policy_free(struct crossfleet_policy *policy);

const char *crossfleet_policy_task(const struct crossfleet_policy *policy); /* "HalfCheetah-v5" */
size_t      crossfleet_policy_observations(const struct crossfleet_policy *policy); /* O */
size_t
    crossfleet_policy_actions(const struct crossfleet_policy *policy); /* A: values, or choices */
int crossfleet_policy_is_discrete(const struct crossfleet_policy *policy);

/* The policy's best action.
 *
 *   action       (A)  out  in the task's own units, within its bounds; (1), the index, if discrete
 *   observation  (O)  in   as in training
 */
void crossfleet_policy_act(struct crossfleet_policy *policy, float *action,
                           const float *observation);

#ifdef __cplusplus
}
#endif

#endif
