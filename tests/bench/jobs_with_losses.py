#!/usr/bin/env python3
"""jobs_with_losses.py RANKPOOL [JOB...]: runs jobs while a worker is killed every two seconds, until one is left.

The result must be that of an undisturbed run. The ratio compares the time with what the remaining workers need at best: the work of
the undisturbed run, on as many cores as there are workers left.
"""

import argparse
import hashlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

INTERVAL = 2.0  # seconds between two kills
COMMAND = "i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done; echo"
JOBS = {
    "exec": ["exec", COMMAND, ":::", *map(str, range(120))],
    "primes": ["primes", "1", "2e11", "--count"],
    "sort": ["sort", "INPUT", "--type", "int64", "--output", "OUTPUT", "--force"],
    "factorials": ["factorials", *map(str, range(2_000_000, 26_000_000, 2_000_000))],
}


def is_launcher(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip() in ("mpirun", "prterun")
    except OSError:
        return False


def workers_of(mark):
    """Returns the processes of the ranks of a run, except rank 0. `mark`: a variable of its environment."""
    ranks = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        rank = [e.partition(b"=")[2] for e in environment if e.startswith(b"OMPI_COMM_WORLD_RANK=")]
        if rank and mark in environment and is_launcher(parent):
            ranks[int(entry.name)] = int(rank[0])
    return [pid for pid, rank in ranks.items() if rank > 0]


def run(command, workers, kills, folder):
    nonce = str(time.monotonic_ns())
    environment = os.environ | {"RANKPOOL_WORKERS": str(workers), "RANKPOOL_LOSS_TEST": nonce}
    begin = time.monotonic()
    losses = []
    with open(folder / "stdout", "wb") as out, open(folder / "stderr", "wb") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, env=environment)
        ended = threading.Event()

        def kill():
            left = workers - 1
            while left > 0 and not ended.wait(INTERVAL):
                alive = workers_of(f"RANKPOOL_LOSS_TEST={nonce}".encode())
                try:
                    os.kill(alive[0], signal.SIGKILL)
                except (IndexError, ProcessLookupError):
                    return  # the run is ending
                losses.append(time.monotonic() - begin)
                left -= 1

        killer = threading.Thread(target=kill)
        if kills:
            killer.start()
        status = process.wait()
        ended.set()
        taken = time.monotonic() - begin
        if kills:
            killer.join()
    return status, taken, losses, (folder / "stderr").read_text(errors="replace")


def needed(work, losses, workers, cores):
    """Returns when `work`, in seconds of a core, is done by workers that are lost at these times."""
    left, now = work, 0.0
    for n, at in enumerate([*losses, float("inf")]):
        speed = min(workers - n, cores)
        if left <= speed * (at - now):
            return now + left / speed
        left -= speed * (at - now)
        now = at
    raise AssertionError


def digest(file):
    with open(file, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rankpool")
    parser.add_argument("jobs", nargs="*", default=list(JOBS))
    parser.add_argument("--workers", type=int, default=4)
    arguments = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for job in arguments.jobs:
            words = [word.replace("INPUT", str(folder / "input")).replace("OUTPUT", str(folder / "output")) for word in JOBS[job]]
            if job == "sort":
                with open(folder / "input", "wb") as numbers:
                    for _ in range(400):
                        numbers.write(os.urandom(1 << 23))
            command = [os.path.abspath(arguments.rankpool), *words, "--quiet"]
            results, times = [], []
            for kills in (False, True):
                status, taken, losses, errors = run(command, arguments.workers, kills, folder)
                result = folder / ("output" if job == "sort" else "stdout")
                results.append((status, digest(result) if status == 0 else None))
                times.append(taken)
            ideal = needed(times[0] * min(cores, arguments.workers), losses, arguments.workers, cores)
            reported = len(re.findall("was lost: its process", errors))
            right = results[0] == results[1] and results[0][0] == 0 and reported == len(losses) > 0
            failed |= not right
            print(f"{job}: {'right' if right else 'WRONG'}, {len(losses)} of {arguments.workers} workers killed; {times[0]:.1f} s without,"
                  f" {times[1]:.1f} s with kills, {times[1] / ideal:.2f} x the time that the rest needs", flush=True)
            if not right:
                print(errors[-2000:], file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
