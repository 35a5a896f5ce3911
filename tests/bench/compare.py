"""Measures the pool and its peers in rounds and prints a table of their figures; tests/bench/run calls it.

A round runs every program of every measurement once, one after the other, so that other load on the machine affects all of
them. A ratio is the median of the rounds' ratios. Above 1, the pool is better, also for figures where lower is better.
"""
import argparse
import datetime
import json
import math
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
POOL = "rankpool"
PEERS = {
    "hand": "hand-written MPI",
    "processes": "ProcessPoolExecutor",
    "mpi4py": "mpi4py.futures",
}
ALONE = "alone"  # no pool: the limit of the machine
SECONDS_FOR_ONE_RUN = 300


@dataclass
class Measurement:
    """One figure: the arguments of each program, and the key of the output line with the figure."""
    name: str
    title: str
    key: str
    unit: str
    arguments: dict
    higher_is_better: bool = True
    workers: int = 2
    target: str = ""
    once: bool = False  # only in the first round, because it takes a minute


def measurements():
    everybody = (POOL, *PEERS)

    def same(*arguments, programs=everybody):
        return {program: [str(a) for a in arguments] for program in programs}

    mpi = (POOL, "hand")
    return [
        Measurement("submit", "submit empty tasks and collect their results", "submit_tasks_per_s", "tasks/s",
                    same("throughput", 1_000_000, programs=mpi) | {"processes": ["throughput", "20000"], "mpi4py": ["throughput", "5000"]},
                    target="3 x hand-written, 200 x ProcessPoolExecutor"),
        Measurement("map", "map of an empty task; the pool chooses the chunk size, the others use 1024", "map_items_per_s", "items/s",
                    {POOL: ["map", "10000000", "0"], "processes": ["map", "10000000", "1024"], "mpi4py": ["map", "1000000", "1024"]},
                    target="10 x ProcessPoolExecutor"),
        Measurement("latency", "round trip from submit to result, 2 workers", "latency_us_p50", "us",
                    same("latency", 10_000, programs=mpi) | {"processes": ["latency", "2000"], "mpi4py": ["latency", "2000"]},
                    higher_is_better=False, target="half as fast as hand-written"),
        Measurement("latency-1", "round trip from submit to result, 1 worker", "latency_us_p50", "us",
                    same("latency", 10_000, programs=mpi) | {"processes": ["latency", "2000"], "mpi4py": ["latency", "2000"]},
                    higher_is_better=False, workers=1, target="two thirds as fast as hand-written"),
        Measurement("grain-20", "share of the workers' time in tasks of 20 us", "efficiency", "",
                    same("grain", 20, 50_000, programs=mpi) | {"processes": ["grain", "20", "10000"], "mpi4py": ["grain", "20", "5000"]},
                    target="0.93"),
        Measurement("grain-100", "share of the workers' time in tasks of 100 us", "efficiency", "",
                    same("grain", 100, 20_000, programs=mpi) | {"processes": ["grain", "100", "10000"], "mpi4py": ["grain", "100", "5000"]},
                    target="0.97"),
        Measurement("mixed", "1000 tasks of 1 us to 100 ms, time relative to the ideal", "over_ideal", "",
                    same("mixed", 1000, 1), higher_is_better=False, target="1.03"),
        Measurement("echo", "64 MiB of numbers sent to a task and returned", "echo_GBps", "GB/s",
                    same("echo", 64, 9), target="0.9 x hand-written"),
        Measurement("echo-strings", "64 MiB of strings sent to a task and returned; the others send numbers", "echo_GBps", "GB/s",
                    {POOL: ["echo-strings", "64", "5"], "hand": ["echo", "64", "9"]}, target="0.3 x hand-written"),
        Measurement("copy-strings", "the same strings copied twice in one process: the upper limit", "copies_GBps", "GB/s",
                    {POOL: ["echo-strings", "64", "5"]}),
        Measurement("latency-0", "round trip from submit to result, inline, without messages", "latency_us_p50", "us",
                    {POOL: ["latency", "10000"]}, higher_is_better=False, workers=0),
        Measurement("ranks-64", "submit empty tasks and collect their results, 63 workers", "submit_tasks_per_s", "tasks/s",
                    {POOL: ["throughput", "1000000"]}, workers=63, target="0.5 x the figure of 2 workers"),
        Measurement("cubes", "sum of 10^10 cubes, speedup over a loop on one core", "speedup", "",
                    {POOL: ["cubes", "1e10"]}, target="1.9", once=True),
        Measurement("reduce", "memory of rank 0 during a sum of 10^11 integers", "peak_MB", "MB", {POOL: ["reduce", "1e11"]},
                    higher_is_better=False, target="constant", once=True),
        Measurement("memory", "memory for each pending task", "bytes_per_task", "bytes", {POOL: ["memory", "1000000"]},
                    higher_is_better=False, target="200"),
        Measurement("share", "memory that a shared array of 1024 MiB adds to the node, 7 workers", "added_MiB", "MiB",
                    {POOL: ["share", "1024"]}, higher_is_better=False, workers=7, target="1024"),
        Measurement("idle", "CPU of all ranks while one task sleeps for 10 s", "all_ranks_cpu_percent", "%", {POOL: ["idle", "10"]},
                    higher_is_better=False, target="2"),
        Measurement("wake", "start of the first task after an idle minute", "first_task_us_p50", "us", {POOL: ["wake", "60", "1"]},
                    higher_is_better=False, target="200", once=True),
        Measurement("scheduler", "the scheduler alone", "events_per_s", "events/s", {"scheduler": []}, target="5 million"),
    ]


# ---- running

class Runner:
    def __init__(self, programs):
        self.programs = programs
        self.environment = dict(os.environ)
        if os.geteuid() == 0:
            self.environment |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}

    def command(self, program, arguments, workers):
        on_ranks = ["mpirun", "-n", str(workers + 1), "--oversubscribe", "--bind-to", "none"]
        python = sys.executable
        return {
            POOL: [*on_ranks, self.programs / "pool_bench"],
            "hand": [*on_ranks, self.programs / "hand_written_mpi"],
            ALONE: [*on_ranks, self.programs / "hand_written_mpi"],
            "processes": [python, HERE / "python_pool.py", "processes"],
            "mpi4py": [*on_ranks, python, "-m", "mpi4py.futures", HERE / "python_pool.py", "mpi4py"],
            "scheduler": [self.programs / "scheduler_bench"],
        }[program] + arguments

    def figures(self, program, arguments, workers):
        """Returns the `key value` lines that a program prints, or None after a message on stderr if it failed."""
        command = [str(c) for c in self.command(program, arguments, workers)]
        try:
            done = subprocess.run(command, env=self.environment | {"WORKERS": str(workers)}, capture_output=True, text=True,
                                  stdin=subprocess.DEVNULL, timeout=SECONDS_FOR_ONE_RUN, check=False)
        except subprocess.TimeoutExpired:
            print(f"bench: timeout after {SECONDS_FOR_ONE_RUN} s: {' '.join(command)}", file=sys.stderr)
            return None
        if done.returncode != 0:
            print(f"bench: status {done.returncode} of {' '.join(command)}\n{done.stderr}", file=sys.stderr)
            return None
        lines = (line.split() for line in done.stdout.splitlines())
        return {words[0]: float(words[1]) for words in lines if len(words) == 2}


def run_rounds(runner, chosen, rounds):
    """Returns {measurement: {program: [figure of each round]}}."""
    results = {m.name: {program: [] for program in m.arguments} for m in chosen}
    for r in range(rounds):
        for m in chosen:
            if m.once and r > 0:
                continue
            programs = list(m.arguments)
            for program in programs[r % len(programs):] + programs[:r % len(programs)]:
                figures = runner.figures(program, m.arguments[program], m.workers)
                value = None if figures is None else figures.get(m.key)
                results[m.name][program].append(value)
                print(f"bench: round {r + 1} of {rounds}, {m.name}, {program}: {value}", file=sys.stderr)
    return results


GRAINS = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]
TASKS_PER_SECOND = {POOL: 2e6, ALONE: 2e6, "hand": 1e6, "processes": 8e3, "mpi4py": 4e3}  # approximate; sets the number of tasks to measure


def run_sweep(runner, programs, rounds):
    """Returns {program: {microseconds: [efficiency of each round]}}."""
    results = {program: {us: [] for us in GRAINS} for program in programs}
    for r in range(rounds):
        for us in GRAINS:
            for program in programs:
                n = max(200, int(0.4 * min(TASKS_PER_SECOND[program], 2e6 / us)))  # about 0.4 s
                figures = runner.figures(program, ["alone" if program == ALONE else "grain", str(us), str(n)], 2)
                results[program][us].append(None if figures is None else figures.get("efficiency"))
        print(f"bench: round {r + 1} of {rounds} of the sweep over task lengths", file=sys.stderr)
    return results


# ---- results

def known(values):
    return [v for v in values if v is not None]


def median(values):
    return statistics.median(known(values)) if known(values) else None


def ratio(m, of_pool, of_peer):
    """Returns the median of the rounds' ratios, above 1 if the pool is better."""
    pairs = [(a, b) for a, b in zip(of_pool, of_peer) if a and b]
    return statistics.median(a / b if m.higher_is_better else b / a for a, b in pairs) if pairs else None


def readable(value):
    if value is None:
        return "failed"
    if abs(value) >= 100_000:
        return f"{value / 1e6:,.2f} M"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 10 else f"{value:.3f}".rstrip("0").rstrip(".")


def table(chosen, results):
    lines = ["| | rankpool | spread | " + " | ".join(PEERS.values()) + " | target |",
             "| --- | ---: | ---: |" + " ---: |" * len(PEERS) + " --- |"]
    for m in chosen:
        own_name = POOL if POOL in m.arguments else next(iter(m.arguments))
        own = results[m.name][own_name]
        values = known(own)
        spread = f"{readable(min(values))} to {readable(max(values))}" if values else ""
        cells = []
        for peer in PEERS:
            if peer not in m.arguments:
                cells.append("")
                continue
            times = ratio(m, own, results[m.name][peer])
            cells.append(readable(median(results[m.name][peer])) + ("" if times is None else f" ({times:.3g} x)"))
        unit = f", {m.unit}" if m.unit else ""
        lines.append(f"| {m.title}{unit} | {readable(median(own))} | {spread} | " + " | ".join(cells) + f" | {m.target} |")
    return "\n".join(lines)


def shortest_task(efficiencies, wanted=0.5):
    """Returns METG, the shortest task length with the wanted efficiency, interpolated between the measured lengths, or None."""
    points = [(us, median(values)) for us, values in sorted(efficiencies.items()) if known(values)]
    for (us, e), (next_us, next_e) in zip(points, points[1:]):
        if e < wanted <= next_e:
            share = (wanted - e) / (next_e - e)
            return math.exp(math.log(us) + share * (math.log(next_us) - math.log(us)))
    return points[0][0] if points and points[0][1] >= wanted else None


def name_of(program):
    return PEERS.get(program, "no messages" if program == ALONE else program)


def sweep_table(sweep):
    lines = ["| task length, us | " + " | ".join(name_of(p) for p in sweep) + " |", "| ---: |" + " ---: |" * len(sweep)]
    for us in GRAINS:
        cells = [readable(median(sweep[p][us])) for p in sweep]
        lines.append(f"| {us:g} | " + " | ".join(cells) + " |")
    shortest = [shortest_task(sweep[p]) for p in sweep]
    lines.append("| **METG(50 %)** | " + " | ".join("over 5000" if s is None else f"**{s:.2g}**" for s in shortest) + " |")
    return "\n".join(lines)


def plot(sweep, path):
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "rankpool"  # the same data gives the same file
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(7.5, 4.2))
    for program, efficiencies in sweep.items():
        points = [(us, median(v), min(known(v)), max(known(v))) for us, v in efficiencies.items() if known(v)]
        us, middle, low, high = zip(*points)
        line, = axes.plot(us, middle, marker="o", markersize=4, label=name_of(program))
        axes.fill_between(us, low, high, alpha=0.15, color=line.get_color())
    axes.axhline(0.5, color="grey", linewidth=0.8, linestyle="--")
    axes.set_xscale("log")
    axes.set_ylim(0, 1)
    axes.set_xlabel("task length, µs")
    axes.set_ylabel("share of the workers' time in tasks")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    mpi = subprocess.run(["mpirun", "--version"], capture_output=True, text=True, check=False).stdout.splitlines()
    return f"{os.cpu_count()} cores, {model}, Linux {platform.release()}, {mpi[0] if mpi else 'MPI'}, Python {platform.python_version()}"


def main():
    everything = measurements()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="directory of the benchmark programs")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="directory for the tables, the plot and the figures")
    parser.add_argument("--rounds", type=int, default=5, help="number of rounds (default: 5)")
    parser.add_argument("--only", nargs="+", choices=[m.name for m in everything] + ["sweep"], metavar="NAME",
                        help="only these measurements: " + ", ".join(m.name for m in everything) + ", sweep")
    options = parser.parse_args()
    if shutil.which("mpirun") is None:
        parser.error("mpirun is not on the PATH")
    chosen = [m for m in everything if not options.only or m.name in options.only]
    runner = Runner(options.programs)
    results = run_rounds(runner, chosen, options.rounds)
    sweep = run_sweep(runner, [POOL, *PEERS, ALONE], options.rounds) if not options.only or "sweep" in options.only else None

    today = datetime.date.today().isoformat()
    text = [f"{machine()}; {today}; medians of {options.rounds} rounds; in brackets the pool's advantage."]
    if chosen:
        text.append(table(chosen, results))
    options.output.mkdir(parents=True, exist_ok=True)
    if sweep:
        text.append(sweep_table(sweep))
        plot(sweep, options.output / "efficiency.svg")
    report = "\n\n".join(text) + "\n"
    (options.output / "table.md").write_text(report)
    (options.output / "figures.json").write_text(json.dumps(
        {"machine": machine(), "date": today, "results": results, "sweep": sweep}, indent=1))
    print(report, end="")


if __name__ == "__main__":
    main()
