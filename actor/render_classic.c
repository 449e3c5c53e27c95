#include "actor/render_classic.h"

#include "actor/canvas.h"

#include <math.h>
#include <string.h>

static const uint32_t paper = 0xffffff, ink = 0x20242a, wood = 0xca9865, blue = 0x3465a4,
                      red = 0xcc4c4c, green = 0x4e9a06;

static struct canvas begin(unsigned char *rgb, size_t width, size_t height, double left,
                           double bottom, double across)
{
    struct canvas c = {.width = width, .height = height, .rgb = rgb};
    canvas_view(&c, left, bottom, across);
    canvas_clear(&c, paper);
    return c;
}

static void draw_pendulum(unsigned char *rgb, size_t width, size_t height, const double *state)
{
    struct canvas c = begin(rgb, width, height, -1.4, -1.4, 2.8);
    struct point  pivot = {0, 0}, end = {sin(state[0]), cos(state[0])};
    canvas_line(&c, pivot, end, 0.2, red);
    canvas_disc(&c, pivot, 0.05, ink);
}

static void draw_cart_pole(unsigned char *rgb, size_t width, size_t height, const double *state)
{
    struct canvas c = begin(rgb, width, height, -2.4, -1.6, 4.8);
    double        x = state[0], angle = state[2];
    canvas_line(&c, (struct point){-2.4, 0}, (struct point){2.4, 0}, 0.01, ink);
    canvas_box(&c, (struct point){x - 0.25, -0.12}, (struct point){x + 0.25, 0.12}, ink);
    // the pole is 1 m long: twice the half length of the dynamics
    canvas_line(&c, (struct point){x, 0.1}, (struct point){x + sin(angle), 0.1 + cos(angle)}, 0.09,
                wood);
    canvas_disc(&c, (struct point){x, 0.1}, 0.04, blue);
}

static struct point hill(double x)
{
    return (struct point){x, 0.45 * sin(3 * x) + 0.55};
}

static void draw_mountain_car(unsigned char *rgb, size_t width, size_t height, const double *state)
{
    struct canvas c = begin(rgb, width, height, -1.2, -0.3, 1.8);
    for (double x = -1.2; x < 0.6; x += 0.03)
        canvas_line(&c, hill(x), hill(x + 0.03), 0.01, ink);
    struct point flag = hill(0.48), top = {flag.x, flag.y + 0.2};
    canvas_line(&c, flag, top, 0.01, green);
    canvas_line(&c, top, (struct point){top.x + 0.06, top.y - 0.02}, 0.04, green);
    struct point car = hill(state[0]);
    double       slope = atan(3 * 0.45 * cos(3 * state[0])), dx = 0.05 * cos(slope),
           dy = 0.05 * sin(slope);
    canvas_line(&c, (struct point){car.x - dx, car.y + 0.05 - dy},
                (struct point){car.x + dx, car.y + 0.05 + dy}, 0.05, blue);
    canvas_disc(&c, (struct point){car.x - dx, car.y + 0.02 - dy}, 0.02, ink);
    canvas_disc(&c, (struct point){car.x + dx, car.y + 0.02 + dy}, 0.02, ink);
}

static void draw_acrobot(unsigned char *rgb, size_t width, size_t height, const double *state)
{
    struct canvas c = begin(rgb, width, height, -2.3, -2.3, 4.6);
    struct point  pivot = {0, 0}, joint = {sin(state[0]), -cos(state[0])};
    struct point  end = {joint.x + sin(state[0] + state[1]), joint.y - cos(state[0] + state[1])};
    canvas_line(&c, (struct point){-2.3, 1}, (struct point){2.3, 1}, 0.02, green);
    canvas_line(&c, pivot, joint, 0.2, blue);
    canvas_line(&c, joint, end, 0.2, wood);
    canvas_disc(&c, pivot, 0.06, ink);
    canvas_disc(&c, joint, 0.06, ink);
}

render_classic_fn *render_classic_find(const char *task)
{
    static const struct {
        const char        *task;
        render_classic_fn *draw;
    } drawings[] = {
        {"Acrobot-v1", draw_acrobot},          {"CartPole-v1", draw_cart_pole},
        {"MountainCar-v0", draw_mountain_car}, {"MountainCarContinuous-v0", draw_mountain_car},
        {"Pendulum-v1", draw_pendulum},
    };
    for (size_t i = 0; i < sizeof drawings / sizeof drawings[0]; i++)
        if (strcmp(drawings[i].task, task) == 0)
            return drawings[i].draw;
    return NULL;
}
