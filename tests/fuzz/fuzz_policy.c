// libFuzzer target: any bytes as a policy file; a policy that was read can act.
#include "common/policy.h"
#include "common/policy_file.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static float        obs[4096], out[2 * POLICY_MAX_ACTION], action[POLICY_MAX_ACTION];
    struct policy       p;
    struct policy_about about;
    if (policy_file_parse(data, size, "f", &p, &about, 1, NULL) == 0 && p.O <= 4096)
        policy_act(&p, action, out, obs, 1, NULL);
    policy_free(&p);
    return 0;
}
