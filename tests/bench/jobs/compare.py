"""Measures every job at scale and its peer, the best tool for the same work, and prints a table of their times.

tests/bench/jobs/run calls it. Each file in rows/ has a list ROWS of table rows. A round runs the job and the peer once each,
one after the other. A ratio is the median of the rounds' ratios; below 1, the job is faster. With --before, a round also runs the
job of an earlier build, and a column has the earlier build's time divided by the time now; above 1, the job has become faster.
"""
import argparse
import datetime
import importlib.util
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SECONDS_FOR_ONE_RUN = 1800


def rows():
    sys.path.insert(0, str(HERE))
    found = []
    for path in sorted((HERE / "rows").glob("*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found += module.ROWS
    return found


def timed(command, folder, environment):
    """Runs a command and returns the seconds from its start to its end, including start-up."""
    begin = time.monotonic()
    with open(folder / "stdout", "wb") as out, open(folder / "stderr", "wb") as err:
        done = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                              timeout=SECONDS_FOR_ONE_RUN, check=False)
    seconds = time.monotonic() - begin
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed with status {done.returncode}: {(folder / 'stderr').read_text(errors='replace')[-500:]}")
    return seconds


def measure(row, programs, before, rounds, scratch):
    environment = dict(os.environ) | {"RANKPOOL_WORKERS": str(row.workers)}
    if os.geteuid() == 0:
        environment |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    commands = {"own": [str(programs / "jobs" / "rankpool"), *row.own]}
    if before:
        commands["before"] = [str(before / "jobs" / "rankpool"), *row.own]
    places = {"PEERS/": programs / "tests" / "bench" / "jobs", "SOURCES/": HERE / "peers"}
    commands["peer"] = [next((str(place / a.removeprefix(prefix)) for prefix, place in places.items() if a.startswith(prefix)), a) for a in row.peer]
    with tempfile.TemporaryDirectory(dir=scratch, prefix=f"rankpool-{row.job}-") as name:
        folder = pathlib.Path(name)
        row.prepare(folder)
        times = {who: [] for who in commands}
        for r in range(rounds):
            for who, command in list(commands.items())[::1 if r % 2 == 0 else -1]:
                for output in row.fresh:
                    target = folder / output
                    shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
                seconds = timed(command, folder, environment) * (row.peer_scale if who == "peer" else 1)
                times[who].append(seconds)
                print(f"bench: {row.job}, round {r + 1} of {rounds}, {who}: {seconds:.2f} s", file=sys.stderr)
                if who == "own" and r == 0:
                    checked = row.check(folder)
    return times, checked


def median_ratio(times, others):
    return statistics.median(a / b for a, b in zip(times, others))


def cells(row, times, checked):
    ratio = median_ratio(times["own"], times["peer"])
    verdict = "met" if ratio <= row.max_ratio else "missed"
    since = [f"{median_ratio(times['before'], times['own']):.2f}"] if "before" in times else []
    return [f"`{row.job}`", row.size, f"`rankpool {' '.join(row.own)}`", f"{statistics.median(times['own']):.2f}",
            f"{row.peer_name}: {statistics.median(times['peer']):.2f}", f"{ratio:.2f}", f"{row.max_ratio:g} ({verdict})", *since, checked or "", row.note]


def main():
    everything = rows()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="the build tree")
    parser.add_argument("--before", type=pathlib.Path, help="the build tree of an earlier version, to compare with")
    parser.add_argument("--scratch", type=pathlib.Path, default=None, help="folder for inputs and outputs (default: the system's temporary folder)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", metavar="JOB", help="only the rows of these jobs")
    parser.add_argument("--packages", action="store_true", help="print the Debian packages that the peers need, and exit")
    options = parser.parse_args()
    options.programs = options.programs.resolve()
    options.before = options.before and options.before.resolve()
    chosen = [r for r in everything if not options.only or r.job in options.only]
    if options.packages:
        print(*sorted({p for r in chosen for p in r.packages}))
        return
    print(f"{os.cpu_count()} cores; {datetime.date.today().isoformat()}; whole processes, medians of {options.rounds} rounds.\n")
    since = ("before / now | ", "---: | ") if options.before else ("", "")
    print(f"| job | size | command | s | peer, s | ratio | at most | {since[0]}checked | |")
    print(f"| --- | --- | --- | ---: | ---: | ---: | ---: | {since[1]}--- | --- |", flush=True)
    for row in chosen:
        try:
            print("| " + " | ".join(cells(row, *measure(row, options.programs, options.before, options.rounds, options.scratch))) + " |", flush=True)
        except Exception as error:  # the other rows are still measured
            print(f"| `{row.job}` | {row.size} | failed: {error} |", flush=True)
            print(f"bench: {row.job}: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
