"""What a row of the table is: a job at scale beside the best single-purpose tool for the same work."""
import pathlib
from collections.abc import Callable
from dataclasses import dataclass


def nothing(folder: pathlib.Path):
    """Needs no input, or has nothing to check."""


@dataclass
class Row:
    job: str
    size: str  # in words
    own: list[str]  # arguments of `rankpool`
    peer_name: str
    peer: list[str]  # a command; "PEERS/name" is a program built of peers/, "SOURCES/name" a file there
    bar: float  # own time at most this many times the peer's
    prepare: Callable[[pathlib.Path], None] = nothing  # makes the input, in the folder that both run in
    check: Callable[[pathlib.Path], str | None] = nothing  # after both have run: says what was right, raises if something is not
    workers: int = 2
    packages: tuple[str, ...] = ()  # Debian's, for the peer
    peer_scale: float = 1  # where the peer does only part of the work: what its time is multiplied by
    note: str = ""
    fresh: tuple[str, ...] = ()  # outputs to remove before each run
