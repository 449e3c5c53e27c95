// A picture in memory and the few shapes that a simple drawing needs. Coordinates are in the world's
// units, y upwards, as canvas_view sets them; colours are 0xrrggbb.
#ifndef ACTOR_CANVAS_H
#define ACTOR_CANVAS_H

#include <stddef.h>
#include <stdint.h>

struct canvas {
    size_t         width, height;
    unsigned char *rgb;                  // (height, width, 3) top row first, borrowed
    double         left, bottom, scale;  // world's corner, pixels a unit
};

struct point {
    double x, y;
};

// Shows x from left on and y from bottom on, `across` units over the whole width.
void canvas_view(struct canvas *c, double left, double bottom, double across);

void canvas_clear(struct canvas *c, uint32_t color);
void canvas_disc(struct canvas *c, struct point center, double radius, uint32_t color);
// A line with round ends.
void canvas_line(struct canvas *c, struct point a, struct point b, double width, uint32_t color);
// A rectangle with its sides along the axes.
void canvas_box(struct canvas *c, struct point low, struct point high, uint32_t color);

#endif
