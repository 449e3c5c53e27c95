"""Learning curves of stored results as small SVGs, a panel a task.

A line is the IQM over seeds, the band its 95 % interval, both over the range that all seeds cover;
dashed is SLM-Lab's score, dots are what CrossQ's authors published.
"""
import math
import os
from xml.sax.saxutils import escape

import results as res

POINTS = 60  # of a line, at most
DRAWS = 400  # of each point's interval
COLORS = ("#0b63ce", "#c4561a", "#1a7f4b", "#7b3fb5")
AXES = {"steps": "environment steps", "minutes": "minutes"}
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 300, 220, 48, 20, 26, 40
GRID = 'stroke="#dde2e8"'
SCORE = 'stroke="#5a6675" stroke-dasharray="5 4"'


def band(group, axis):
    """(x, iqm, low, high) over the range that all runs of the group cover."""
    curves = [[(steps if axis == "steps" else seconds / 60, mean)
               for steps, seconds, mean in result.rows] for result in group]
    low, high = max(c[0][0] for c in curves), min(c[-1][0] for c in curves)
    n = min(POINTS, max(len(c) for c in curves))
    rows = []
    for i in range(n if high > low else 1):
        # the last one exactly, whatever rounding makes of it
        x = high if i == n - 1 or high <= low else low + (high - low) * i / (n - 1)
        values = [v for v in (res.at(curve, x) for curve in curves) if v is not None]
        if values:
            middle = res.iqm(values)
            rows.append((x, middle, *(res.interval(values, DRAWS) or (middle, middle))))
    return rows


def ticks(low, high, n):
    """Round numbers in [low, high], about n of them."""
    if high <= low:
        return [low]
    step = 10 ** math.floor(math.log10((high - low) / n))
    step *= next(k for k in (1, 2, 5, 10) if (high - low) / (k * step) <= n)
    return [step * i for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def short(x):
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if abs(x) >= size:
            return f"{x / size:g}{unit}"
    return f"{x:g}"


class Frame:
    """From values to places in one panel, whose left upper corner is at (x, y)."""

    def __init__(self, x, y, end, low, high):
        self.x, self.y, self.end, self.low, self.high = x, y, end, low, high

    def at(self, x, y):
        across = self.x + LEFT + (WIDTH - LEFT - RIGHT) * x / self.end
        up = (HEIGHT - TOP - BOTTOM) * (y - self.low) / (self.high - self.low)
        return f"{across:.1f},{self.y + HEIGHT - BOTTOM - up:.1f}"

    def line(self, style, x0, y0, x1, y1):
        return f'<path {style} d="M{self.at(x0, y0)}L{self.at(x1, y1)}"/>'

    def text(self, x, y, anchor, text, style=""):
        return (f'<text x="{self.x + x:.1f}" y="{self.y + y:.1f}" text-anchor="{anchor}"{style}>'
                f"{escape(text)}</text>")

    def axes(self, task, label):
        middle = (WIDTH + LEFT - RIGHT) / 2
        parts = [self.text(middle, 16, "middle", task, ' font-size="12" font-weight="bold"'),
                 self.text(middle, HEIGHT - 8, "middle", label)]
        for y in ticks(self.low, self.high, 5):
            down = float(self.at(0, y).split(",")[1]) - self.y
            parts += [self.line(GRID, 0, y, self.end, y),
                      self.text(LEFT - 5, down + 3.5, "end", short(y))]
        for x in ticks(0, self.end, 5):
            across = float(self.at(x, self.low).split(",")[0]) - self.x
            parts += [self.line(GRID, x, self.low, x, self.high),
                      self.text(across, HEIGHT - BOTTOM + 13, "middle", short(x))]
        return parts

    def curve(self, rows, color, several):
        if not rows:
            return []
        up = [self.at(x, low) for x, _, low, _ in rows]
        back = [self.at(x, high) for x, _, _, high in reversed(rows)]
        line = "L".join(self.at(x, middle) for x, middle, _, _ in rows)
        around = [f'<path fill="{color}" fill-opacity="0.2" d="M{"L".join(up + back)}Z"/>']
        return (around if several else []) + [
            f'<path fill="none" stroke="{color}" stroke-width="2" d="M{line}"/>']


def panel(x, y, axis, task, groups, score, published):
    bands = {label: band(group, axis) for label, group in groups.items()}
    end = max((rows[-1][0] for rows in bands.values() if rows), default=0) or 1
    shown = [p for p in published if axis == "steps" and p["steps"] <= end]
    values = [v for rows in bands.values() for row in rows for v in row[1:]]
    values += [p["return"] for p in shown] + ([score] if score is not None else [])
    low, high = min(values, default=0), max(values, default=1)
    margin = 0.05 * (high - low) or 1
    frame = Frame(x, y, end, low - margin, high + margin)
    parts = frame.axes(task, AXES[axis])
    if score is not None:
        parts.append(frame.line(SCORE, 0, score, end, score))
    for k, (label, rows) in enumerate(bands.items()):
        color, n = COLORS[k % len(COLORS)], len(groups[label])
        parts += frame.curve(rows, color, n > 1)
        down = HEIGHT - BOTTOM - 6 - 12 * (len(bands) - 1 - k)
        parts.append(frame.text(WIDTH - RIGHT - 3, down, "end",
                                f"{label}, {n} seed" + ("s" if n > 1 else ""), f' fill="{color}"'))
    for p in shown:
        across, down = frame.at(p["steps"], p["return"]).split(",")
        parts.append(f'<circle cx="{across}" cy="{down}" r="3" fill="#b3261e"/>')
    return parts


def draw(path, axis, panels):
    """panels: [(task, {label: [Result]}, score or None, what CrossQ's authors published)]."""
    columns = min(4, len(panels))
    lines = math.ceil(len(panels) / columns)
    size = WIDTH * columns, HEIGHT * lines
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}" '
             f'width="{size[0]}" height="{size[1]}" font-family="sans-serif" font-size="10" '
             'fill="#3a4350" stroke="none">', '<rect width="100%" height="100%" fill="#fff"/>']
    for i, one in enumerate(panels):
        parts += panel(WIDTH * (i % columns), HEIGHT * (i // columns), axis, *one)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".tmp", "w") as file:
        file.write("\n".join(parts) + "\n</svg>\n")
    os.rename(path + ".tmp", path)
