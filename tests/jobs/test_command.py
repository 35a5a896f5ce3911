"""Tests the command itself, without a job or with an unknown one, and the command `journal` as far as it behaves like a job."""
import json

import pytest

import jobs
from jobs import closed


def test_help(command):
    done = command.run("--help")
    assert done.stderr == ""
    listed = [line.split()[0] for line in done.lines if line.startswith("  ")]
    assert "squares" in listed and "journal" in listed and "--version" in listed


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("journal", "--help")], ids=" ".join)
def test_lost_answer(words, command):
    with open("/dev/full", "wb") as full:
        done = command.run(*words, stdout=full, status=1)
    assert "standard output" in done.stderr and len(done.messages) == 1
    done = command.run(*words, prefix=closed(">&-"), status=1)
    assert "standard output" in done.stderr and len(done.messages) == 1


@pytest.mark.parametrize("words, name", [(("no-such-job",), "'no-such-job'"), (("--json",), "'--json'"), ((), "--help")],
                         ids=["unknown", "option", "none"])
def test_no_job(words, name, command):
    command.fail(*words, names=name)


def test_version(command):
    assert command.run("--version").stdout.startswith("rankpool ")


def test_export_over_journal(command):
    """An export must not replace the journal that it reads."""
    command.run("squares", "--journal", "kept")
    command.fail("journal", "kept", "--export", "kept", "--force", names=("--export kept", "same file"))


def test_every_job_is_declared(command):
    """jobs.py has no entry for an unknown job."""
    known = set(jobs.names(command.program))
    assert {*jobs.RUNS, *jobs.LONG_RUNS, *jobs.NORMAL, *jobs.CHECKS} <= known


@pytest.mark.modes("ranks")
def test_no_more_tasks_after_an_error(command):
    """A job whose output fails ends without the tasks that have not started."""
    numbers = [str(n) for n in range(2_000_000, 2_000_060)]
    with open("/dev/full", "wb") as full:
        command.run("fibonacci", "30", *numbers, "--journal", "kept", stdout=full, status=1)
    finished = command.run("journal", "kept", "--json", "--slowest", "0").report["calls"]
    assert sum(call["chunks"] for call in finished) < len(numbers)


@pytest.mark.modes("inline", "ranks")
def test_verbose_names_the_effect_of_a_lost_worker(command, pytestconfig):
    inline = pytestconfig.getoption("--mode") == "inline"
    effect = "the run ends" if inline else "its tasks run again on others"
    assert f"rankpool: if a worker is lost, {effect}" in command.run("squares", "--verbose").messages
    if not inline:
        done = command.run("squares", "--verbose", prefix=("mpirun", "--oversubscribe", "-n", "2"))
        assert "rankpool: if a worker is lost, the run ends" in done.messages


@pytest.mark.modes("inline", "ranks")
def test_trace_names_the_tasks(command):
    command.run("squares", "--to", "1000", "--trace", "run.json")
    slices = [event for event in json.loads(command.read("run.json")) if event["ph"] == "X"]
    assert any("square_lines" in event["name"] and event["args"]["tasks"] > 0 for event in slices)
    command.fail("squares", "--trace", "run.json", names=("--trace run.json", "exists already"))
    command.run("squares", "--trace", "run.json", "--force")
    assert json.loads(command.read("run.json"))
    command.fail("squares", "--trace", "same", "--output", "same", names=("--trace", "--output"))
    command.fail("squares", "--trace", "kept", "--journal", "kept", names=("--trace", "--journal"))


@pytest.mark.modes("ranks")
def test_workers_are_started(command):
    """--workers decides in place of RANKPOOL_WORKERS; 0 there runs everything in one process."""
    assert command.run("squares", "--workers", "1", "--json", workers=3).report["workers"] == 1
    assert command.run("squares", "-j", "3", "--json", workers=1).report["workers"] == 3
    assert command.run("squares", "-j", "3", "--json", workers="00").report["workers"] == 1
    command.fail("squares", "-j", "200000", names="--workers")
