#!/usr/bin/env python3
"""BENCHMARKS.md's tables and pictures, from the stored results alone.

  tests/benchmarks/page.py [--store DIR] [--page FILE]

What stands between <!-- table:NAME ARGUMENTS --> and <!-- end --> is written anew, all else stays:

  results SPECS             a row a task: SLM-Lab's score and what was reached here
  runs SPECS                a row a run
  published SPECS STEPS...  returns after so many steps, here and elsewhere
  versus A B TASK=SCORE,... steps and minutes to the scores with the specs of two folders
  curves SPECS...           pictures of the tasks that all of them have
"""
import argparse
import csv
import functools
import math
import os
import re
import statistics
import sys

import pictures
import results as res

MARKED = re.compile(r"(<!-- table:([^\n]*?) -->\n).*?(<!-- end -->)", re.S)
DEFAULT_ACTORS, DEFAULT_SPECS = 2, "fast"


# ---------------------------------------------------------------- text

def number(x):
    return f"{x:,.0f}" if abs(x) >= 1000 else f"{x:.1f}" if abs(x) >= 10 else f"{x:.2f}"


def count(x):
    for size, unit in ((1e6, " M"), (1e3, " k")):
        if x >= size:
            return f"{x / size:g}{unit}"
    return f"{x:g}"


def steps_text(x):
    return f"{x:,.0f}" if math.isfinite(x) else "-"


def minutes_text(seconds):
    if not math.isfinite(seconds):
        return "-"
    return f"{seconds / 60:.1f}" if seconds < 6000 else f"{seconds / 60:.0f}"


def ratio_text(a, b):
    return f"{a / b:.1f}" if math.isfinite(a) and math.isfinite(b) and b > 0 else "-"


def with_interval(values, text=number):
    spread = res.interval(values)
    return text(res.iqm(values)) + (f" [{text(spread[0])}, {text(spread[1])}]" if spread else "")


def table(head, rows):
    if not rows:
        return "No run is stored yet.\n"
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


# ---------------------------------------------------------------- what is there

def read_published():
    path = os.path.join(res.STORE, "published.csv")
    with open(path) as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    for row in rows:
        row["steps"], row["return"] = int(row["steps"]), float(row["return"])
    return rows


def current(groups):
    """The runs of today's specs where there are any, and a line on each that is left out or old."""
    kept, notes = {}, []
    for name, group in groups.items():
        paths = {r.facts["spec"] for r in group}
        hashes = {p: res.spec_hash(os.path.join(res.ROOT, p)) for p in paths
                  if os.path.exists(os.path.join(res.ROOT, p))}
        new = [r for r in group if hashes.get(r.facts["spec"]) == r.facts["spec_sha256"]]
        old = [r.seed for r in group if r not in new]
        kept[name] = new or group
        if old:
            notes.append(f"{name}, seed {', '.join(map(str, old))}: made with another version of "
                         "its spec" + (", left out" if new else ""))
    return kept, notes


class Page:
    def __init__(self, store, path):
        self.store, self.path, self.published, self.notes = store, path, read_published(), []
        self.score = {p["task"]: p for p in self.published
                      if p["source"] == "SLM-Lab" and p["algorithm"] == "CrossQ"}

    @functools.lru_cache
    def groups(self, specs):
        """[(task's name, its environment, runs)] in the order of SLM-Lab's table."""
        kept, notes = current(res.read_all(self.store, specs))
        self.notes += notes
        order = list(self.score)
        rows = [(name, group[0].facts["task"], group) for name, group in kept.items()]
        return sorted(rows, key=lambda r: ((*order, r[1]).index(r[1]), r[0]))

    def table(self, name, arguments):
        makers = {"results": self.results, "runs": self.runs, "published": self.others,
                  "versus": self.versus, "curves": self.curves}
        if name not in makers:
            res.fail(f"{self.path}: table:{name}: there are {', '.join(makers)}")
        try:
            before = len(self.notes)
            text = makers[name](*arguments)
            notes = "".join(f"\n{note}.\n" for note in self.notes[before:])
            return text + notes
        except (TypeError, ValueError) as error:
            res.fail(f"{self.path}: table:{name} {' '.join(arguments)}: {error}")

    # ------------------------------------------------------------ tables

    def results(self, specs):
        rows = []
        for name, task, group in self.groups(specs):
            slm = self.score.get(task)
            last, best = ends(group), [max(row[2] for row in r.rows) for r in group]
            rows.append([
                f"[{task}]({group[0].facts['spec']})", slm_text(slm), *reached_cells(group, slm),
                f"{with_interval(last)} after {frames_text(group)}{shortfall(last, slm)}",
                number(res.iqm(best)), rate(group, "max_frame"), rate(group, "updates"),
                f"`{command(specs, name, group)}`"])
        head = ["task", "SLM-Lab", "reached by", "steps", "minutes", "at the end", "best",
                "steps/s", "updates/s", "command"]
        return table(head, rows) + (self.summary(specs) if rows else "")

    def summary(self, specs):
        groups = [(self.score[task]["return"], group) for _, task, group in self.groups(specs)
                  if task in self.score]
        above = sum(res.iqm(ends(group)) >= score for score, group in groups)
        by_all = sum(median_reached(group, score)[2] == len(group) for score, group in groups)
        machines = sorted({f"{r.facts.get('processor', '?')}, {r.facts.get('cores', '?')} cores"
                           for _, _, group in self.groups(specs) for r in group})
        return (f"\n{len(groups)} of SLM-Lab's {len(self.score)} tasks: {above} end at or above "
                f"its score, every seed of {by_all} has reached it. "
                f"Machine: {'; '.join(machines)}.\n")

    def runs(self, specs):
        rows = []
        for name, task, group in self.groups(specs):
            slm = self.score.get(task)
            for r in group:
                facts, wall = r.facts, float(r.facts["wall_s"])
                steps, seconds = res.reached(r, slm["return"]) if slm else (math.inf, math.inf)
                rows.append([
                    task, r.seed, steps_text(int(facts["max_frame"])), minutes_text(wall),
                    steps_text(steps), minutes_text(seconds), number(r.rows[-1][2]),
                    number(max(row[2] for row in r.rows)), facts.get("train_return", "-"),
                    f"{int(facts['updates']) / wall:,.0f}" if wall else "-",
                    facts.get("cores_got", "-"), facts.get("commit", "-")])
        return table(["task", "seed", "steps", "minutes", "steps to the score", "minutes to it",
                      "last", "best", "training", "updates/s", "cores got", "commit"], rows)

    def others(self, specs, *steps):
        steps, rows = [int(s) for s in steps], []
        for _, task, group in self.groups(specs):
            here = [values_at(group, s) for s in steps]
            published = {}
            for p in self.published:
                if p["task"] == task and p["steps"] in steps and p["source"] != "SLM-Lab":
                    who = p["algorithm"], p["source"], p["seeds"]
                    published.setdefault(who, {})[p["steps"]] = p
            if not published:
                continue
            rows.append([f"**{task}**", f"here, {len(group)} seed" + "s" * (len(group) > 1),
                         *(with_interval(v) if v else "" for v in here)])
            for (algorithm, source, seeds), by in published.items():
                rows.append(["", f"{algorithm}, {source}" + (f", {seeds} seeds" if seeds else ""),
                             *(published_text(by.get(s)) for s in steps)])
        return table(["task", "", *(count(s) for s in steps)], rows)

    def versus(self, one, two, *wanted):
        rows = []
        sides = [{name: group for name, _, group in self.groups(specs)} for specs in (one, two)]
        for words in wanted:
            name, _, scores = words.partition("=")
            for score in map(float, scores.split(",")):
                groups = [side.get(name) for side in sides]
                if not all(groups):
                    continue
                (a, b), cells = [median_reached(group, score) for group in groups], []
                for group, (steps, seconds, n) in zip(groups, (a, b)):
                    cells += [steps_text(steps), minutes_text(seconds), f"{n} of {len(group)}"]
                rows.append([groups[0][0].facts["task"], number(score), *cells,
                             ratio_text(b[0], a[0]), ratio_text(b[1], a[1])])
        return table(["task", "return", f"{one}: steps", "minutes", "seeds", f"{two}: steps",
                      "minutes", "seeds", "steps, times", "minutes, times"], rows)

    def curves(self, *specs):
        if not specs:
            raise ValueError("which specs")
        sides = {s: {name: (task, group) for name, task, group in self.groups(s)} for s in specs}
        names = [n for n in sides[specs[0]] if all(n in side for side in sides.values())]
        panels = []
        for name in names:
            task = sides[specs[0]][name][0]
            slm = self.score.get(task)
            authors = [p for p in self.published if p["task"] == task and p["source"] == "authors"]
            panels.append((task, {s: side[name][1] for s, side in sides.items()},
                           slm and slm["return"], authors))
        text = ""
        for axis in pictures.AXES if panels else ():
            path = os.path.join(self.store, "pictures", f"{'-'.join(specs)}-{axis}.svg")
            pictures.draw(path, axis, panels)
            shown = os.path.relpath(path, os.path.dirname(os.path.abspath(self.path)))
            text += f"![return against {axis}, {' and '.join(specs)}]({shown})\n"
        return text or "No run is stored yet.\n"


# ---------------------------------------------------------------- cells

def ends(group):
    return [r.rows[-1][2] for r in group]


def frames_text(group):
    frames = sorted({r.rows[-1][0] for r in group})
    return " to ".join(count(f) for f in {frames[0]: 0, frames[-1]: 0})


def slm_text(slm):
    if slm is None:
        return "-"
    text = f"{number(slm['return'])} after {count(slm['steps'])}"
    if slm["steps_per_s"]:
        text += f", {slm['steps'] / float(slm['steps_per_s']) / 3600:.1f} h"
    return text


def median_reached(group, score):
    """Median steps and seconds, infinite when half the runs never get there; how many do."""
    all_reached = [res.reached(r, score) for r in group]
    return (*(statistics.median(values) for values in zip(*all_reached)),
            sum(math.isfinite(steps) for steps, _ in all_reached))


def reached_cells(group, slm):
    if slm is None:
        return ["-", "-", "-"]
    steps, seconds, n = median_reached(group, slm["return"])
    return [f"{n} of {len(group)}", steps_text(steps), minutes_text(seconds)]


def shortfall(last, slm):
    lack = slm["return"] - res.iqm(last) if slm else 0
    if lack <= 0:
        return ""
    return f", **short by {number(lack)} ({100 * lack / abs(slm['return']):.0f} %)**"


def rate(group, fact):
    rates = [float(r.facts[fact]) / float(r.facts["wall_s"]) for r in group
             if float(r.facts["wall_s"]) > 0]
    return f"{statistics.median(rates):,.0f}" if rates else "-"


def values_at(group, steps):
    """Of the runs that came so far; None unless all did."""
    values = [res.at([(s, mean) for s, _, mean in r.rows], steps) for r in group]
    return None if None in values else values


def published_text(p):
    if p is None:
        return ""
    return number(p["return"]) + (f" ± {float(p['spread']):,.0f}" if p["spread"] else "")


def command(specs, name, group):
    words = ["make benchmark", f"TASKS={name}",
             f'SEEDS="{" ".join(str(r.seed) for r in group)}"']
    if specs != DEFAULT_SPECS:
        words.append(f"SPECS={os.path.dirname(group[0].facts['spec'])}")
    for fact, variable, default in (("actors", "ACTORS", str(DEFAULT_ACTORS)), ("set", "SET", "")):
        value = group[0].facts.get(fact, default)
        if value != default:
            words.append(f'{variable}="{value}"')
    return " ".join(words)


# ---------------------------------------------------------------- page

def write(store, path):
    if not os.path.exists(path):
        res.fail(f"{path}: is not there; it has the prose and the tables' places")
    with open(path) as file:
        text = file.read()
    if text.count("<!-- table:") != len(MARKED.findall(text)):
        res.fail(f"{path}: each <!-- table:NAME --> needs an <!-- end -->, on lines of their own")
    page = Page(store, path)

    def anew(match):
        name, *arguments = match[2].split() or [""]
        return match[1] + page.table(name, arguments) + match[3]
    text = MARKED.sub(anew, text)
    with open(path + ".tmp", "w") as file:
        file.write(text)
    os.rename(path + ".tmp", path)
    for note in page.notes:
        print(f"benchmark: {note}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default=res.STORE, metavar="DIR")
    parser.add_argument("--page", default=os.path.join(res.ROOT, "BENCHMARKS.md"), metavar="FILE")
    options = parser.parse_args()
    write(options.store, options.page)


if __name__ == "__main__":
    main()
