import subprocess

from row import Row

N = 10_000_000


def all_lines(folder):
    lines = int(subprocess.run(["wc", "-l", folder / "stdout"], capture_output=True, text=True, check=True).stdout.split()[0])
    if lines != N:
        raise RuntimeError(f"the output has {lines} lines, expected {N}")
    return f"{N:,} lines"


ROWS = [Row(job=job, size="10^7 numbers, printed", own=[job, "--to", str(N)], peer_name="ProcessPoolExecutor.map, chunksize 1024",
            peer=["/usr/bin/python3", "SOURCES/process_pool.py", job, str(N)], max_ratio=1 / 20, check=all_lines, packages=("python3",))
        for job in ("squares", "cubes")]
