from row import Row

NUMBERS = 100_000_000


def prepare(folder):
    import os

    import numpy
    numpy.random.default_rng(1).integers(-2**63, 2**63 - 1, NUMBERS, dtype=numpy.int64).tofile(folder / "numbers")
    os.sync()


def check(folder):
    import numpy
    expected = numpy.sort(numpy.fromfile(folder / "numbers", dtype=numpy.int64))
    if not numpy.array_equal(expected, numpy.fromfile(folder / "sorted", dtype=numpy.int64)):
        raise RuntimeError("the output differs from numpy.sort of the input")
    return "numpy.sort"


ROWS = [Row(job="sort", size="10^8 int64, 800 MB, file to file", own=["sort", "numbers", "--type", "int64", "--output", "sorted"],
            peer_name="one core: read, std::sort, write", peer=["PEERS/std_sort", "numbers", "sorted_by_peer"], max_ratio=0.6,
            prepare=prepare, check=check, fresh=("sorted", "sorted_by_peer"), packages=("python3-numpy",),
            note="the job writes its output to the disk; the peer's output stays in the page cache")]
