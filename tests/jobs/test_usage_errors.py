"""Tests invalid command lines of single jobs: exit status 2, and one line that names the error. contract/test_usage.py tests
errors that all jobs have in common.
"""
import pathlib
import shlex

import pytest

HERE = pathlib.Path(__file__).resolve()

# A command line, and the words that the message must contain.
ERRORS = [
    # Numbers
    ("squares --from 2 --to 1", ("--to", "--from", "2", "1")),
    ("squares --from 10", ("--to", "--from", "10", "5")),
    ("squares --to 1.5", ("--to", "1.5")),
    ("primes 10 1", ("to", "from", "10", "1")),
    ("primes 1 2^64", ("to", "2^64")),
    ("primes --count --list", ("--count", "--list")),
    ("divide abc", ("'abc'",)),
    ("divide 10/", ("'10/'",)),
    ("divide --chunksize 2", ("--chunksize",)),
    ("is-prime --file /no/such/file", ("/no/such/file",)),
    ("is-prime --file /", ("--file /", "folder")),
    ("factorial --verify", ("--verify",)),
    ("factorial --workers 1", ("--workers",)),
    ("factorial 10 --output x --digits x", ("--digits x", "--output x", "same file")),
    (f"squares --output {HERE}/x", (f"{HERE.name}", "Not a directory")),
    # Sort
    ("sort x --output y --chunksize 2", ("--chunksize",)),
    ("sort /sys/kernel/rcu_expedited --type int64 --output x", ("rcu_expedited",)),
    # Matrices
    ("matmul a.npy", ("two matrices",)),
    ("matmul a.npy b.npy --size 3", ("--size",)),
    ("matmul --type float32", ("--type",)),
    ("matmul --size 3 --type complex", ("--type",)),
    ("matmul --size 3 --verify", ("--output FILE.npy",)),
    ("matmul --seed 4", ("--seed",)),
    ("matadd --output c.npy", (".npy",)),
    # Pictures
    ("image --radius 3", ("--radius",)),
    ("image --output kept --journal kept", ("same file",)),
    # Commands
    ("exec no/such/file", ("FILE no/such/file", "No such file")),
    ("exec /", ("FILE /", "folder")),
    ("exec --", ("--",)),
    ("exec echo ::: a :::+ b", ("':::+'",)),
    ("exec echo {1} {3.} ::: a ::: b", ("{3.}", "3", "2")),
    ("exec -- echo {2}", ("{2}", "2", "1")),
    ("exec --null echo ::: a", ("--null", "FILE", "':::'")),
    ("exec --colsep , /dev/null", ("--colsep", "COMMAND")),
    ("exec --colsep x* echo {1} ::: a", ("--colsep 'x*'",)),
    ("exec --colsep ( echo {1} ::: a", ("--colsep '('",)),
    ("exec --colsep '\\q' echo {1} ::: a", ("--colsep", "escape")),
    ("exec --delay soon ::: a", ("--delay", "'soon'")),
    ("exec --max-failures 0 ::: a", ("--max-failures",)),
    ("exec --max-failures 2 --halt-on-error ::: a", ("--max-failures", "--halt-on-error")),
    ("exec --timeout -1 ::: a", ("--timeout",)),
    ("exec --timeout soon ::: a", ("--timeout",)),
    ("exec --log x --results x ::: a", ("--results x", "--log x", "same file")),
    ("exec --output /proc/no/x ::: a", ("--output /proc/no/x",)),
]


@pytest.mark.parametrize("line, names", ERRORS, ids=[line.replace(str(HERE), HERE.name) for line, _ in ERRORS])
def test_usage_error(line, names, command):
    command.fail(*shlex.split(line), names=names)
