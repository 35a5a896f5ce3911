"""Tests matmul and matadd on files: results, refused files, and whether numpy reads the results."""
import struct
import subprocess

import pytest

import jobs


def zeros(description, shape, size_bytes, order=False):
    return jobs.npy(description, shape, bytes(size_bytes), order)


def whole_numbers(*numbers):
    return struct.pack(f"<{len(numbers)}q", *numbers)


def numbers_of(command, name):
    """Returns the numbers of an int64 file in C order."""
    data = command.read(name)[128:]
    return list(struct.unpack(f"<{len(data) // 8}q", data))


def write_pair(command):
    """Writes [1 2; 3 4] in C order and [5 6; 7 8] in Fortran order."""
    command.write("a.npy", jobs.npy("<i8", (2, 2), whole_numbers(1, 2, 3, 4)))
    command.write("b.npy", jobs.npy("<i8", (2, 2), whole_numbers(5, 7, 6, 8), order=True))


@pytest.mark.modes("inline", "ranks")
def test_files(command):
    write_pair(command)
    command.run("matmul", "a.npy", "b.npy", "--output", "product.npy", "--verify")
    assert numbers_of(command, "product.npy") == [19, 22, 43, 50]
    command.run("matadd", "a.npy", "b.npy", "--output", "sum.npy", "--verify")
    assert numbers_of(command, "sum.npy") == [6, 8, 10, 12]
    command.run("matadd", "sum.npy", "sum.npy", "--output", "sum.npy", "--force", "--chunksize", "1")
    assert numbers_of(command, "sum.npy") == [12, 16, 20, 24]


def test_result_replaces_second_input(command):
    write_pair(command)
    command.path("link.npy").symlink_to("b.npy")
    command.fail("matmul", "a.npy", "b.npy", "--output", "link.npy", "--force", "--journal", "kept", names="same file")
    command.run("matmul", "a.npy", "b.npy", "--output", "link.npy", "--force", "--verify")
    assert numbers_of(command, "b.npy") == [19, 22, 43, 50] and command.path("link.npy").is_symlink()


def test_text_does_not_replace_numbers(command):
    write_pair(command)
    command.path("text").symlink_to("a.npy")
    command.fail("matadd", "a.npy", "b.npy", "--output", "text", "--force", names=("--output text", "A a.npy", "same file"))


def test_empty_rows(command):
    command.write("a.npy", zeros("<f8", (2, 0), 0))
    command.write("b.npy", zeros("<f8", (0, 3), 0))
    assert command.run("matmul", "a.npy", "b.npy").lines[1:] == ["[0.0, 0.0, 0.0]", "[0.0, 0.0, 0.0]"]
    assert command.run("matadd", "a.npy", "a.npy").lines[1:] == ["[]", "[]"]


def test_single_rows(command):
    """The printed lines do not depend on the size of tiles."""
    whole = command.run("matmul", "--size", "20", "--seed", "5").stdout
    command.run("matmul", "--size", "20", "--seed", "5", "--chunksize", "1", "--output", "lines")
    assert command.read("lines").decode() == whole


BAD = {
    "short.npy": zeros("<f8", (2, 3), 47),
    "long.npy": zeros("<f8", (2, 3), 49),
    "vector.npy": zeros("<f8", (6,), 48),
    "big_endian.npy": zeros(">f8", (2, 3), 48),
    "complex.npy": zeros("<c16", (2, 3), 96),
    "endless.npy": zeros("<f8", (4294967296, 4294967296), 0),
    "text.npy": b"text\n",
    "empty.npy": b"",
}


@pytest.mark.parametrize("name", ["matmul", "matadd"])
@pytest.mark.parametrize("bad", [*BAD, "absent.npy"])
def test_bad_file(name, bad, command):
    command.write("good.npy", zeros("<f8", (2, 3), 48))
    if bad in BAD:
        command.write(bad, BAD[bad])
    command.fail(name, "good.npy", bad, "--output", "out.npy", names=bad)
    command.fail(name, bad, "good.npy", "--output", "out.npy", names=bad)


def test_files_that_do_not_fit(command):
    command.write("good.npy", zeros("<f8", (2, 3), 48))
    command.write("other.npy", zeros("<f4", (2, 3), 24))
    command.write("tall.npy", zeros("<f8", (3, 2), 48))
    command.fail("matadd", "good.npy", "other.npy", "--output", "out.npy", names=("good.npy", "other.npy", "types"))
    command.fail("matadd", "good.npy", "tall.npy", "--output", "out.npy", names=("good.npy", "tall.npy", "shapes"))
    command.fail("matmul", "good.npy", "good.npy", "--output", "out.npy", names=("good.npy", "2 x 3", "rows"))
    command.fail("matmul", "tall.npy", "other.npy", "--output", "out.npy", names=("tall.npy", "types"))


def test_verification_takes_little_memory(command, pytestconfig):
    """Verification uses bounded memory; 16 numbers for every row of B would take 256 MiB."""
    if not pytestconfig.getoption("--failing-files"):
        pytest.skip("a sanitizer takes more memory")
    command.write("row.npy", zeros("<i4", (1, 2097152), 8388608))
    command.write("column.npy", zeros("<i4", (2097152, 1), 8388608))
    command.write("one.npy", zeros("<i4", (1, 1), 4))
    limited = ("prlimit", f"--data={200_000 << 10}", "--")
    command.run("matmul", "row.npy", "column.npy", "--output", "out.npy", "--verify", prefix=limited)
    command.run("matmul", "column.npy", "one.npy", "--output", "out.npy", "--force", "--verify", prefix=limited)


TYPES = ("int32", "int64", "float32", "float64")

WRITE = """
import numpy as np
random = np.random.default_rng(1)
for t in ("int32", "int64", "float32", "float64"):
    for order in "CF":
        whole = lambda: random.integers(np.iinfo(t).min, np.iinfo(t).max, (70, 70), dtype=t)
        m = whole() if t[0] == "i" else random.standard_normal((70, 70)).astype(t)
        with open(f"{t}{order}.npy", "wb") as f:
            np.lib.format.write_array(f, np.asarray(m, order=order), version=(1, 0) if order == "C" else (2, 0))
"""
COMPARE = """
import numpy as np
for t in ("int32", "int64", "float32", "float64"):
    for x in "CF":
        for y in "CF":
            a, b = np.load(f"{t}{x}.npy"), np.load(f"{t}{y}.npy")
            product, sum = np.load(f"{t}{x}{y}-product.npy"), np.load(f"{t}{x}{y}-sum.npy")
            assert product.dtype == sum.dtype == a.dtype, (t, x, y)
            assert np.array_equal(sum, a + b), (t, x, y)
            close = np.allclose(product, a @ b, rtol=1e-4, atol=1e-4) if t[0] == "f" else np.array_equal(product, a @ b)
            assert close, (t, x, y)
"""


def test_numpy(command):
    """numpy reads the written files, and the job reads numpy's files."""
    def numpy(script):
        subprocess.run(["/usr/bin/python3", "-c", script], cwd=command.folder, check=True, timeout=command.seconds)

    if subprocess.run(["/usr/bin/python3", "-c", "import numpy"], capture_output=True, check=False).returncode != 0:
        pytest.skip("numpy is not installed")
    numpy(WRITE)
    for kind in TYPES:
        for orders in ("CC", "CF", "FC", "FF"):
            inputs = [f"{kind}{order}.npy" for order in orders]
            command.run("matmul", *inputs, "--output", f"{kind}{orders}-product.npy")
            command.run("matadd", *inputs, "--output", f"{kind}{orders}-sum.npy")
    numpy(COMPARE)
