import pathlib
import subprocess

from row import Row

N = 4096   # rows and columns of the product
M = 16384  # rows and columns of the sum: 2 GiB for each matrix
NUMPY = "/usr/bin/python3"

ADD = """
import sys, numpy as np
a, b = (np.load(name, mmap_mode="r") for name in sys.argv[1:3])
c = np.lib.format.open_memmap(sys.argv[3], mode="w+", dtype=a.dtype, shape=a.shape)
np.add(a, b, out=c)
c.flush()
"""

MAKE = """
import sys, numpy as np
n, random = int(sys.argv[1]), np.random.default_rng(1)
for name in sys.argv[2:]:
    m = np.lib.format.open_memmap(name, mode="w+", dtype="f8", shape=(n, n))
    for i in range(0, n, 256):
        m[i:i + 256] = random.random((256, n)) - 0.5
    m.flush()
"""

COMPARE = """
import sys, numpy as np
a, b, c = (np.load(name, mmap_mode="r") for name in sys.argv[2:5])
for i in (0, len(a) // 3, len(a) - 1):
    rows = slice(i, i + 16)
    expected = a[rows] @ b if sys.argv[1] == "matmul" else a[rows] + b[rows]
    assert np.allclose(expected, c[rows], rtol=0, atol=1e-10 if sys.argv[1] == "matmul" else 0), f"rows from {i} differ"
"""


def numpy(folder: pathlib.Path, program: str, *arguments: str):
    subprocess.run([NUMPY, "-c", program, *arguments], cwd=folder, check=True)


def inputs(size):
    return lambda folder: numpy(folder, MAKE, str(size), "a.npy", "b.npy")


def same_as_numpy(job):
    def check(folder):
        numpy(folder, COMPARE, job, "a.npy", "b.npy", "own.npy")
        return "bands of rows with numpy"
    return check


ROWS = [
    Row(job="matmul", size=f"{N} x {N} float64, files", own=["matmul", "a.npy", "b.npy", "--output", "own.npy"],
        peer_name="OpenBLAS alone, 2 threads", peer=["PEERS/openblas_gemm", "a.npy", "b.npy", "peer.npy", "2"], max_ratio=1 / 0.9,
        prepare=inputs(N), check=same_as_numpy("matmul"), packages=("python3-numpy",), fresh=("own.npy", "peer.npy")),
    Row(job="matadd", size="2 x 2 GiB float64, files", own=["matadd", "a.npy", "b.npy", "--output", "own.npy"],
        peer_name="numpy's memmap", peer=[NUMPY, "-c", ADD, "a.npy", "b.npy", "peer.npy"], max_ratio=1 / 0.9,
        prepare=inputs(M), check=same_as_numpy("matadd"), packages=("python3-numpy",), fresh=("own.npy", "peer.npy")),
]
