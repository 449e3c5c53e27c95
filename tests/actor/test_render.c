#include "actor/render.h"

#include "actor/canvas.h"
#include "actor/encoder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

// the graphics driver leaks a little in libraries that it unloads, where no suppression can name it
const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
    return "detect_leaks=0";
}

static struct env *make(const char *task)
{
    struct spec  spec = {0};
    struct error err = {0};
    struct rng   rng;
    float        obs[1024];
    snprintf(spec.env.name, sizeof spec.env.name, "%s", task);
    struct env *env = env_make(&spec, &err);
    if (env == NULL)
        fail_msg("%s", err.text);
    rng_init(&rng, 1, RNG_TEST, 0);
    env_reset(env, &rng, obs);
    return env;
}

// how many different colours a picture has, up to 64
static int count_colors(const struct render *r)
{
    unsigned char seen[64][3];
    int           n = 0;
    for (size_t i = 0; i < r->width * r->height && n < 64; i++) {
        int k = 0;
        while (k < n && memcmp(seen[k], r->rgb + 3 * i, 3) != 0)
            k++;
        if (k == n)
            memcpy(seen[n++], r->rgb + 3 * i, 3);
    }
    return n;
}

static void a_line_covers_its_width_and_nothing_else(void **state)
{
    (void)state;
    unsigned char rgb[20 * 10 * 3];
    struct canvas c = {.width = 20, .height = 10, .rgb = rgb};
    canvas_view(&c, 0, 0, 20);
    canvas_clear(&c, 0xffffff);
    canvas_line(&c, (struct point){5, 2.5}, (struct point){15, 2.5}, 1, 0x102030);
    const unsigned char *on = rgb + (7 * 20 + 10) * 3, *off = rgb + (4 * 20 + 10) * 3;
    assert_true(on[0] == 0x10 && on[1] == 0x20 && on[2] == 0x30);
    assert_true(off[0] == 0xff && off[1] == 0xff && off[2] == 0xff);
}

static void every_classic_task_has_a_drawing_that_follows_its_state(void **state)
{
    (void)state;
    static const char *const tasks[] = {"Acrobot-v1", "CartPole-v1", "MountainCar-v0",
                                        "MountainCarContinuous-v0", "Pendulum-v1"};
    for (size_t i = 0; i < sizeof tasks / sizeof tasks[0]; i++) {
        struct error  err = {0};
        struct render r;
        struct env   *env = make(tasks[i]);
        assert_int_equal(render_init(&r, env, 96, 96, &err), 0);
        assert_int_equal(render_frame(&r, env, &err), 0);
        assert_true(count_colors(&r) >= 3);
        unsigned char before[96 * 96 * 3];
        memcpy(before, r.rgb, sizeof before);
        double moved[8];
        env_get_state(env, moved);
        moved[0] += 0.3;
        env_set_state(env, moved, 0, NULL);
        assert_int_equal(render_frame(&r, env, &err), 0);
        assert_memory_not_equal(before, r.rgb, sizeof before);
        render_free(&r);
        env_free(env);
    }
}

static void a_mujoco_task_is_rendered_without_a_display(void **state)
{
    (void)state;
    static const char *const tasks[] = {"HalfCheetah-v5", "Reacher-v5", "InvertedPendulum-v5"};
    for (size_t i = 0; i < sizeof tasks / sizeof tasks[0]; i++) {
        struct error  err = {0};
        struct render r;
        struct env   *env = make(tasks[i]);
        if (render_init(&r, env, 120, 120, &err) < 0) {
            env_free(env);
            print_message("%s\n", err.text);
            skip();
        }
        assert_int_equal(render_frame(&r, env, &err), 0);
        assert_int_equal(count_colors(&r), 64);
        render_free(&r);
        env_free(env);
    }
}

static void the_names_ending_chooses_the_kind_of_film(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(encoder_check("a.mp4", NULL), 0);
    assert_int_equal(encoder_check("dir/a.gif", NULL), 0);
    assert_int_equal(encoder_check("a.avi", &err), ERR_SPEC);
    assert_int_equal(encoder_check(".mp4", NULL), ERR_SPEC);
}

static void frames_become_a_file(void **state)
{
    (void)state;
    char           directory[] = "/tmp/crossfleet-test-XXXXXX", path[64];
    struct error   err = {0};
    struct encoder e;
    struct stat    st;
    unsigned char  rgb[64 * 64 * 3];
    assert_non_null(mkdtemp(directory));
    for (int kind = 0; kind < 2; kind++) {
        snprintf(path, sizeof path, "%s/film.%s", directory, kind == 0 ? "mp4" : "gif");
        int rc = encoder_open(&e, path, 64, 64, 50, &err);
        for (int i = 0; rc == 0 && i < 10; i++) {
            memset(rgb, 20 * i, sizeof rgb);
            rc = encoder_write(&e, rgb, &err);
        }
        if (rc < 0 || encoder_close(&e, &err) < 0) {
            print_message("%s\n", err.text);
            rmdir(directory);
            skip();
        }
        assert_int_equal(stat(path, &st), 0);
        assert_true(st.st_size > 100);
        unlink(path);
    }
    rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_covers_its_width_and_nothing_else),
        cmocka_unit_test(every_classic_task_has_a_drawing_that_follows_its_state),
        cmocka_unit_test(a_mujoco_task_is_rendered_without_a_display),
        cmocka_unit_test(the_names_ending_chooses_the_kind_of_film),
        cmocka_unit_test(frames_become_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
