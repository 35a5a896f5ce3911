#!/usr/bin/env python3
"""Compares the pool of two builds: compare_builds.py OLD NEW [--isolated | --traced] [--pairs 7] [--only throughput ...]

OLD and NEW are build directories that contain tests/bench/pool_bench. Each pair runs both builds, in alternating order. The table
shows the medians, and the median of the pairs' ratios: above 1, the new build is better. With --isolated, tasks of NEW run in runner
processes, and with --traced, NEW writes a trace: `compare_builds.py BUILD BUILD --isolated` shows what isolation costs.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys

# name: (arguments, workers, whether a higher figure is better)
FIGURES = {
    "throughput": (["throughput", "1000000"], 2, True),
    "map": (["map", "10000000", "0"], 2, True),
    "latency": (["latency", "20000"], 2, False),
    "latency-1": (["latency", "20000"], 1, False),
    "grain-20": (["grain", "20", "100000"], 2, True),
    "grain-100": (["grain", "100", "20000"], 2, True),
    "echo": (["echo", "64", "10"], 2, True),
    "idle": (["idle", "3"], 2, False),
}


def measure(build, name, settings):
    arguments, workers, _ = FIGURES[name]
    program = pathlib.Path(build) / "tests/bench/pool_bench"
    environment = os.environ | {"RANKPOOL_WORKERS": str(workers)} | settings
    result = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, timeout=120)
    words = result.stdout.split()  # name and figure; some modes print further pairs
    if result.returncode != 0 or len(words) < 2:
        sys.exit(f"compare_builds.py: {program} {' '.join(arguments)}: status {result.returncode}: {result.stdout}{result.stderr}")
    return float(words[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    variant = parser.add_mutually_exclusive_group()
    variant.add_argument("--isolated", dest="settings", action="store_const", const={"RANKPOOL_BENCH_ISOLATED": "1"}, default={})
    variant.add_argument("--traced", dest="settings", action="store_const", const={"RANKPOOL_BENCH_TRACE": "/dev/null"})
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--only", nargs="+", choices=FIGURES, default=list(FIGURES))
    options = parser.parse_args()
    print("| figure | old | new | ratio, above 1: new is better | lowest | highest |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name in options.only:
        old, new = [], []
        for pair in range(options.pairs):
            for build, figures, settings in ((options.old, old, {}), (options.new, new, options.settings))[:: 1 if pair % 2 == 0 else -1]:
                figures.append(measure(build, name, settings))
        higher_is_better = FIGURES[name][2]
        ratios = [(n / o if higher_is_better else o / n) for o, n in zip(old, new) if o > 0 and n > 0]
        if not ratios:  # a figure is 0, such as an idle time below the resolution of the clock
            print(f"| {name} | {statistics.median(old):.4g} | {statistics.median(new):.4g} | | | |", flush=True)
            continue
        print(f"| {name} | {statistics.median(old):.4g} | {statistics.median(new):.4g} | {statistics.median(ratios):.3f} | "
              f"{min(ratios):.3f} | {max(ratios):.3f} |", flush=True)


if __name__ == "__main__":
    main()
