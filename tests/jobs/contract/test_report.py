"""--json prints one object: the job, all parameters, the results, how the run ended, and what it cost."""
import json
import re

import pytest

from jobs import number_of

# Options that affect how results are computed, displayed and stored; they are not parameters of the results.
NO_PARAMETERS = {"help", "json", "quiet", "verbose", "journal", "stop-before", "isolate", "task-timeout", "trace", "report", "status"}
COSTS = {"wall_seconds", "cpu_seconds", "tasks", "restored", "workers", "workers_lost", "tasks_lost"}


def expect_parameters(case, parameters):
    expected = {name.removeprefix("--") for name in case.job.options} | set(case.job.positionals)
    hidden = NO_PARAMETERS if case.job.name == "exec" else NO_PARAMETERS | {"retries"}  # exec retries commands
    assert set(parameters) - {"arguments"} == expected - hidden
    for name, option in case.job.options.items():
        if not option.takes and name.removeprefix("--") in parameters:
            assert parameters[name.removeprefix("--")] in (True, False)


def expect_costs(report):
    assert COSTS <= set(report)
    assert report["wall_seconds"] >= 0 and report["cpu_seconds"] >= 0
    assert all(isinstance(report[name], int) and report[name] >= 0 for name in ("tasks", "restored", "workers", "workers_lost", "tasks_lost"))


def test_done(case, command):
    case.prepare(command)
    usual = command.run(*case.and_options())
    done = command.run(*case.repeated(command, "--json"))
    report = done.report
    assert done.stderr == ""
    assert report["job"] == case.job.name
    expect_parameters(case, report["parameters"])
    assert report["status"] == "done" and "error" not in report
    expect_costs(report)
    assert report["tasks"] > 0 and report["restored"] == 0 and report["workers"] == 1
    assert report.get("lines", []) == usual.lines
    assert usual.lines or report["result"]


def test_descriptions(case, command):
    """The file of --status has the end of the run, and that of --report a page about it. Neither changes its results."""
    case.prepare(command)
    usual = command.run(*case.and_options())
    done = command.run(*case.repeated(command, "--status", "state", "--report", "page.html"))
    assert (done.stdout, done.stderr) == (usual.stdout, usual.stderr)
    written = json.loads(command.read("state"))
    assert written["state"] == "done" and written["job"] == case.job.name and written["done"] > 0
    assert written["total"] is None or written["done"] == written["total"]
    tasks = sum(worker["tasks"] for worker in written["workers"])
    assert b"<b>%d</b><span>finished tasks</span>" % tasks in command.read("page.html").replace(b",", b"")


def test_example(job, command):
    """Without options, the parameters are the defaults."""
    report = command.run(job.name, "--json").report
    expect_parameters(job.first_case, report["parameters"])
    assert report["parameters"]["workers"] is None
    assert report["parameters"]["force"] is False
    assert report["parameters"]["output"] is None


def test_given_parameters(job, command):
    case = job.first_case
    case.prepare(command)
    report = command.run(*case.and_options("--workers", "1", "--json")).report
    assert number_of(report["parameters"]["workers"]) == 1


def test_failed(case, command):
    """If a result cannot be written, the object is still complete."""
    if not case.run.output or case.run.parallel or not case.run.prints:
        pytest.skip("the output must be a regular file")
    case.prepare(command)
    words = case.to("/dev/full")
    done = command.run(words[0], "--json", *words[1:], status=1)
    report = done.report
    assert report["status"] == "failed" and "/dev/full" in report["error"]
    expect_parameters(case, report["parameters"])
    expect_costs(report)
    assert len(done.messages) == 1 and "/dev/full" in done.stderr


def test_stopped(case, command):
    """A run that is stopped before its first task reports it. Its allocation has already ended."""
    case.prepare(command)
    words = case.and_options("--json", "--journal", "kept")
    done = command.run(*words, status=75, environment={"SLURM_JOB_END_TIME": "1000000000"})
    report = done.report
    assert report["status"] == "stopped" and report["error"]
    expect_parameters(case, report["parameters"])
    expect_costs(report)
    assert len(done.messages) == 1 and re.search("stopped early", done.stderr)
    assert [name for name in command.names() if ".part-" not in name or not case.run.parallel] == sorted(case.run.files)
    assert command.run(*words).report["status"] == "done"
