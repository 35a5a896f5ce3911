"""Tests sorting files of numbers, inline and on ranks, against Python's sort."""
import os
import pathlib
import signal
import struct

import pytest

import jobs

FORMATS = {"int64": "q", "int32": "i"}


def sorted_numbers(data, kind):
    count = len(data) // struct.calcsize(FORMATS[kind])
    form = f"<{count}{FORMATS[kind]}"
    return struct.pack(form, *sorted(struct.unpack(form, data)))


def sort(command, *arguments):
    """Sorts a file, and checks that nothing is printed."""
    done = command.run("sort", *arguments)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.modes("inline", "ranks")
@pytest.mark.parametrize("kind, size_bytes", [("int64", 1_600_000), ("int32", 400_004)])
def test_numbers(kind, size_bytes, command):
    command.write("in", jobs.noise(size_bytes))
    sort(command, "in", "--type", kind, "--output", "out", "--verify")
    assert command.read("out") == sorted_numbers(command.read("in"), kind)


@pytest.mark.modes("inline", "ranks")
def test_more_than_memory(command):
    command.write("in", jobs.noise(1_600_000))
    sort(command, "in", "--type", "int64", "--output", "out", "--memory", "2^16", "--verify")
    assert command.read("out") == sorted_numbers(command.read("in"), "int64")
    done = command.run("sort", "in", "--type", "int64", "--output", "again", "--memory", "2^16", "--verbose")
    assert "in two passes" in done.stderr
    assert command.read("again") == command.read("out")


def test_npy(command):
    """The output has numpy's format."""
    numbers = [5, -1, 0, -(2**63), 5]
    command.write("in.npy", jobs.npy("<i8", (5,), struct.pack("<5q", *numbers)))
    sort(command, "in.npy", "--output", "out.npy", "--verify")
    assert command.read("out.npy") == jobs.npy("<i8", (5,), struct.pack("<5q", *sorted(numbers)))


@pytest.mark.modes("inline", "ranks")
def test_nothing(command):
    command.write("in.npy", jobs.npy("<f8", (0,), b""))
    sort(command, "in.npy", "--output", "out.npy", "--verify")
    assert command.read("out.npy") == command.read("in.npy")
    command.write("in", b"")
    sort(command, "in", "--type", "float32", "--output", "out", "--verify")
    assert command.read("out") == b""


RAW = jobs.noise(4000)
NPY_HEADERS = {
    "good.npy": ("<i8", (500,)),
    "matrix.npy": ("<i8", (5, 100)),
    "short.npy": ("<i8", (501,)),
    "long.npy": ("<i8", (499,)),
    "big_endian.npy": (">i8", (500,)),
    "complex.npy": ("<c16", (250,)),
}
BAD = [
    ("missing --output out", "missing: No such file"),
    ("folder --output out", "folder"),
    ("pipe --type int64 --output out", "pipe"),
    ("raw --output out", "--type"),
    ("odd --type int64 --output out", "4001 bytes"),
    ("good.npy --type int64 --output out", "good.npy is a .npy file"),
    ("matrix.npy --output out", "5 x 100"),
    ("short.npy --output out", "short.npy"),
    ("long.npy --output out", "long.npy"),
    ("big_endian.npy --output out", ">i8"),
    ("complex.npy --output out", "<c16"),
    ("good.npy", "--output"),
    ("good.npy --output absent/out", "absent/out"),
    ("good.npy --output folder", "folder"),
    ("good.npy --output /dev/null", "/dev/null"),
    ("raw --type int16 --output out", "--type"),
    ("good.npy --output out --memory 1000", "--memory"),
    ("good.npy --output out --lists 3", "--lists"),
    ("--verify", "--verify"),
]


@pytest.mark.parametrize("words, names", BAD, ids=[words for words, _ in BAD])
def test_bad_input(words, names, command):
    command.write("raw", RAW)
    command.write("odd", RAW + b"x")
    for name, header in NPY_HEADERS.items():
        command.write(name, jobs.npy(*header, RAW))
    command.path("folder").mkdir()
    os.mkfifo(command.path("pipe"))
    command.fail("sort", *words.split(), names=names)


def is_running(pid):
    status = pathlib.Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.modes("ranks")
@pytest.mark.parametrize("signals", [(signal.SIGTERM, signal.SIGTERM), (signal.SIGKILL,)], ids=["terminated", "killed"])
def test_launcher_gone(signals, command):
    """The user's mpirun exits before its ranks, at the second SIGTERM (as from timeout(1)) or because it is killed."""
    command.write("in", jobs.noise(1_000_000) * 60)
    while True:  # repeats until the signals come before the end of the job
        running = command.start("sort", "in", "--type", "int64", "--output", "out", "--memory", "2^20", "--quiet", ranks=3,
                                # it leaves its files, too
                                environment={"OMPI_MCA_btl_vader_backing_directory": str(command.base / "tmp")})
        part = running.wait_for_file("out*")
        for number in signals:
            running.send(number)
        running.finish()
        if not command.path("out").exists() and ".part-" in part.name:
            break
        command.path("out").unlink(missing_ok=True)
    rank_0 = int(part.name.rpartition("-")[2])
    running.wait_after_end(lambda: not is_running(rank_0), "rank 0 has ended")
    assert not part.exists()
