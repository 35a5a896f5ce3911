"""With --isolate, every job gives the same results, and its usage is checked in the same way."""
import pytest


@pytest.mark.ranks_for("primes", "exec", "sort-two-passes", "image-picture", "matmul-files")
def test_same_results(case, command):
    """The runner processes print nothing of their own and leave nothing."""
    case.prepare(command)
    usual = command.run(*case.and_options("--quiet"))
    written = command.read(case.output) if case.run.output and command.path(case.output).is_file() else None
    isolated = command.run(*case.repeated(command, "--quiet", "--isolate", "--task-timeout", "10min"))
    assert (isolated.stdout, isolated.stderr) == (usual.stdout, "")
    if written is not None:
        assert command.read(case.output) == written


def test_needs_isolation(job, command):
    options = ["--task-timeout"] if job.name == "exec" else ["--task-timeout", "--retries"]  # exec retries commands
    for option in options:
        done = command.run(job.name, option, "1", status=2)
        assert done.stdout == "" and option in done.stderr and "--isolate" in done.stderr
