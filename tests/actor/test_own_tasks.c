// The examples of configs/examples, built and trained from end to end by the programs beside this test:
// a learner with local actors. From the root of the tree.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/crossfleet-test-XXXXXX";
static char learner[4096];

static int set_up(void **state)
{
    (void)state;
    ssize_t n = readlink("/proc/self/exe", learner, sizeof learner - 64);
    if (n < 0 || mkdtemp(folder) == NULL)
        return -1;
    learner[n] = '\0';
    // build/<variant>/tests/actor/test_own_tasks
    for (int i = 0; i < 3; i++)
        *strrchr(learner, '/') = '\0';
    strcat(learner, "/crossfleet-learner");
    return access(learner, X_OK);
}

static int clean_up(void **state)
{
    (void)state;
    char command[256];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

// trains and gives the mean return of the last evaluation
static double train(const char *spec, const char *name, const char *more)
{
    char command[8192], path[256], line[512], last[512] = "";
    snprintf(command, sizeof command,
             "timeout 300 '%s' train %s --run %s/%s --seed 1 --actors 1 --http off --quiet %s "
             ">%s/log 2>&1 || { cat %s/log; false; }",
             learner, spec, folder, name, more, folder, folder);
    assert_int_equal(system(command), 0);
    snprintf(path, sizeof path, "%s/%s/evaluations.csv", folder, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        memcpy(last, line, sizeof last);
    fclose(file);
    double mean = 0;
    assert_int_equal(sscanf(last, "%*[^,],%*[^,],%*[^,],%*[^,],%lf", &mean), 1);
    return mean;
}

static void the_glider_plugin_learns_to_hold_its_height(void **state)
{
    (void)state;
    char        command[1024], more[512];
    const char *cc = getenv("CC");
    snprintf(command, sizeof command,
             "%s -O2 -shared -fPIC -I. -o %s/glider.so configs/examples/plugin/glider.c -lm",
             cc != NULL && cc[0] != '\0' ? cc : "cc", folder);
    assert_int_equal(system(command), 0);
    snprintf(more, sizeof more, "--set env.plugin=%s/glider.so", folder);
    // 200 is perfect, the height kept from the first step on
    assert_true(train("configs/examples/plugin/glider.yaml", "glider", more) > 150);
}

static void the_balancer_trains_from_its_model(void **state)
{
    (void)state;
    assert_true(train("configs/examples/balancer/balancer.yaml", "balancer",
                      "--set env.max_frame=1200") > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_glider_plugin_learns_to_hold_its_height),
        cmocka_unit_test(the_balancer_trains_from_its_model),
    };
    return cmocka_run_group_tests(tests, set_up, clean_up);
}
