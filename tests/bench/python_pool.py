"""Measures the pools of Python, ProcessPoolExecutor and MPIPoolExecutor. Prints `key value` lines as pool_bench does.

  python3 python_pool.py processes MODE [ARGS]
  mpirun -n 3 --oversubscribe --bind-to none python3 -m mpi4py.futures python_pool.py mpi4py MODE [ARGS]

MODE: throughput N | map N CHUNKSIZE | latency N | grain MICROSECONDS N | mixed N SEED | echo MIB REPEATS

The environment variable WORKERS sets the number of workers; the default is 2.
"""
import os
import random
import statistics
import sys
import time


# ---- tasks; at module level, because workers import them by name

def null(x):
    return x


def spin(microseconds):
    end = time.perf_counter_ns() + int(microseconds * 1000)
    while time.perf_counter_ns() < end:
        pass
    return microseconds


def identity(data):
    return data


# ---- modes

def throughput(pool, n):
    begin = time.perf_counter()
    futures = [pool.submit(null, i) for i in range(n)]
    total = sum(f.result() for f in futures)
    print("submit_tasks_per_s", n / (time.perf_counter() - begin))
    assert total == n * (n - 1) // 2


def map_items(pool, n, chunksize):
    begin = time.perf_counter()
    total = sum(pool.map(null, range(n), chunksize=chunksize))
    print("map_items_per_s", n / (time.perf_counter() - begin))
    assert total == n * (n - 1) // 2


def latency(pool, n):
    samples = []
    for _ in range(n):
        begin = time.perf_counter()
        pool.submit(null, 1).result()
        samples.append((time.perf_counter() - begin) * 1e6)
    samples.sort()
    print("latency_us_p50", samples[n // 2])
    print("latency_us_p99", samples[n * 99 // 100])


def run_all(pool, lengths):
    begin = time.perf_counter()
    for f in [pool.submit(spin, us) for us in lengths]:
        f.result()
    return time.perf_counter() - begin


def grain(pool, workers, us, n):
    print("efficiency", n * us / 1e6 / workers / run_all(pool, [us] * n))


def mixed(pool, workers, n, seed):
    lengths = [10 ** (5 * (i + 0.5) / n) for i in range(n)]
    random.Random(seed).shuffle(lengths)
    print("over_ideal", run_all(pool, lengths) / (sum(lengths) / 1e6 / workers))


def echo(pool, mib, repeats):
    import numpy
    data = numpy.arange(mib << 17, dtype=numpy.float64)
    seconds = []
    for repeat in range(repeats + 1):
        begin = time.perf_counter()
        back = pool.submit(identity, data).result()
        if repeat > 0:  # the first repetition allocates the pages
            seconds.append(time.perf_counter() - begin)
        assert back[-1] == data[-1]
    print("echo_GBps", 2 * data.nbytes / statistics.median(seconds) / 1e9)


def make_pool(kind, workers):
    if kind == "processes":
        from concurrent.futures import ProcessPoolExecutor
        return ProcessPoolExecutor(max_workers=workers)
    from mpi4py.futures import MPIPoolExecutor
    return MPIPoolExecutor(max_workers=workers)


def main():
    kind, mode, *args = sys.argv[1:]
    workers = int(os.environ.get("WORKERS", "2"))
    with make_pool(kind, workers) as pool:
        list(pool.map(null, range(64)))  # start every worker
        if mode == "throughput":
            throughput(pool, int(args[0]))
        elif mode == "map":
            map_items(pool, int(args[0]), int(args[1]))
        elif mode == "latency":
            latency(pool, int(args[0]))
        elif mode == "grain":
            grain(pool, workers, float(args[0]), int(args[1]))
        elif mode == "mixed":
            mixed(pool, workers, int(args[0]), int(args[1]))
        elif mode == "echo":
            echo(pool, int(args[0]), int(args[1]))
        else:
            sys.exit(f"unknown mode '{mode}'")


if __name__ == "__main__":
    main()
