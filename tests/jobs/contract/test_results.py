"""Every job prints the tutorial's lines with no options, inline and on ranks; its results pass its own check."""
import pathlib
import re

import pytest

import jobs
from jobs import number_of

GOLDEN = pathlib.Path(__file__).parent.parent / "golden"


def expect_example(job, lines):
    """Compares lines with golden/JOB.txt, which every job must have, unless CHECKS has a check for it."""
    if check := jobs.CHECKS.get(job.name):
        return check(lines)
    golden = GOLDEN / f"{job.name}.txt"
    assert golden.exists(), f"write the output of '{job.name}' without options to tests/jobs/golden/{job.name}.txt"
    expected = golden.read_text().splitlines()
    normal = jobs.NORMAL.get(job.name, lambda text: text)
    assert normal(lines) == normal(expected)


@pytest.mark.modes("inline", "ranks")
def test_example(job, command):
    done = command.run(job.name)
    expect_example(job, done.lines)
    assert done.stderr == ""
    assert command.names() == []


@pytest.mark.modes("ranks")
def test_example_under_mpirun(job, command):
    done = command.run(job.name, ranks=3)
    expect_example(job, done.lines)
    assert done.stderr == ""


def test_verification(case, command):
    if "--verify" not in case.job.options or not case.run.verifies:
        pytest.skip("no --verify")
    case.prepare(command)
    done = command.run(*case.and_options("--verify", "--verbose"))
    assert any(line.startswith("rankpool: verified: ") for line in done.messages)


def test_one_worker(job, command):
    case = job.first_case
    case.prepare(command)
    report = command.run(*case.and_options("--workers", "1", "--json")).report
    assert report["workers"] == 1 and report["status"] == "done"


def test_chunks(job, command):
    """The size of a task changes the number of tasks, but not the results."""
    case = job.first_case
    if "--chunksize" not in job.options or not case.run.chunks or "--chunksize" in case.words:
        pytest.skip("no choice of --chunksize")
    report = command.run(*case.and_options("--json")).report
    chunked = command.run(*case.and_options("--json", "--chunksize", "20")).report
    assert chunked["lines"] == report["lines"]
    assert number_of(chunked["parameters"]["chunksize"]) == 20


def test_max_failures(case, command):
    """A limit of failed tasks changes nothing in a run without failures."""
    case.prepare(command)
    usual = command.run(*case.and_options())
    limited = command.run(*case.repeated(command, "--max-failures", "1"))
    assert (limited.stdout, limited.stderr) == (usual.stdout, "")


def test_verbose(job, command):
    case = job.first_case
    case.prepare(command)
    done = command.run(*case.and_options("--verbose"))
    assert any("1 workers, ranks 0 to 0" in line for line in done.messages)


def test_quiet(case, command):
    case.prepare(command)
    usual = command.run(*case.and_options())
    quiet = command.run(*case.repeated(command, "--quiet"))
    assert (quiet.stdout, quiet.stderr) == (usual.stdout, "")


def test_terminal(job, command):
    """A terminal shows the same lines, once progress bars are erased."""
    case = job.first_case
    case.prepare(command)
    usual = command.run(*case.words)
    shown = re.sub(r"(\r\x1b\[K[^\r\n]*)*\r\x1b\[K", "", command.run_on_terminal(*case.words))
    assert shown.splitlines() == usual.lines
