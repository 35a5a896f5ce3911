"""The test data that the command itself does not provide: for each job, the runs that it is tested with. A job without an entry in
RUNS is tested without options.
"""
import dataclasses
import functools
import hashlib
import re
import shlex
import struct
import subprocess
from collections.abc import Callable


def noise(size_bytes):
    return hashlib.shake_128(b"rankpool").digest(size_bytes)


def npy(description, shape, data, order=False):
    """Returns a file in numpy's format."""
    header = f"{{'descr': '{description}', 'fortran_order': {order}, 'shape': {tuple(shape)}, }}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + f"{header:<117}\n".encode() + data


def matrix(rows, columns):
    return npy("<i8", (rows, columns), struct.pack(f"<{rows * columns}q", *(n % 19 - 9 for n in range(rows * columns))))


def picture(width, height):
    return b"P6\n%d %d\n255\n" % (width, height) + noise(3 * width * height)


@dataclasses.dataclass(frozen=True)
class Run:
    """One way to run a job.

    words           its arguments
    name            tells the runs of a job apart; the first run needs none
    files           input files by name: functions that return their contents
    output          the option that names the output file, and a name for that; none for a run that writes no file
    prints          without an output file, it prints its results
    parallel        workers write the output file, which must be a regular one
    in_place        --force lets the output replace an input
    chunks          it can be run with --chunksize, if the job has that
    verifies        it can be run with --verify, if the job has that
    verified_alike  a run with --verify is the same one, for its journal
    changed_input   what a run with a journal makes of a changed input: "fails", or "runs" what has changed
    same            arguments of runs that are the same one, for its journal
    other           arguments of a run that is another one, for its journal
    """
    words: str = ""
    name: str = ""
    files: dict[str, Callable[[], bytes]] = dataclasses.field(default_factory=dict)
    output: tuple[str, str] | None = ("--output", "out")
    prints: bool = True
    parallel: bool = False
    in_place: bool = False
    chunks: bool = True
    verifies: bool = True
    verified_alike: bool = True
    changed_input: str = "fails"
    same: tuple[str, ...] = ()
    other: str | None = None


MATRICES = {"a.npy": lambda: matrix(60, 60), "b.npy": lambda: matrix(60, 60)}
TO_NPY = {"output": ("--output", "out.npy"), "parallel": True}

RUNS = {
    "squares": [
        Run("--from -3 --to 20000", other="--from -3 --to 20001", same=("--to 2e4 --from -3 --chunksize 500",)),
        Run("", "example", same=("--from 1 --to 5",)),
    ],
    "cubes": [Run("--from -3 --to 20000", other="--from -2 --to 20000", same=("--from -3 --to 20_000",))],
    "divide": [Run("10/4 7/2", other="10/4 7/3", same=("1e1/4.0 '7 2' --strict",))],
    "is-prime": [
        Run("0 1 2 97 561 2^61-1 2^64-59 2^127-1 2^129-1 3215031751 --chunksize 1"),
        Run("--file numbers", "file", {"numbers": lambda: b"97\n98\n2^127-1\n"}, changed_input="runs",
            same=("--file ./numbers",)),
    ],
    "sum-squares": [Run("--from 5 --to 1e6 --chunksize 1e5", other="--to 1e6", same=("--to 1000000 --from 5 --chunksize 500",
                                                                                     "--to 1e6 --from 5"))],
    "sum-cubes": [Run("--to 1e6", other="--to 1e5", same=("--to 10^6 --from 1",))],
    "collatz": [Run("--to 20000", other="--to 20001", same=("--to 2e4 --chunksize 1000",))],
    "factorial": [
        Run("0 1 2 20 21 3000 200000", other="3000", same=("0 1 2 20 21 3e3 2e5",)),
        Run("3000", "digits", output=("--digits", "out")),
    ],
    "factorials": [Run("100 2000 300000", other="100 2000", same=("1e2 2e3 3e5",))],
    "fibonacci": [Run("0 1 2 93 94 50000", other="0 1 2", same=("0 1 2 93 94 5e4",))],
    "primes": [
        Run("1 1e6 --list", other="1 1e6 --count", same=("1_000_000 --list", "1 1000000 --list")),
        Run("1e12 1e12+1e8 --count", "counted", other="1e12 1e12+2e8 --count", same=("1e12 1000100000000 --count",)),
    ],
    "matmul": [
        Run("--size 50", verifies=False, other="--size 50 --seed 2", same=("--size 5e1 --seed 1 --type int64",)),
        Run("a.npy b.npy", "files", MATRICES, **TO_NPY, in_place=True, same=("./a.npy sub/../b.npy",)),
    ],
    "matadd": [
        Run("--size 50", verifies=False, other="--size 51", same=("--seed 1 --size 50",)),
        Run("a.npy b.npy", "files", MATRICES, **TO_NPY, in_place=True, same=("./a.npy sub/../b.npy",)),
    ],
    "image": [
        Run("--chunks 3 --size 5000", output=None, chunks=False, verified_alike=False, other="--chunks 4 --size 5000",
            same=("--size 5e3 --chunks 3",)),
        Run("--op box --radius 1 in.ppm", "picture", {"in.ppm": lambda: picture(60, 40)}, ("--output", "out.ppm"), prints=False,
            in_place=True, verified_alike=False, changed_input="runs", same=("./in.ppm --op box --radius 1",)),
    ],
    "sort": [
        Run("--lists 20 --seed 10", verifies=False, other="--lists 20 --seed 11", same=("--seed 1e1 --size 1000 --lists 20",)),
        Run("in --type int64 --memory 65536", "two-passes", {"in": lambda: noise(800_000)}, prints=False, parallel=True,
            in_place=True, same=("./in --type int64",)),
        Run("in --type int64", "one-pass", {"in": lambda: noise(200_000)}, prints=False, parallel=True, in_place=True),
    ],
    "exec": [
        Run("echo ::: a b c", same=("--timeout 5min --retries 3 --max-failures 2 --delay 1h --as-completed echo ::: a b c",)),
        Run("commands", "file", {"commands": lambda: b"echo 7\necho 8\n"}, changed_input="runs", same=("./commands",)),
        Run("commands", "log", {"commands": lambda: b"echo 7\n"}, output=("--log", "out"), changed_input="runs"),
        Run("commands", "results", {"commands": lambda: b"echo 7\n"}, output=("--results", "out"), changed_input="runs"),
    ],
}

LARGE_PICTURE = {"in.ppm": lambda: picture(2000, 1500)}


def many_commands():
    return b"".join(b"sleep 0.03; echo %d; echo %d >>ran\n" % (n, n) for n in range(1, 151))


# Runs that take some seconds on two cores and have many tasks, so that tests can stop them halfway.
LONG_RUNS = {
    "primes": [Run("1 3e10 --count --chunksize 1e8")],
    "factorials": [Run(" ".join(map(str, range(1_000_000, 2_200_000, 20_000))))],
    "matadd": [
        Run("a.npy a.npy --chunksize 2000", "", {"a.npy": lambda: npy("<i8", (5000, 5000), bytes(5000 * 5000 * 8))}, **TO_NPY),
    ],
    "matmul": [Run("--size 3000 --chunksize 64", **TO_NPY)],
    "sort": [Run("in --type int64 --memory 2^19", files={"in": lambda: noise(1_000_000) * 120}, prints=False, parallel=True)],
    "image": [
        Run("--op gaussian --sigma 60 in.ppm", "", LARGE_PICTURE, ("--output", "out.ppm"), prints=False),
        Run("--op gaussian --sigma 60 in.ppm --split-from 1", "split", LARGE_PICTURE, ("--output", "out.ppm"), prints=False),
    ],
    "exec": [Run("commands", "", {"commands": many_commands})],
}


def is_random_lists(lines):
    """Checks the lines that `sort` prints without options: its lists are random."""
    numbers = [re.fullmatch(r"Sorted list (\d) \(first 5 elements\): \[(\d+(?:, \d+){4})\]", line) for line in lines]
    assert len(lines) == 4 and all(numbers)
    for index, match in enumerate(numbers):
        assert match[1] == str(index)
        shown = [int(number) for number in match[2].split(", ")]
        assert shown == sorted(shown)


# Jobs whose output without options varies. It is compared with golden/JOB.txt after `normal`, or checked.
def without_times(lines):
    return [line for line in lines if not re.search("[Tt]ime", line)]


NORMAL = {"factorial": without_times, "fibonacci": sorted}
CHECKS = {"sort": is_random_lists}


def closed(descriptor):
    """Returns words before a command that close one of its standard streams: >&-, 2>&- or <&-."""
    return ("sh", "-c", f'exec "$@" {descriptor}', "sh")


def number_of(parameter):
    """Returns a value as --json prints it: a number, or a string if it may exceed 64 bits."""
    return int(parameter)


@dataclasses.dataclass(frozen=True)
class Option:
    """An option of a job in --help. `takes` is empty for a flag; `choices` is true if the value is one of several words."""
    name: str
    takes: str
    choices: bool


@dataclasses.dataclass(frozen=True)
class Job:
    name: str
    options: dict[str, Option]
    positionals: tuple[str, ...]

    @property
    def cases(self):
        with_no_options = Run(output=("--output", "out") if "--output" in self.options else None)
        return [Case(self, run) for run in RUNS.get(self.name, [with_no_options])]

    @property
    def long_cases(self):
        return [Case(self, run) for run in LONG_RUNS.get(self.name, [])]

    @property
    def first_case(self):
        return self.cases[0]


@dataclasses.dataclass(frozen=True)
class Case:
    """A run of a job in the folder of a command, with its input files."""
    job: Job
    run: Run

    @property
    def name(self):
        return self.job.name + (f"-{self.run.name}" if self.run.name else "")

    @property
    def output(self):
        return self.run.output[1]

    @property
    def words(self):
        """Returns the arguments without an output file."""
        return (self.job.name, *shlex.split(self.run.words))

    def with_words(self, words):
        """Returns the same run with other arguments."""
        return Case(self.job, dataclasses.replace(self.run, words=words))

    def to(self, name):
        """Returns the arguments with an output file of this name."""
        option = (self.run.output[0], name)
        # Options come first: for `exec`, the words from the first one on belong to the command.
        return (self.job.name, *option, *shlex.split(self.run.words))

    def and_options(self, *options, to=None):
        """Returns the arguments with some options, and with an output file if `output` is set or the run requires one."""
        name = to or (None if self.run.prints and not self.run.parallel else self.output)
        words = self.to(name) if name else self.words
        return (words[0], *options, *words[1:])

    def repeated(self, command, *options):
        """Returns the arguments for another run, which replaces the output file if there is one."""
        exists = self.run.output and command.path(self.output).exists()
        return self.and_options(*(["--force"] if exists else []), *options)

    def prepare(self, command):
        for name, contents in self.run.files.items():
            command.write(name, contents())


@functools.cache
def help_text(program, *job):
    return subprocess.run([program, *job, "--help"], capture_output=True, text=True, check=True, timeout=60).stdout


def names(program):
    """Returns the jobs that `rankpool --help` lists."""
    section = help_text(program).split("Subcommands:\n")[1].split("\n\n")[0]
    return re.findall(r"^  (\S+)", section, re.MULTILINE)


def job_named(name, program):
    text = help_text(program, name)
    options = {found[0]: Option(found[0], found[1], bool(found[2]))
               for found in re.findall(r"^  (?:-\w,)?(--[\w-]+)(?: ([A-Z_]+)\b(:\{)?)?", text, re.MULTILINE)}
    head = re.search(r"^Positionals:\n((?:  .*\n)+)", text, re.MULTILINE)
    positionals = re.findall(r"^  (\S+)", head[1], re.MULTILINE) if head else []
    return Job(name, options, tuple(positionals))
