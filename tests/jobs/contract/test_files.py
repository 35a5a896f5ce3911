"""An output file gets its final name only when it is complete, and replaces an existing file only with --force.

Most tests are about every option of every job that names an output file.
"""
import os

import pytest


@pytest.fixture(name="written")
def fixture_written(case, command):
    """Prepares a case that writes a file."""
    if not case.run.output:
        pytest.skip("writes no file")
    case.prepare(command)
    return case


def forced(words):
    return (words[0], "--force", *words[1:])


def with_options(words, *options):
    return (words[0], *options, *words[1:])


def expect_only(case, command, *names):
    """Checks that the folder has only the inputs and these files."""
    assert command.names() == sorted({*case.run.files, *names})


def test_output(written, command):
    done = command.run(*written.to(written.output))
    assert done.stderr == ""
    expect_only(written, command, written.output)
    if written.run.output[0] == "--output" and written.run.prints and not written.run.parallel:
        assert command.read(written.output).decode() == command.run(*written.words).stdout
        assert done.stdout == ""


def test_existing_output(written, command):
    command.write(written.output, "precious")
    command.fail(*written.to(written.output), names=(f"{written.run.output[0]} {written.output}", "--force"))


def test_force(written, command):
    command.run(*written.to(written.output))
    usual = command.read(written.output)
    command.write(written.output, "precious")
    command.run(*forced(written.to(written.output)))
    if written.run.output[0] in ("--log", "--results"):  # these files contain times
        assert command.read(written.output) != b"precious"
    else:
        assert command.read(written.output) == usual
    expect_only(written, command, written.output)


def test_missing_folder(written, command):
    command.fail(*written.to(f"no/{written.output}"), names=f"{written.run.output[0]} no/{written.output}")
    command.fail(*written.to(f"/proc/no/{written.output}"), names=f"/proc/no/{written.output}")


def test_file_for_folder(written, command):
    command.write("file", "precious")
    command.fail(*written.to(f"file/{written.output}"), names=f"file/{written.output}")


def test_control_characters_in_name(written, command):
    done = command.fail(*written.to(f"no\x1b[31m/{written.output}"), names=written.run.output[0])
    assert "\x1b" not in done.stderr


def test_folder_for_file(written, command):
    if written.job.options[written.run.output[0]].takes != "FILE":
        pytest.skip("takes a folder")
    command.path(written.output).mkdir()
    command.fail(*written.to(written.output), names=written.output)
    command.fail(*forced(written.to(written.output)), names=written.output)


def test_empty_name(written, command):
    if written.run.output[0] != "--output":
        pytest.skip("no --output")
    command.fail(*written.to(""), names="--output")


def test_symbolic_link(written, command):
    """The target of a symbolic link is replaced, and the link is kept."""
    command.path("sub").mkdir()
    command.path(written.output).symlink_to(f"sub/{written.output}")
    command.run(*written.to(written.output))
    assert command.path(written.output).is_symlink() and command.path(f"sub/{written.output}").is_file()
    command.fail(*written.to(written.output), names=written.output)
    command.run(*forced(written.to(written.output)))
    assert command.path(written.output).is_symlink()


def test_stdout_by_name(written, command):
    if not written.run.prints or written.run.output[0] != "--output":
        pytest.skip("does not print")
    usual = command.run(*written.words)
    for name in ("-", "/dev/stdout"):
        done = command.run(*written.to(name))
        assert (done.stdout, done.stderr) == (usual.stdout, "")
        report = command.run(*with_options(written.to(name), "--json")).report
        assert report["lines"] == usual.lines
    expect_only(written, command)


def test_pipe(written, command):
    """A FIFO is written directly, unless workers write the output in parallel."""
    os.mkfifo(command.path(written.output))
    if written.run.parallel:
        command.fail(*forced(written.to(written.output)), names=(written.output, "regular file"))
        return
    with command.beside(f"exec cat {written.output} >received"):
        command.run(*written.to(written.output))
    received = command.read("received")
    assert command.path(written.output).is_fifo()
    command.path(written.output).unlink()
    command.run(*written.to(written.output))
    assert received
    if written.run.output[0] in ("--output", "--digits"):
        assert received == command.read(written.output)


def test_devices(written, command):
    if written.run.parallel:
        command.fail(*written.to(f"/dev/{written.output}"), names=f"/dev/{written.output}")
        return
    command.run(*written.to("/dev/null"))
    done = command.run(*written.to("/dev/full"), status=1)
    assert "/dev/full" in done.stderr and len(done.messages) == 1
    expect_only(written, command)


# --- An input is not overwritten -------------------------------------------------------------------------------------

def make_names(command, name):
    """Creates other names of a file: a symbolic link to it, and one to its folder."""
    command.path("elsewhere").mkdir()
    command.path(f"elsewhere/{name}").symlink_to(f"../{name}")
    command.path("same").symlink_to(".")
    return [name, f"elsewhere/{name}", f"same/{name}"]


def test_input_as_output(written, command):
    """Only --force lets a result replace an input, and never with a journal: a resumed run reads its input again."""
    for name in list(written.run.files)[:1]:
        for other in make_names(command, name):
            words = forced(written.to(other))
            if written.run.in_place:
                words = with_options(words, "--journal", "kept")
            command.fail(*words, names=(written.run.output[0], other, name, "same file"))


@pytest.mark.modes("inline", "ranks")
def test_input_replaced(written, command):
    """--force replaces an input through a symbolic link, which is kept. A hard link keeps the old contents."""
    if not written.run.in_place:
        pytest.skip("never")
    name = next(iter(written.run.files))
    command.run(*written.to(written.output), workers=0)
    usual, before = command.read(written.output), command.read(name)
    names = make_names(command, name)
    os.link(command.path(name), command.path("hard"))
    command.run(*forced(written.to(names[1])))
    assert command.read(name) == usual
    assert command.read("hard") == before
    assert command.path(names[1]).is_symlink()


def test_hard_link(written, command):
    """An output that is a hard link of an input is replaced; the input keeps its contents."""
    if not written.run.files:
        pytest.skip("reads no file")
    name = next(iter(written.run.files))
    link = written.output  # the extension may select the format
    before = command.read(name)
    os.link(command.path(name), command.path(link))
    command.run(*forced(written.to(link)))
    assert command.read(name) == before != command.read(link)


@pytest.mark.only_for("is-prime", "divide", "exec")
def test_stdin_as_output(job, command):
    """A file that is stdin cannot be the output."""
    command.write("list", "echo 7\n" if job.name == "exec" else "8/2\n")
    with open(command.path("list"), "rb") as stdin:
        words = (job.name, "--output", "list", "--force", *([] if job.name == "exec" else ["-"]))
        command.fail(*words, names=("list", "standard input"), stdin=stdin)


@pytest.mark.only_for("is-prime-file", "exec-file")
def test_input_as_stdout(written, command):
    """A job must not append results to its own input: it would read them as input, endlessly."""
    name = next(iter(written.run.files))
    before = command.read(name)
    with open(command.path(name), "ab") as stdout:
        done = command.run(*written.words, stdout=stdout, status=2)
    assert "standard output" in done.stderr and name in done.stderr
    assert command.read(name) == before


def test_journal_as_output(written, command):
    words = with_options(written.to(written.output), "--force", "--journal", written.output)
    command.fail(*words, names=("--journal", written.output))


# --- A full disk -----------------------------------------------------------------------------------------------------

@pytest.fixture(name="half_disk")
def fixture_half_disk(written, command, small_disk):
    """Returns a disk for half of the output, or, for a small output, a disk of one page that is full."""
    command.run(*written.to(written.output))
    size = command.path(written.output).stat().st_size
    command.path(written.output).unlink()
    disk = small_disk(max(size // 2 // 4096, 1) * 4096)
    if size < 8192:
        disk.fill()
    return disk


def expect_full(written, command, disk, **how):
    output = f"small/{written.output}"
    before = disk.names()
    done = command.run(*written.to(output), status=1, prefix=disk.prefix, **how)
    assert len(done.messages) == 1 and f"cannot write {output}" in done.stderr and "No space left" in done.stderr
    assert disk.names() == before


@pytest.mark.ranks_for("sort-two-passes", "image-picture", "matmul-files")
def test_full_disk(written, command, half_disk):
    expect_full(written, command, half_disk)
    half_disk.shell("rm -f small/filler; mount -o remount,size=50m small")
    command.run(*written.to(f"small/{written.output}"), prefix=half_disk.prefix)
    assert half_disk.names() == [written.output]


@pytest.fixture(name="failing_files")
def fixture_failing_files(pytestconfig):
    if not (library := pytestconfig.getoption("--failing-files")):
        pytest.skip("no library can be preloaded")
    return {"LD_PRELOAD": os.path.abspath(library)}


@pytest.mark.ranks_for("sort-two-passes")
def test_late_full_disk(written, command, half_disk, failing_files):
    """A full disk is also reported on a file system that cannot reserve space."""
    expect_full(written, command, half_disk, environment=failing_files | {"NO_RESERVING": "1"})


def test_late_error(written, command, failing_files):
    """An error of close() is reported for every written file; such errors occur on network file systems."""
    for number in range(1, 100):
        words = written.to(written.output)
        done = command.start(*words, environment=failing_files | {"FAILING_CLOSE": str(number)}).finish()
        if not command.path("failed-close").exists():
            break
        assert done.status == 1
        assert len(done.messages) == 1 and f"cannot write {written.output}" in done.stderr and "Input/output error" in done.stderr
        command.path("failed-close").unlink()
        expect_only(written, command)
    assert done.status == 0 and number > 1
