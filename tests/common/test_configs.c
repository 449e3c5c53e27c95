// Every spec that ships is good.
#include "common/spec.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct spec spec;

// loads every .yaml below folder; returns how many
static size_t load_all(const char *folder, int depth)
{
    size_t         n = 0;
    struct dirent *entry;
    DIR           *dir = opendir(folder);
    if (dir == NULL)
        fail_msg("no folder %s: tests run from the top of the tree", folder);
    while ((entry = readdir(dir)) != NULL) {
        char         path[512];
        struct stat  st;
        struct error err = {0};
        const char  *ending = strrchr(entry->d_name, '.');
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
            n += depth > 0 ? load_all(path, depth - 1) : 0;
        } else if (ending != NULL && strcmp(ending, ".yaml") == 0) {
            if (spec_load(&spec, path, NULL, NULL, &err) != 0)
                fail_msg("%s", err.text);
            n++;
        }
    }
    closedir(dir);
    return n;
}

static void every_shipped_spec_loads(void **state)
{
    (void)state;
    assert_true(load_all("configs", 2) >= 42);
}

static void assert_ratio(const char *path, uint64_t p, uint64_t q)
{
    uint64_t     got_p, got_q;
    struct error err = {0};
    if (spec_load(&spec, path, NULL, NULL, &err) != 0)
        fail_msg("%s", err.text);
    spec_ratio(&spec, &got_p, &got_q);
    assert_int_equal(got_p, p);
    assert_int_equal(got_q, q);
}

static void shipped_specs_have_their_ratios(void **state)
{
    (void)state;
    assert_ratio("configs/pendulum.yaml", 1, 1);
    assert_ratio("configs/paper/halfcheetah.yaml", 1, 1);
    assert_ratio("configs/slm/halfcheetah.yaml", 1, 16);
    assert_ratio("configs/slm/humanoid.yaml", 1, 4);
    assert_ratio("configs/slm/cartpole.yaml", 1, 2);
    assert_ratio("configs/wn/halfcheetah_4.yaml", 4, 1);
}

// the widths that the comment in the paper's specs says how to change
static void the_paper_critics_are_narrowed_by_set(void **state)
{
    (void)state;
    const char *set[] = {
        "agent.critic_net.arc.modules.body.Sequential.1.LazyLinear.out_features=256",
        "agent.critic_net.arc.modules.body.Sequential.4.LazyLinear.out_features=256",
    };
    struct spec_options options = {.set = set, .n_set = 2};
    struct error        err = {0};
    assert_int_equal(spec_load(&spec, "configs/paper/halfcheetah.yaml", &options, NULL, &err), 0);
    assert_int_equal(spec.critic_net.n_layers, 7);
    assert_int_equal(spec.critic_net.layers[1].out, 256);
    assert_int_equal(spec.critic_net.layers[4].out, 256);
    assert_int_equal(spec.critic_net.layers[6].kind, LAYER_BATCH_RENORM);
    assert_int_equal(spec.critic_net.layers[6].form, RENORM_ADJUSTED);
    assert_true(spec.algorithm.log_alpha_max > 1e300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shipped_spec_loads),
        cmocka_unit_test(shipped_specs_have_their_ratios),
        cmocka_unit_test(the_paper_critics_are_narrowed_by_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
