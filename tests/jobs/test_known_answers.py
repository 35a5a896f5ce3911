"""Known answers for difficult cases: empty input, one and two; the limits of 32 and 64 bits; pseudoprimes to many bases."""
import pathlib
import shlex

import pytest

EXPECTED = pathlib.Path(__file__).parent / "expected"


def lines_of(name):
    return (EXPECTED / name).read_text().splitlines()


ANSWERS = [
    ("primes 2^32-200 2^32+200 --list", lines_of("primes-across-2^32.txt")),
    ("primes 0 1 --count", ["0"]),
    ("primes 0 --count", ["0"]),
    ("primes 100 --count", ["25"]),
    (f"is-prime --file '{EXPECTED}/is-prime-numbers.txt'", lines_of("is-prime.txt")),
    ("is-prime 0 1 -7", [f"{n} neither prime nor composite" for n in (0, 1, -7)]),
    (f"is-prime --fast --file '{EXPECTED}/is-prime-numbers.txt'", lines_of("is-prime-fast.txt")),
    # Primes of up to 300 digits are proven, unless --fast is given.
    ("is-prime 1e299+669 1e300+331 2^1279-1",
     ["1e299+669 prime", *(f"{n} probably prime (error < 4^-20)" for n in ("1e300+331", "2^1279-1"))]),
    ("is-prime --fast --rounds 7 2^89-1 2^61-1 2^83-1",
     ["2^89-1 probably prime (error < 4^-7)", "2^61-1 prime", "2^83-1 composite"]),
    ("fibonacci 0 1 2 93 94", lines_of("fibonacci.txt")),
    ("sum-squares --from 0 --to 0", ["Total sum of squares: 0"]),
    ("sum-squares --from 1e19 --to 1e19", ["Total sum of squares: 100000000000000000000000000000000000000"]),
    ("sum-cubes --to 1e6", ["Total sum of cubes: 250000500000250000000000"]),
    ("squares --from -9e18 --to -9e18", ["Square of -9000000000000000000: 81000000000000000000000000000000000000"]),
    ("squares --from 2 --to 2", ["Square of 2: 4"]),
]


@pytest.mark.modes("inline", "ranks")
@pytest.mark.parametrize("line, lines", ANSWERS, ids=[line.split("'")[0] for line, _ in ANSWERS])
def test_known_answer(line, lines, command):
    assert sorted(command.run(*shlex.split(line)).lines) == sorted(lines)


@pytest.mark.modes("inline", "ranks")
def test_factorial_of_0(command):
    assert command.run("factorial", "0").stdout.startswith("0!: 1 digit")


def test_primes_up_to_2_64(command):
    """The sieve first computes all primes below 2^32."""
    assert command.run("primes", "2^64-200", "2^64-1", "--list").lines == lines_of("primes-up-to-2^64.txt")


@pytest.mark.modes("ranks")
def test_primes_at_10_18(command):
    """The sieve first computes all primes below 10^9."""
    assert command.run("primes", "1e18", "1e18+1e6", "--count", "--chunksize", "600_000").stdout == "24280\n"


def test_verified_primes_at_10_18(command):
    """One task counts primes, and another verifies the end of its segment."""
    report = command.run("primes", "1e18", "1e18+1e6", "--count", "--verify", "--json").report
    assert report["result"]["count"] == 24280
    assert "primality test finds" in report["verified"] and report["tasks"] == 2


def test_verified_list_of_primes_at_10_18(command):
    done = command.run("primes", "1e18", "1e18+1e6", "--list", "--verify", "--verbose")
    assert len(done.lines) == 24280 and "verified: " in done.stderr


def test_verified_stretches_of_primes(command):
    report = command.run("primes", "1e6", "1e6+1259999", "--count", "--verify", "--chunksize", "20000", "--json").report
    assert "among 1260000 numbers, at the end of 63 segments" in report["verified"] and report["tasks"] == 126


def test_count_of_primes_is_known(command):
    report = command.run("primes", "1", "1e5", "--count", "--verify", "--json").report
    assert report["result"] == {"count": 9592} and "for this power of ten" in report["verified"]
