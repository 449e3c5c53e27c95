"""Stored results of runs, and what is computed from them.

  STORE/SPECS/TASK-sSEED.csv.gz   "# key: value" lines, then the run's evaluations.csv as it was

IQM and interval are those of learner/aggregate.h.
"""
import collections
import csv
import gzip
import hashlib
import io
import math
import os
import random
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STORE = os.path.join(ROOT, "tests/benchmarks")
NEEDED = ("task", "spec", "spec_sha256", "seed", "max_frame", "wall_s", "updates")
DRAWS = 2000

# rows: (steps, seconds, mean return) of each evaluation, steps ascending
Result = collections.namedtuple("Result", "name seed facts rows")


def fail(text):
    sys.exit(f"benchmark: {text}")


# ---------------------------------------------------------------- files

def spec_hash(path):
    """Of what a spec says: comments and blank lines may change."""
    digest = hashlib.sha256()
    with open(path) as file:
        for line in file:
            line = re.sub(r"(^|\s)#.*", "", line.rstrip("\n")).rstrip()
            if line:
                digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def stored_path(store, specs, name, seed):
    return os.path.join(store, os.path.basename(specs), f"{name}-s{seed}.csv.gz")


def write(path, facts, evaluations):
    """The same content makes the same bytes."""
    head = "".join(f"# {key}: {value}\n" for key, value in facts.items())
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".tmp", "wb") as file:
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
            packed.write((head + evaluations).encode())
    os.rename(path + ".tmp", path)


def evaluations_of(text, path):
    rows = []
    try:
        for row in csv.DictReader(io.StringIO(text)):
            rows.append((int(row["timesteps"]), float(row["wall_s"]), float(row["mean"])))
    except (KeyError, TypeError, ValueError) as error:
        fail(f"{path}: evaluation {len(rows) + 1}: {error!r}")
    if not rows:
        fail(f"{path}: no evaluation is in it")
    if any(a[0] >= b[0] for a, b in zip(rows, rows[1:])):
        fail(f"{path}: steps do not ascend")
    if not all(math.isfinite(row[2]) for row in rows):
        fail(f"{path}: a return is not a number")
    return rows


def read(path):
    match = re.fullmatch(r"(.+)-s(\d+)\.csv\.gz", os.path.basename(path))
    if not match:
        fail(f"{path}: the name is not TASK-sSEED.csv.gz")
    try:
        with gzip.open(path, "rt") as file:
            text = file.read()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        fail(f"{path}: {error}")
    lines = text.splitlines(keepends=True)
    head = [line for line in lines if line.startswith("# ")]
    facts = dict(line[2:].rstrip("\n").partition(": ")[::2] for line in head)
    lacking = [key for key in NEEDED if key not in facts]
    if lacking:
        fail(f"{path}: does not say {', '.join(lacking)}")
    return Result(match[1], int(match[2]), facts, evaluations_of("".join(lines[len(head):]), path))


def read_all(store, specs):
    """{task's name: [Result] by seed} of one folder of specs."""
    directory, groups = os.path.join(store, specs), {}
    for file in sorted(os.listdir(directory)) if os.path.isdir(directory) else []:
        if file.endswith(".csv.gz"):
            result = read(os.path.join(directory, file))
            groups.setdefault(result.name, []).append(result)
    return {name: sorted(group, key=lambda r: r.seed) for name, group in groups.items()}


# ---------------------------------------------------------------- numbers

def iqm(values):
    """Mean of what stays after floor(n / 4) values fall off at either end."""
    cut = len(values) // 4
    kept = sorted(values)[cut:len(values) - cut]
    return sum(kept) / len(kept)


def interval(values, draws=DRAWS):
    """2.5 % and 97.5 % quantiles of iqm over resamples of one task's runs; None for one run."""
    if len(values) < 2:
        return None
    rng = random.Random(1)
    iqms = sorted(iqm(rng.choices(values, k=len(values))) for _ in range(draws))
    return iqms[int(0.025 * draws)], iqms[int(0.975 * draws)]


def reached(result, score):
    """Steps and seconds of the first evaluation of at least score; infinite: never."""
    for steps, seconds, mean in result.rows:
        if mean >= score:
            return steps, seconds
    return math.inf, math.inf


def at(points, x):
    """Value at x of the line through (x, y) points; None outside of them."""
    if not points or not points[0][0] <= x <= points[-1][0]:
        return None
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0) if x1 > x0 else y1
    return points[-1][1]
