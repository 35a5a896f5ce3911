"""A closed, full or broken stdout or stdin is an error, and never mistaken for a working stream."""
import os
import subprocess

import pytest

from jobs import closed


def expect_lost(done):
    assert "standard output" in done.stderr and len(done.messages) == 1


@pytest.mark.ranks_for("squares", "exec")
def test_full_stdout(case, command):
    if not case.run.prints:
        pytest.skip("prints nothing")
    case.prepare(command)
    for options in ((), ("--json",)):
        with open("/dev/full", "wb") as full:
            expect_lost(command.run(case.words[0], *options, *case.words[1:], stdout=full, status=1))


@pytest.mark.ranks_for("squares", "exec")
def test_closed_stdout(case, command):
    if not case.run.prints:
        pytest.skip("prints nothing")
    case.prepare(command)
    for options in ((), ("--json",)):
        expect_lost(command.run(case.words[0], *options, *case.words[1:], prefix=closed(">&-"), status=1))


@pytest.mark.ranks_for("squares", "exec")
def test_closed_pipe(case, command):
    """A job ends like a shell command that SIGPIPE terminated."""
    if not case.run.prints:
        pytest.skip("prints nothing")
    case.prepare(command)
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        done = command.run(*case.words, stdout=write_end, status=141)
    finally:
        os.close(write_end)
    assert len(done.messages) <= 1


@pytest.mark.only_for("squares")
@pytest.mark.modes("inline", "ranks")
def test_reader_goes_away(case, command):
    """The reader closes the pipe after the first bytes."""
    read_end, write_end = os.pipe()
    running = command.start(case.job.name, "--to", "1e9", stdout=write_end)
    os.close(write_end)
    assert os.read(read_end, 13) == b"Square of 1: "
    os.close(read_end)
    assert running.finish().status == 141


def test_closed_stderr(case, command):
    case.prepare(command)
    usual = command.run(*case.and_options())
    done = command.run(*case.repeated(command), prefix=closed("2>&-"))
    assert done.stdout == usual.stdout


def test_closed_stdin(case, command):
    """A closed stdin does not affect a job that does not read it."""
    case.prepare(command)
    usual = command.run(*case.and_options())
    done = command.run(*case.repeated(command), prefix=closed("<&-"))
    assert (done.stdout, done.stderr) == (usual.stdout, usual.stderr)


@pytest.mark.only_for("is-prime", "divide", "exec")
@pytest.mark.modes("inline", "ranks")
def test_closed_stdin_is_not_empty(job, command):
    words = ("exec",) if job.name == "exec" else (job.name, "-")
    command.fail(*words, names="standard input", prefix=closed("<&-"))
    command.run(*words, stdin=subprocess.DEVNULL)
