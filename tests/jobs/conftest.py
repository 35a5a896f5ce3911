"""Fixtures of the tests of the command `rankpool`, and which jobs and modes they are run for.

A test has the fixture `command`, a command.Command in a new folder. It is run inline, unless it is marked:

    @pytest.mark.modes("inline", "ranks")   in one process and with two workers, each in its own run of pytest
    @pytest.mark.ranks_for("sort", ...)     inline for all jobs, and on ranks for these
    @pytest.mark.only_for("sort", ...)      for these jobs only: what is tested is the same for all

A test of the contract has one of these parameters:

    job     each job that `rankpool --help` lists, as jobs.Job
    case    each run of each job that jobs.py declares, as jobs.Case
    long    the long run of each job that has one, as jobs.Case
"""
import os

import pytest

import command as running
import jobs


def pytest_addoption(parser):
    parser.addoption("--command", required=True, metavar="FILE", help="the program rankpool")
    parser.addoption("--mode", default="inline", choices=["inline", "ranks"])
    parser.addoption("--job", action="append", help="only this job")
    parser.addoption("--mpirun", default="mpirun")
    parser.addoption("--failing-files", help="the library failing_files, to be preloaded")
    parser.addoption("--crashing-decoder", help="the library crashing_decoder, to be preloaded")
    parser.addoption("--slowdown", type=int, default=1, help="the factor for limits of time")


def pytest_configure(config):
    config.addinivalue_line("markers", "modes(*modes): inline or ranks, or both")
    config.addinivalue_line("markers", "ranks_for(*jobs): on ranks for these jobs or cases only")
    config.addinivalue_line("markers", "only_for(*jobs): for these jobs or cases only")


def pytest_generate_tests(metafunc):
    parameters = {
        "job": lambda job: [job],
        "case": lambda job: job.cases,
        "long": lambda job: job.long_cases,
    }
    program, chosen = metafunc.config.getoption("--command"), metafunc.config.getoption("--job")
    for name in parameters.keys() & set(metafunc.fixturenames):
        declared = [jobs.job_named(job, program) for job in jobs.names(program) if not chosen or job in chosen]
        metafunc.parametrize(name, [value for job in declared for value in parameters[name](job)], ids=lambda value: value.name)


def pytest_collection_modifyitems(config, items):
    mode = config.getoption("--mode")

    def is_for(item, marker):
        """Returns whether the test's marker, if any, includes its job or case."""
        mark = item.get_closest_marker(marker)
        return mark is None or next(iter(item.callspec.params.values())).name in mark.args

    def is_chosen(item):
        default = ("inline", "ranks") if item.get_closest_marker("ranks_for") else ("inline",)
        modes = item.get_closest_marker("modes")
        return (mode in (modes.args if modes else default) and is_for(item, "only_for") and
                (mode == "inline" or is_for(item, "ranks_for")))

    config.hook.pytest_deselected(items=[item for item in items if not is_chosen(item)])
    items[:] = filter(is_chosen, items)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    if report.failed and "command" in getattr(item, "funcargs", {}):
        report.sections.append(("what was run", "".join(item.funcargs["command"].record)))


@pytest.fixture(name="small_disk")
def fixture_small_disk(command):
    """Returns a function that creates a command.SmallDisk with the given number of bytes."""
    disks = []

    def make(size_bytes):
        disks.append(running.SmallDisk(command, size_bytes))
        if not disks[-1].is_mounted:
            pytest.skip("no file system can be mounted here")
        return disks[-1]

    yield make
    for disk in disks:
        disk.remove()


@pytest.fixture(name="command")
def fixture_command(pytestconfig):
    inline = pytestconfig.getoption("--mode") == "inline"
    command = running.Command(os.path.abspath(pytestconfig.getoption("--command")), pytestconfig.getoption("--mpirun"),
                              "0" if inline else "2", 60 * pytestconfig.getoption("--slowdown"))
    yield command
    command.remove()
