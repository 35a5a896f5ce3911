"""Every job explains its options, and refuses invalid command lines in one line, before any work."""
import pytest

OF_EVERY_JOB = ["--workers", "--journal", "--stop-before", "--max-failures", "--report", "--status", "--json", "--quiet", "--verbose"]


def with_value(job):
    return [option for option in job.options.values() if option.takes]


def test_help(job, command):
    done = command.run(job.name, "--help")
    assert done.stderr == ""
    assert done.lines[0] and f"rankpool {job.name} " in done.stdout
    assert [name for name in OF_EVERY_JOB if name not in job.options] == []
    assert any(line.split()[:1] == [job.name] for line in command.run("--help").lines)


def test_help_to_full_disk(job, command):
    with open("/dev/full", "wb") as full:
        done = command.run(job.name, "--help", stdout=full, status=1)
    assert "standard output" in done.stderr and len(done.messages) == 1


def test_unknown_option(job, command):
    command.fail(job.name, "--no-such-option", names=(f"rankpool {job.name}", "'--no-such-option'"))


def test_missing_value(job, command):
    for option in with_value(job):
        command.fail(job.name, option.name, names=option.name)


def test_wrong_value(job, command):
    """A value that is not a number, size, time or choice is refused."""
    for option in with_value(job):
        if option.choices or option.takes in ("NUMBER", "SIZE", "TIME"):
            command.fail(job.name, option.name, "many", names=option.name)


def test_control_characters(job, command):
    """Control characters of the command line are not printed on the terminal."""
    for option in with_value(job):
        if option.takes in ("NUMBER", "SIZE", "TIME"):
            done = command.fail(job.name, option.name, "1\x1b[31m", names=option.name)
            assert "\x1b" not in done.stderr


@pytest.mark.parametrize("option", ["--workers", "--chunksize"])
def test_none(job, option, command):
    if option not in job.options:
        pytest.skip(f"no {option}")
    command.fail(job.name, option, "0", names=option)


@pytest.mark.parametrize("number", ["0", "-1"])
def test_max_failures(job, number, command):
    command.fail(job.name, "--max-failures", number, names=("--max-failures", "from 1 to", f"'{number}'"))


def test_option_before_job(job, command):
    command.fail("--json", job.name, names="'--json'")


def test_stop_before(job, command):
    """--stop-before requires a journal and a Slurm allocation with a known end."""
    case = job.first_case
    case.prepare(command)
    command.fail(*case.and_options("--stop-before", "60s"), names=("--stop-before", "--journal"))
    command.fail(*case.and_options("--stop-before", "60s", "--journal", "kept"), names=("--stop-before", "SLURM_JOB_END_TIME"))


def test_missing_input(case, command):
    case.prepare(command)
    for name in case.run.files:
        contents = command.read(name)
        command.path(name).unlink()
        command.fail(*case.and_options(), names=name)
        command.path(name).mkdir()
        command.fail(*case.and_options(), names=name)
        command.path(name).rmdir()
        command.write(name, contents)


@pytest.mark.modes("ranks")
@pytest.mark.only_for("squares")
def test_usage_on_ranks(job, command):
    command.fail(job.name, "--to", "many", names="--to")
