#include "actor/canvas.h"

#include <math.h>

void canvas_view(struct canvas *c, double left, double bottom, double across)
{
    c->left = left;
    c->bottom = bottom;
    c->scale = (double)c->width / across;
}

void canvas_clear(struct canvas *c, uint32_t color)
{
    canvas_box(c, (struct point){-INFINITY, -INFINITY}, (struct point){INFINITY, INFINITY}, color);
}

// world coordinates of the middle of a pixel
static struct point pixel_point(const struct canvas *c, size_t column, size_t row)
{
    return (struct point){c->left + ((double)column + 0.5) / c->scale,
                          c->bottom + ((double)(c->height - row) - 0.5) / c->scale};
}

// mixes the colour in by a share in [0, 1]
static void mix(struct canvas *c, size_t column, size_t row, uint32_t color, double share)
{
    unsigned char *pixel = c->rgb + (row * c->width + column) * 3;
    for (int i = 0; i < 3; i++) {
        double to = (double)((color >> (16 - 8 * i)) & 0xff);
        pixel[i] = (unsigned char)lround((double)pixel[i] + share * (to - (double)pixel[i]));
    }
}

static double clamp(double x, double low, double high)
{
    return fmin(fmax(x, low), high);
}

static double distance_to_line(struct point p, struct point a, struct point b)
{
    double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
    double t = length > 0 ? ((p.x - a.x) * dx + (p.y - a.y) * dy) / length : 0;
    t = clamp(t, 0, 1);
    return hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

void canvas_line(struct canvas *c, struct point a, struct point b, double width, uint32_t color)
{
    for (size_t row = 0; row < c->height; row++)
        for (size_t column = 0; column < c->width; column++) {
            double away = distance_to_line(pixel_point(c, column, row), a, b) - width / 2;
            // edges are smoothed over one pixel
            double share = clamp(0.5 - away * c->scale, 0, 1);
            if (share > 0)
                mix(c, column, row, color, share);
        }
}

void canvas_disc(struct canvas *c, struct point center, double radius, uint32_t color)
{
    canvas_line(c, center, center, 2 * radius, color);
}

void canvas_box(struct canvas *c, struct point low, struct point high, uint32_t color)
{
    for (size_t row = 0; row < c->height; row++)
        for (size_t column = 0; column < c->width; column++) {
            struct point p = pixel_point(c, column, row);
            if (p.x >= low.x && p.x <= high.x && p.y >= low.y && p.y <= high.y)
                mix(c, column, row, color, 1);
        }
}
