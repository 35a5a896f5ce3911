#!/usr/bin/env python3
"""signals.py COMMAND [--moments N] [--signals NAME...] [--jobs NAME...] [--targets NAME...] [--within SECONDS]

Signals at N moments from 0 to 1 s after the start of a job, and once it is at work; to its process, to its process group, and to
both as timeout(1) sends them. At every other moment the signal is repeated five times. Prints a table with the exit statuses of
each job and target, one column for each moment, and one line for each case that is wrong:

- the exit status is 75 for a job with a journal (TERM, INT), else 128 + n after signal n. A signal that comes before
  rankpool::run() has its default action. A job that is done before the signal comes has status 0.
- when the job's process has ended, no rank and no command is left, and soon no helper process either.
- no temporary file is left, and the output file exists only if the status is 0.
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
AT_WORK = "at work"


def arguments(job):
    if "|" not in job:
        return job.split()
    head, *commands = (part.strip() for part in job.split("|"))
    return head.split() + commands


def marked(mark):
    """Returns the processes that have the mark in their environment: {pid: name of the program, for a sleep with its argument}."""
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


def is_right(run):
    if run.status in (0, -run.number):
        return True
    stops = "journal" in run.job and run.number != signal.SIGHUP
    if run.status == 128 + run.number and (run.insists or not (run.folder / "stderr").stat().st_size):  # or before run()
        return True
    return run.status == (75 if stops else 128 + run.number)


def in_words(moment):
    return moment if moment == AT_WORK else f"{moment:.2f} s"


class case:
    """A run of a job that gets one signal, or the same signal several times."""

    def __init__(self, options, scratch, job, target, name, moment, repeated):
        self.options, self.job, self.target, self.repeated = options, job, target, repeated
        self.number, self.moment = signal.Signals["SIG" + name], moment
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=scratch))
        self.mark = f"RANKPOOL_TEST_MARK={os.getpid()}-{random.getrandbits(32)}"
        self.wrong = []
        self.text = f"{job}, {name} to {target}, {in_words(moment)}{', repeated' if repeated else ''}"

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
            self.insists = sent - first > 0.3  # on a loaded machine: for more than half a second, they are two requests
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
            self.wrong.append(f"has not ended {self.options.within} s after the signal")
        elif not is_right(self):
            self.wrong.append(f"status {self.status}")
        left = [f"{pid} {name}" for pid, name in marked(self.mark).items() if name in ("rankpool", "orterun", "mpirun") or name.startswith("sleep 6")]
        if left:
            self.wrong.append("processes are left: " + ", ".join(left))
        deadline = time.monotonic() + 5
        while marked(self.mark) and time.monotonic() < deadline:  # for example, the shell that terminates exec's commands
            time.sleep(0.02)
        if others := marked(self.mark):
            self.wrong.append(f"processes are left after 5 s: {others}")
        expected = {"stderr", "tmp", "kept", "kept-wal", "kept-shm"} | ({"out"} if self.status == 0 else set())
        files = {path.name for path in self.folder.iterdir()} - expected
        if self.job == "sort-journal":  # the next run resumes it
            files = {name for name in files if ".part-" not in name}
        files |= {path.name for path in (self.folder / "tmp").rglob("*") if path.is_file()}
        if files:
            self.wrong.append(f"files are left: {', '.join(sorted(files))}")
        errors = (self.folder / "stderr").read_text(errors="replace").splitlines()
        if len(errors) > 1 or any(not line.startswith("rankpool") for line in errors):
            self.wrong.append("stderr: " + " / ".join(errors))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", type=os.path.abspath)
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--signals", nargs="+", default=["TERM", "INT", "HUP"])
    parser.add_argument("--jobs", nargs="+", default=list(JOBS))
    parser.add_argument("--targets", nargs="+", default=["process", "group", "both"])
    parser.add_argument("--within", type=float, default=3, help="seconds from the signal to the end of the process")
    options = parser.parse_args()

    moments = [i / max(1, options.moments - 1) for i in range(options.moments)] + [AT_WORK]
    slowest, wrong = 0.0, 0
    with tempfile.TemporaryDirectory() as scratch:
        (pathlib.Path(scratch) / "numbers").write_bytes(os.urandom(1 << 20) * 160)
        print("| job | target | signal |" + "".join(f" {in_words(moment)} |" for moment in moments))
        print("| --- " * (3 + len(moments)) + "|")
        for job in options.jobs:
            for target in options.targets:
                for name in options.signals:
                    cells = []
                    for i, moment in enumerate(moments):
                        one = case(options, scratch, job, target, name, moment, repeated=i % 2 == 1)
                        one.run()
                        cells.append(f" {one.status}{' WRONG' if one.wrong else ''} |")
                        slowest = max(slowest, one.seconds)
                        wrong += bool(one.wrong)
                        for text in one.wrong:
                            print(f"{one.text}: {text}", file=sys.stderr, flush=True)
                    print(f"| {job} | {target} | {name} |" + "".join(cells), flush=True)
    print(f"{wrong} cases are wrong; the slowest ended {slowest:.2f} s after the last signal")
    return 1 if wrong else 0


sys.exit(main())
