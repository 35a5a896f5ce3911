"""Plots the output of scale_simulation, and prints the shortest mean task length that keeps each number of workers busy.

  scale_plot.py LINES PICTURE.svg
"""
import math
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "rankpool"  # the same data gives the same file
from matplotlib import pyplot  # noqa: E402: after the choice of the backend

WANTED = 0.95
NAMES = {"equal": "equal lengths", "heavy": "heavy-tailed"}


def read(path):
    """Returns {distribution: {workers: [(task length in us, share of the workers' time in tasks)]}}."""
    runs = {}
    with open(path) as lines:
        for line in lines:
            workers, us, distribution, busy, _ = line.split()
            runs.setdefault(distribution, {}).setdefault(int(workers), []).append((float(us), float(busy)))
    return runs


def shortest_busy_task(points):
    """Returns the task length from which on the workers are busy, interpolated between the simulated lengths, or None."""
    points = sorted(points)
    last_idle = max((i for i, (_, busy) in enumerate(points) if busy < WANTED), default=None)
    if last_idle is None:
        return points[0][0]
    if last_idle + 1 == len(points):
        return None
    (us, busy), (next_us, next_busy) = points[last_idle], points[last_idle + 1]
    share = (WANTED - busy) / (next_busy - busy)
    return math.exp(math.log(us) + share * (math.log(next_us) - math.log(us)))


def length(us):
    if us is None:
        return "never"
    for unit, size in (("s", 1e6), ("ms", 1e3)):
        if us >= size:
            return f"{us / size:.2g} {unit}"
    return f"{us:.2g} us"


def main():
    lines, picture = sys.argv[1:]
    runs = read(lines)
    figure, panels = pyplot.subplots(1, len(runs), figsize=(9, 3.8), sharey=True, squeeze=False)
    for axes, (distribution, sizes) in zip(panels[0], runs.items()):
        for workers, points in sorted(sizes.items()):
            us, busy = zip(*sorted(points))
            axes.plot(us, busy, marker="o", markersize=3, label=f"{workers:,} workers")
        axes.axhline(WANTED, color="grey", linewidth=0.8, linestyle="--")
        axes.set_xscale("log")
        axes.set_title(NAMES.get(distribution, distribution), fontsize=10)
        axes.set_xlabel("mean task length, µs")
        axes.grid(alpha=0.3)
    panels[0][0].set_ylabel("share of the workers' time in tasks")
    panels[0][0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(picture, metadata={"Date": None})

    names = list(runs)
    print("| workers |" + "".join(f" shortest tasks with {WANTED:.0%} busy, {NAMES.get(n, n)} |" for n in names))
    print("| ---: |" + " ---: |" * len(names))
    for workers in sorted({w for sizes in runs.values() for w in sizes}):
        cells = [length(shortest_busy_task(runs[n][workers])) if workers in runs[n] else "" for n in names]
        print(f"| {workers:,} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
