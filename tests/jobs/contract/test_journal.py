"""--journal: a run restores finished tasks from the journal of the same run; any other run is refused."""
import os

import pytest


def with_options(words, *options):
    return (words[0], *options, *words[1:])


@pytest.fixture(name="prepared")
def fixture_prepared(case, command):
    case.prepare(command)
    command.path("sub").mkdir()
    return case


def results_of(report):
    """Returns a report without the members whose order may differ."""
    return sorted(report.get("lines", [])), report.get("result")


def files_of(case, command):
    """Returns the names and contents of all files, except for the journal and files that contain times."""
    return {name: command.read(name) if case.run.output[0] in ("--output", "--digits") or name != case.output else b""
            for name in command.names() if command.path(name).is_file()} if case.run.output else {}


@pytest.mark.modes("inline", "ranks")
def test_again(prepared, command):
    """No task runs twice, even with another number of workers and without --verify."""
    check = ["--verify"] if "--verify" in prepared.job.options and prepared.run.verifies else []
    first = command.run(*prepared.and_options("--journal", "kept", "--json", *check)).report
    assert first["restored"] == 0 and first["tasks"] > 0
    assert not check or first["verified"]
    files = files_of(prepared, command)
    options = [] if prepared.run.verified_alike else check
    done = command.run(*prepared.and_options("--journal", "kept", "--json", *options), workers=0)
    again = done.report
    assert again["tasks"] == 0
    assert results_of(again) == results_of(first)
    assert files_of(prepared, command) == files
    assert len(done.messages) == 1 and "journal kept" in done.stderr
    assert again["restored"] > 0 or (prepared.run.output and command.path(prepared.output).exists())


def test_again_without_report(prepared, command):
    """A repeated run prints the same lines."""
    first = command.run(*prepared.and_options("--journal", "kept"))
    again = command.run(*prepared.and_options("--journal", "kept"))
    assert sorted(again.lines) == sorted(first.lines)
    assert first.stderr == "" and "journal kept" in again.stderr
    quiet = command.run(*prepared.and_options("--journal", "kept", "--quiet"))
    assert quiet.stderr == "" and sorted(quiet.lines) == sorted(first.lines)


def test_verified_later(prepared, command):
    """A run that was not verified can be verified later; it uses the results of the first."""
    if "--verify" not in prepared.job.options or not prepared.run.verifies or not prepared.run.verified_alike:
        pytest.skip("another run")
    command.run(*prepared.and_options("--journal", "kept"))
    first = command.run(*prepared.and_options("--journal", "kept", "--json")).report
    again = command.run(*prepared.and_options("--journal", "kept", "--json", "--verify")).report
    assert again["verified"]
    assert again["restored"] == first["restored"]


def test_other_words(prepared, command):
    """Options are the same run if their values are equal."""
    first = command.run(*prepared.and_options("--journal", "kept", "--json")).report
    for words in prepared.run.same:
        again = command.run(*prepared.with_words(words).and_options("--journal", "kept", "--json")).report
        assert again["tasks"] == 0
        assert results_of(again) == results_of(first)


def test_another_folder(prepared, command):
    """A relative and an absolute path of a file are the same option value."""
    if not prepared.run.files or prepared.job.name == "exec":
        pytest.skip("reads no file, or depends on the folder")
    words = prepared.and_options("--journal", "kept", "--json")
    first = command.run(*words).report
    files = {*prepared.run.files, "kept", *([prepared.output] if prepared.run.output else [])}
    again = command.run(*(f"../{word}" if word in files else word for word in words), folder="sub").report
    assert again["tasks"] == 0
    assert results_of(again)[0] == results_of(first)[0]


def test_other_output(prepared, command):
    """The run is the same with any output file."""
    if not prepared.run.output or prepared.run.output[0] == "--digits" or prepared.run.parallel or not prepared.run.prints:
        pytest.skip("the output is part of the run")
    command.run(*prepared.and_options("--journal", "kept"))
    report = command.run(*with_options(prepared.to(prepared.output), "--journal", "kept", "--json")).report
    assert report["tasks"] == 0 and command.path(prepared.output).exists()


def test_other_options(prepared, command):
    if prepared.run.other is None:
        pytest.skip("no other run is declared")
    command.run(*prepared.and_options("--journal", "kept"))
    command.fail(*prepared.with_words(prepared.run.other).and_options("--journal", "kept"), names=("kept", prepared.job.name))


def test_journal_of_another_job(prepared, command):
    other = "cubes" if prepared.job.name == "squares" else "squares"
    command.run(other, "--journal", "kept")
    command.fail(*prepared.and_options("--journal", "kept"), names=("kept", other))


def test_no_journal(prepared, command):
    """A file that is not a journal is not overwritten."""
    command.write("kept", "something else that is long enough to be looked at, and no journal")
    command.fail(*prepared.and_options("--journal", "kept"), names="kept")
    command.fail(*prepared.and_options("--journal", "no/such/folder/kept"), names="no/such/folder/kept")


def touch(path):
    """Changes the modification time."""
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))


def test_changed_input(prepared, command):
    for name in prepared.run.files:
        command.run(*prepared.repeated(command, "--journal", f"kept-{name}"))
        touch(command.path(name))
        words = prepared.repeated(command, "--journal", f"kept-{name}")
        if prepared.run.changed_input == "fails":
            command.fail(*words, names=(f"'{name}'", f"kept-{name}"))
        else:
            command.run(*words)


def test_output_is_kept(prepared, command):
    """A run replaces its own output, but not a file that was written there later."""
    if not prepared.run.output:
        pytest.skip("writes no file")
    words = with_options(prepared.to(prepared.output), "--journal", "kept")
    command.run(*words)
    usual = files_of(prepared, command)
    command.run(*words)
    assert files_of(prepared, command) == usual
    command.write(prepared.output, "precious")
    touch(command.path(prepared.output))
    done = command.start(*words).finish()
    assert done.status in (1, 2) and prepared.output in done.stderr and "--force" in done.stderr
    assert command.read(prepared.output) == b"precious"
    if prepared.run.parallel:  # the parts of the file, which the journal lists as written, are lost
        command.fail(*with_options(words, "--force"), names=(prepared.output, "journal"), status=1)
    else:
        command.run(*with_options(words, "--force"))
        assert files_of(prepared, command) == usual


def test_foreign_output(prepared, command):
    """A journal without results does not allow a run to replace a file."""
    if not prepared.run.output:
        pytest.skip("writes no file")
    command.write(prepared.output, "precious")
    words = with_options(prepared.to(prepared.output), "--journal", "kept")
    command.fail(*words, names=(prepared.output, "--force"))


@pytest.mark.only_for("primes")
def test_journal_on_full_disk(job, command, small_disk):
    """The run ends with one line, the journal is intact, and with more disk space it is resumed."""
    disk = small_disk(300 << 10)
    words = (job.name, "1", "1e7", "--list", "--chunksize", "1e5", "--journal", "small/kept", "--output", "out")
    done = command.run(*words, status=1, prefix=disk.prefix)
    assert len(done.messages) == 1 and "small/kept" in done.stderr
    assert command.names("out*") == []
    assert "intact: " in command.run("journal", "small/kept", "--verify", prefix=disk.prefix).stdout
    disk.shell("mount -o remount,size=50m small")
    command.run(*words, prefix=disk.prefix)
    assert command.read("out").endswith(b"\n9999991\n")


def test_foreign_output_before_work(prepared, command):
    """A file that no run with the journal wrote is refused before any task runs or is restored."""
    if not prepared.run.output or prepared.run.output[0] != "--output" or not prepared.run.prints or prepared.run.parallel:
        pytest.skip("the job does not print to --output")
    command.run(*prepared.and_options("--journal", "kept"))
    command.write(prepared.output, "precious")
    words = prepared.and_options("--journal", "kept", "--output", prepared.output, "--json")
    done = command.run(*words, status=2)
    assert done.report["restored"] == 0 and "--force" in done.stderr
    assert command.read(prepared.output) == b"precious"
