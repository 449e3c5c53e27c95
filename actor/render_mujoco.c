#include "actor/render_mujoco.h"

#define EGL_NO_X11 1
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_GEOMS = 1000 };

// EGL is loaded when a picture is wanted, so that an actor without graphics needs none
struct egl {
    void *library;
    void *(*get_proc_address)(const char *name);
    EGLBoolean (*initialize)(EGLDisplay display, EGLint *major, EGLint *minor);
    EGLBoolean (*choose_config)(EGLDisplay display, const EGLint *wanted, EGLConfig *config,
                                EGLint size, EGLint *n);
    EGLBoolean (*bind_api)(EGLenum api);
    EGLContext (*create_context)(EGLDisplay display, EGLConfig config, EGLContext share,
                                 const EGLint *attributes);
    EGLBoolean (*make_current)(EGLDisplay display, EGLSurface draw, EGLSurface read,
                               EGLContext context);
    EGLBoolean (*destroy_context)(EGLDisplay display, EGLContext context);
    EGLBoolean (*terminate)(EGLDisplay display);
    EGLDisplay display;
    EGLContext context;
};

struct scene {
    size_t     width, height;
    mjModel   *m;  // borrowed
    mjData    *d;  // borrowed
    struct egl egl;
    mjvScene   scene;
    mjvOption  option;
    mjvCamera  camera;
    mjrContext context;
    bool       made;  // scene and context
    // the task of draw
    unsigned char *rgb;
};

// ------ EGL

static int egl_load(struct egl *egl, struct error *err)
{
    struct {
        const char *name;
        void       *function;
    } functions[] = {
        {"eglGetProcAddress", &egl->get_proc_address}, {"eglInitialize", &egl->initialize},
        {"eglChooseConfig", &egl->choose_config},      {"eglBindAPI", &egl->bind_api},
        {"eglCreateContext", &egl->create_context},    {"eglMakeCurrent", &egl->make_current},
        {"eglDestroyContext", &egl->destroy_context},  {"eglTerminate", &egl->terminate},
    };
    // global, because MuJoCo looks for eglGetProcAddress among the symbols of the process
    egl->library = dlopen("libEGL.so.1", RTLD_NOW | RTLD_GLOBAL);
    if (egl->library == NULL)
        return error_set(err, ERR_SYSTEM, "video needs EGL (package libegl1): %s", dlerror());
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        void *function = dlsym(egl->library, functions[i].name);
        if (function == NULL)
            return error_set(err, ERR_SYSTEM, "EGL has no %s", functions[i].name);
        memcpy(functions[i].function, &function, sizeof function);
    }
    return 0;
}

static int egl_open(struct egl *egl, struct error *err)
{
    static const EGLint wanted[] = {EGL_RED_SIZE,
                                    8,
                                    EGL_GREEN_SIZE,
                                    8,
                                    EGL_BLUE_SIZE,
                                    8,
                                    EGL_ALPHA_SIZE,
                                    8,
                                    EGL_DEPTH_SIZE,
                                    24,
                                    EGL_STENCIL_SIZE,
                                    8,
                                    EGL_SURFACE_TYPE,
                                    EGL_PBUFFER_BIT,
                                    EGL_RENDERABLE_TYPE,
                                    EGL_OPENGL_BIT,
                                    EGL_NONE};
    int                 rc = egl_load(egl, err);
    if (rc < 0)
        return rc;
    PFNEGLGETPLATFORMDISPLAYEXTPROC get_display = NULL;
    *(void **)&get_display = egl->get_proc_address("eglGetPlatformDisplayEXT");
    if (get_display == NULL)
        return error_set(err, ERR_SYSTEM, "EGL has no surfaceless platform");
    EGLConfig config;
    EGLint    n = 0;
    egl->display = get_display(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL);
    if (egl->display == EGL_NO_DISPLAY || !egl->initialize(egl->display, NULL, NULL))
        return error_set(err, ERR_SYSTEM,
                         "EGL does not start (package libgl1-mesa-dri draws without a display)");
    if (!egl->choose_config(egl->display, wanted, &config, 1, &n) || n < 1 ||
        !egl->bind_api(EGL_OPENGL_API))
        return error_set(err, ERR_SYSTEM, "EGL has no OpenGL");
    egl->context = egl->create_context(egl->display, config, EGL_NO_CONTEXT, NULL);
    if (egl->context == EGL_NO_CONTEXT ||
        !egl->make_current(egl->display, EGL_NO_SURFACE, EGL_NO_SURFACE, egl->context))
        return error_set(err, ERR_SYSTEM, "EGL makes no context");
    return 0;
}

static void egl_close(struct egl *egl)
{
    if (egl->context != EGL_NO_CONTEXT) {
        egl->make_current(egl->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
        egl->destroy_context(egl->display, egl->context);
    }
    if (egl->display != EGL_NO_DISPLAY)
        egl->terminate(egl->display);
    // the library stays: its driver does not bear being unloaded
}

// ------ camera

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of_geoms(const struct env *env, int axis)
{
    double values[MAX_GEOMS];
    size_t n = (size_t)env->sim.m->ngeom;
    n = n < MAX_GEOMS ? n : MAX_GEOMS;
    for (size_t i = 0; i < n; i++)
        values[i] = env->sim.d->geom_xpos[3 * i + (size_t)axis];
    qsort(values, n, sizeof *values, compare_doubles);
    return n == 0 ? 0 : (values[(n - 1) / 2] + values[n / 2]) / 2;
}

static void place_camera(struct scene *s, const struct env *env)
{
    const struct env_camera *camera = &env->task->camera;
    int                      track = mj_name2id(s->m, mjOBJ_CAMERA, "track");
    mjv_defaultCamera(&s->camera);
    if (track >= 0) {
        s->camera.type = mjCAMERA_FIXED;
        s->camera.fixedcamid = track;
        return;
    }
    s->camera.distance = camera->distance > 0 ? camera->distance : s->m->stat.extent;
    for (int i = 0; i < 3; i++)
        s->camera.lookat[i] = camera->aimed ? camera->lookat[i] : median_of_geoms(env, i);
}

// ------ scene

static void make_scene(void *context)
{
    struct scene *s = context;
    mjv_defaultScene(&s->scene);
    mjv_defaultOption(&s->option);
    mjr_defaultContext(&s->context);
    mjv_makeScene(s->m, &s->scene, MAX_GEOMS);
    mjr_makeContext(s->m, &s->context, mjFONTSCALE_150);
    mjr_setBuffer(mjFB_OFFSCREEN, &s->context);
    s->made = true;
}

struct scene *scene_open(const struct env *env, size_t width, size_t height, struct error *err)
{
    struct scene *s = calloc(1, sizeof *s);
    if (s == NULL) {
        error_set(err, ERR_MEMORY, "no memory for a picture");
        return NULL;
    }
    s->width = width;
    s->height = height;
    s->m = env->sim.m;
    s->d = env->sim.d;
    // the offscreen buffer's size is the one thing of a model that only pictures read
    s->m->vis.global.offwidth = (int)width;
    s->m->vis.global.offheight = (int)height;
    if (egl_open(&s->egl, err) < 0 || simulator_guard(make_scene, s, err) < 0) {
        scene_close(s);
        return NULL;
    }
    place_camera(s, env);
    return s;
}

void scene_close(struct scene *s)
{
    if (s == NULL)
        return;
    if (s->made) {
        mjr_freeContext(&s->context);
        mjv_freeScene(&s->scene);
    }
    egl_close(&s->egl);
    free(s);
}

static void draw(void *context)
{
    struct scene *s = context;
    mjrRect       area = {0, 0, (int)s->width, (int)s->height};
    mjv_updateScene(s->m, s->d, &s->option, NULL, &s->camera, mjCAT_ALL, &s->scene);
    mjr_render(area, &s->scene, &s->context);
    mjr_readPixels(s->rgb, NULL, area, &s->context);
}

int scene_draw(struct scene *s, const struct env *env, unsigned char *rgb, struct error *err)
{
    s->m = env->sim.m;
    s->d = env->sim.d;
    s->rgb = rgb;
    int rc = simulator_guard(draw, s, err);
    // OpenGL's first row is the lowest
    size_t row = s->width * 3;
    for (size_t i = 0; rc == 0 && i < s->height / 2; i++) {
        unsigned char *a = rgb + i * row, *b = rgb + (s->height - 1 - i) * row;
        for (size_t k = 0; k < row; k++) {
            unsigned char keep = a[k];
            a[k] = b[k];
            b[k] = keep;
        }
    }
    return rc;
}
