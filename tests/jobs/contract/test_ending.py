"""Runs that are stopped, terminated or killed in the middle, and what they show while they run.

jobs.LONG_RUNS has the runs. Each way to write results is tested with one job: text, numbers that workers write, pictures.
"""
import collections
import hashlib
import signal
import shutil
import sqlite3
import time

import pytest


def with_options(words, *options):
    return (words[0], *options, *words[1:])


def arguments(case, *options):
    return with_options(case.to(case.output), *options)


def results_of(report):
    return report.get("lines"), {name: value for name, value in report.get("result", {}).items() if name != "output"}


def digest(command, name):
    return hashlib.sha256(command.read(name)).hexdigest() if command.path(name).exists() else None


# --- Stopped and resumed ---------------------------------------------------------------------------------------------

def expect_resumed(case, command, words, expected):
    """The next run restores the finished tasks, computes the rest, and has the results of an uninterrupted run."""
    resumed = command.run(*words)
    assert resumed.report["restored"] > 0 and resumed.report["tasks"] > 0
    assert results_of(resumed.report) == results_of(expected[0])
    assert digest(command, case.output) == expected[1]
    return resumed


whole_runs = {}


def whole_run(case, command):
    """Returns the report and the output file of a run without a journal; computed once for all tests."""
    if case.name not in whole_runs:
        options = ("--output", f"whole-{case.output}") if case.run.output and (case.run.parallel or not case.run.prints) else ()
        report = command.run(*with_options(case.words, "--json", *options)).report
        whole_runs[case.name] = report, digest(command, f"whole-{case.output}")
        for name in ("ran", f"whole-{case.output}"):
            command.path(name).unlink(missing_ok=True)
    return whole_runs[case.name]


def journal_is_sound(command):
    """Checks a copy of the journal with SQLite's integrity check."""
    for suffix in ("", "-wal"):
        if command.path(f"kept{suffix}").exists():
            shutil.copy(command.path(f"kept{suffix}"), command.base / f"copy{suffix}")
    with sqlite3.connect(command.base / "copy") as database:
        return database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def options_of(case):
    """Returns options for results in a file if workers write them, otherwise in the report."""
    return arguments(case, "--json", "--journal", "kept") if case.run.parallel or not case.run.prints \
        else with_options(case.words, "--json", "--journal", "kept")


@pytest.mark.modes("ranks")
@pytest.mark.only_for("primes", "factorials", "sort", "matadd", "exec")
def test_stopped_and_resumed(long, command):
    long.prepare(command)
    expected = whole_run(long, command)
    words = options_of(long)
    running = command.start(*words)
    running.stop_at_results(signal.SIGTERM)
    stopped = running.finish()
    assert stopped.status == 75
    assert stopped.report["status"] == "stopped" and stopped.report["error"]
    assert len(stopped.messages) == 1 and "stopped early" in stopped.stderr
    expect_resumed(long, command, words, expected)
    if command.path("ran").exists():  # the stopped run waits for running tasks
        times = collections.Counter(command.read("ran").splitlines())
        assert set(times.values()) == {1}


@pytest.mark.modes("ranks")
@pytest.mark.only_for("primes", "sort", "exec")
def test_killed_and_resumed(long, command):
    """A killed run may lose the results of its last second. The first kill comes right after the journal is created."""
    long.prepare(command)
    expected = whole_run(long, command)
    words = options_of(long)
    running = command.start(*words)
    running.wait_for_file("kept-wal")
    running.kill()
    running = command.start(*words)
    running.stop_at_results(signal.SIGKILL)
    running.kill()
    assert journal_is_sound(command)
    assert not command.path(long.output).exists()
    expect_resumed(long, command, words, expected)
    assert command.names("*.part-*") == []


@pytest.mark.modes("ranks")
@pytest.mark.only_for("primes")
def test_end_of_allocation(long, command):
    """With --stop-before, the run stops early by itself before its allocation ends."""
    words = long.and_options("--journal", "kept", "--stop-before", "1min")
    done = command.run(*words, status=75, environment={"SLURM_JOB_END_TIME": str(int(time.time()) + 61)})
    assert "stopped early: time limit reached" in done.stderr and len(done.messages) == 1


# --- Terminated and killed while a file is written -------------------------------------------------------------------

@pytest.mark.modes("inline", "ranks")
@pytest.mark.only_for("sort", "matmul", "image", "image-split", "exec")
def test_terminated(long, command):
    """A terminated run leaves no temporary file and no file with the final name."""
    long.prepare(command)
    running = command.start(*arguments(long))
    running.wait_for_file(f"{long.output}.part-*")
    running.send(signal.SIGTERM)
    assert running.finish().status == 143
    assert command.names(f"{long.output}*") == []


@pytest.mark.modes("inline", "ranks")
@pytest.mark.only_for("sort", "matmul", "image", "image-split", "exec")
def test_killed(long, command):
    """A killed run leaves no file with the final name, and its temporary files do not disturb the next run."""
    long.prepare(command)
    running = command.start(*arguments(long))
    running.wait_for_file(f"{long.output}.part-*")
    running.kill()
    assert not command.path(long.output).exists()
    case = next(case for case in long.job.cases if case.run.output == long.run.output)
    case.prepare(command)
    command.run(*case.to(case.output))
    assert command.path(long.output).exists()


# --- Progress --------------------------------------------------------------------------------------------------------

WAITS_FOR_GO = "until [ -e go ]; do sleep 0.05; done"


@pytest.mark.modes("inline", "ranks")
@pytest.mark.only_for("exec")
def test_progress_on_terminal(job, command):
    """A terminal shows a progress bar, which is erased before results are printed."""
    shown = command.run_on_terminal(job.name, ":::", f"{WAITS_FOR_GO}; echo gone", until="] 0 of 1 done",
                                    then=lambda: command.write("go", ""))
    assert shown.endswith("\x1b[Kgone\r\n")


@pytest.mark.only_for("exec")
def test_progress_in_file(job, command):
    """Progress in a file consists of lines without control characters."""
    running = command.start(job.name, ":::", WAITS_FOR_GO)
    running.wait_until(lambda: (running.streams / "stderr").stat().st_size > 0, "a line of progress")
    command.write("go", "")
    done = running.finish()
    assert done.status == 0
    assert len(done.messages) == 1 and done.stderr.startswith("rankpool exec: 0 of 1 done") and done.stderr.endswith("\n")
    assert done.stderr[:-1].isprintable()


@pytest.mark.only_for("exec")
def test_quiet_on_terminal(job, command):
    """--quiet shows no progress bar, even after the second for which it would be delayed."""
    shown = command.run_on_terminal(job.name, "--quiet", ":::", "sleep 1.5; echo done")
    assert shown == "done\r\n"
