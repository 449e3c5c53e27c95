#include "learner/export.h"

#include "common/onnx.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int export_run(const char *target, const char *output, struct error *err)
{
    char                path[4096];
    struct stat         info;
    struct policy       policy = {.n_layers = 0};
    struct policy_about about;
    const char         *dot = strrchr(output, '.');
    if (dot == NULL || strcmp(dot, ".onnx") != 0)
        return error_set(err, ERR_SPEC, "export -o %s: the name must end in .onnx", output);
    bool folder = stat(target, &info) == 0 && S_ISDIR(info.st_mode);
    snprintf(path, sizeof path, "%s%s", target, folder ? "/policy/latest.safetensors" : "");
    int code = policy_file_load(path, &policy, &about, 1, err);
    if (code == 0)
        code = onnx_save(output, &policy, &about, err);
    policy_free(&policy);
    return code;
}
