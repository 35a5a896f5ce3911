#!/usr/bin/env python3
"""signals.py COMMAND [--moments N] [--signals NAME...] [--jobs NAME...] [--targets NAME...] [--within SECONDS]

Tests how a job ends after a signal. A test sends the signal at one of N moments, from 0 to 1 s after the start of the job, or when
the job has started its work. The target is the job's process, its process group, or both, as timeout(1) does. Every second test
sends the signal five times. The program prints a table of exit statuses, with a row for each job, target and signal and a column
for each moment. It prints a line for each failed check:

- The exit status is 75 for a job with a journal after TERM or INT, and otherwise 128 + n after signal n. A signal that arrives
  before rankpool::run() has its default action. A job that ends before the signal has status 0.
- When the job's process has ended, no rank and no command is left. Five seconds later, no helper process is left.
- No temporary file is left. The output file exists only if the status is 0.
"""
import argparse
import contextlib
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

JOBS = {
    "plain": "primes 1 1e12 --count --quiet",
    "journal": "primes 1 1e12 --count --quiet --journal kept --chunksize 1e8",
    "sort": "sort ../numbers --type int64 --output out --memory 2^19 --quiet",
    "sort-journal": "sort ../numbers --type int64 --output out --memory 2^19 --quiet --journal kept",
    "exec": "exec --quiet ::: | sleep 61 | sleep 62 | sleep 63",
}
REPEATED = 5
AT_WORK = "working"


def arguments(job):
    if "|" not in job:
        return job.split()
    head, *commands = (part.strip() for part in job.split("|"))
    return head.split() + commands


def marked(mark):
    """Returns the processes with this mark in their environment: {pid: name of the program}. The name of a sleep has its argument."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                name = os.path.basename(os.readlink(folder / "exe"))
                words = (folder / "cmdline").read_bytes().decode().split("\0")
                found[int(folder.name)] = name if name != "sleep" else " ".join(words[:2])
        except OSError:
            pass
    return found


def is_at_work(run):
    if run.job == "plain":
        return list(marked(run.mark).values()).count("rankpool") == 4  # the process and three ranks
    if run.job == "exec":
        return "sleep 61" in marked(run.mark).values()
    return any(run.folder.glob("kept-wal" if run.job == "journal" else "out.part-*"))


def send(process, target, number):
    try:
        if target in ("process", "both"):
            os.kill(process.pid, number)
        if target in ("group", "both"):
            os.killpg(process.pid, number)
        if target == "both":
            os.killpg(process.pid, signal.SIGCONT)
    except ProcessLookupError:
        pass  # the process has ended


def has_expected_status(run):
    if run.status in (0, -run.number):
        return True
    stops = "journal" in run.job and run.number != signal.SIGHUP
    has_no_message = (run.folder / "stderr").stat().st_size == 0  # the signal arrived before rankpool::run()
    if run.status == 128 + run.number and (run.counts_twice or has_no_message):
        return True
    return run.status == (75 if stops else 128 + run.number)


def text_of(moment):
    return moment if moment == AT_WORK else f"{moment:.2f} s"


class Case:
    """One test: a run of a job that receives a signal once or several times."""

    def __init__(self, options, scratch, job, target, name, moment, repeated):
        self.options, self.job, self.target, self.repeated = options, job, target, repeated
        self.number, self.moment = signal.Signals["SIG" + name], moment
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=scratch))
        self.mark = f"RANKPOOL_TEST_MARK={os.getpid()}-{random.getrandbits(32)}"
        self.problems = []
        self.text = f"{job}, {name} to {target}, {text_of(moment)}{', repeated' if repeated else ''}"

    def run(self):
        temporary = self.folder / "tmp"
        temporary.mkdir()
        key, value = self.mark.split("=")
        environment = os.environ | {"RANKPOOL_WORKERS": "2", "TMPDIR": str(temporary), key: value}
        with open(self.folder / "stderr", "wb") as errors:
            started = time.monotonic()
            process = subprocess.Popen([self.options.command, *arguments(JOBS[self.job])], cwd=self.folder, env=environment,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True)
            if self.moment == AT_WORK:
                deadline = started + 60
                while not is_at_work(self) and process.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.01)
            else:
                time.sleep(max(0, started + self.moment - time.monotonic()))
            first = time.monotonic()
            for repetition in range(REPEATED if self.repeated else 1):
                if repetition > 0:
                    time.sleep(0.02)
                send(process, self.target, self.number)
            sent = time.monotonic()
            self.counts_twice = sent - first > 0.3  # rankpool may count the last signal as a second request: it waits 0.5 s
            try:
                self.status = process.wait(self.options.within)
            except subprocess.TimeoutExpired:
                self.status = None
            self.seconds = time.monotonic() - sent
        self.check()
        for pid in marked(self.mark):
            with contextlib.suppress(ProcessLookupError):  # another signal has ended it
                os.kill(pid, signal.SIGKILL)
        process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def check(self):
        if self.status is None:
            self.problems.append(f"the process has not ended within {self.options.within} s of the signal")
        elif not has_expected_status(self):
            self.problems.append(f"status {self.status}")
        programs = ("rankpool", "orterun", "mpirun", "sleep 61", "sleep 62", "sleep 63")
        left = [f"{pid} {name}" for pid, name in marked(self.mark).items() if name in programs]
        if left:
            self.problems.append("processes are left: " + ", ".join(left))
        deadline = time.monotonic() + 5
        while marked(self.mark) and time.monotonic() < deadline:  # such as the shell that terminates the commands of exec
            time.sleep(0.02)
        if others := marked(self.mark):
            self.problems.append(f"processes are left after 5 s: {others}")
        expected = {"stderr", "tmp", "kept", "kept-wal", "kept-shm", "kept-journal"} | ({"out"} if self.status == 0 else set())
        files = {path.name for path in self.folder.iterdir()} - expected
        if self.job == "sort-journal":  # the next run resumes it
            files = {name for name in files if ".part-" not in name}
        files |= {path.name for path in (self.folder / "tmp").rglob("*") if path.is_file()}
        if files:
            self.problems.append(f"files are left: {', '.join(sorted(files))}")
        errors = (self.folder / "stderr").read_text(errors="replace").splitlines()
        if len(errors) > 1 or any(not line.startswith("rankpool") for line in errors):
            self.problems.append("stderr: " + " / ".join(errors))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", type=os.path.abspath)
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--signals", nargs="+", default=["TERM", "INT", "HUP"])
    parser.add_argument("--jobs", nargs="+", default=list(JOBS))
    parser.add_argument("--targets", nargs="+", default=["process", "group", "both"])
    parser.add_argument("--within", type=float, default=3, help="seconds from the signal to the end of the process")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it in background jobs, and jobs would inherit that

    moments = [i / max(1, options.moments - 1) for i in range(options.moments)] + [AT_WORK]
    slowest, failed = 0.0, 0
    with tempfile.TemporaryDirectory() as scratch:
        (pathlib.Path(scratch) / "numbers").write_bytes(os.urandom(1 << 20) * 160)
        print("| job | target | signal |" + "".join(f" {text_of(moment)} |" for moment in moments))
        print("| --- " * (3 + len(moments)) + "|")
        for job in options.jobs:
            for target in options.targets:
                for name in options.signals:
                    cells = []
                    for i, moment in enumerate(moments):
                        one = Case(options, scratch, job, target, name, moment, repeated=i % 2 == 1)
                        one.run()
                        cells.append(f" {one.status}{' FAILED' if one.problems else ''} |")
                        slowest = max(slowest, one.seconds)
                        failed += bool(one.problems)
                        for text in one.problems:
                            print(f"{one.text}: {text}", file=sys.stderr, flush=True)
                    print(f"| {job} | {target} | {name} |" + "".join(cells), flush=True)
    print(f"{failed} tests failed; the slowest run ended {slowest:.2f} s after its last signal")
    return 1 if failed else 0


sys.exit(main())
