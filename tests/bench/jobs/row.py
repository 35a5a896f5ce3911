"""A row of the table: a job at scale and its peer, the best single-purpose tool for the same work."""
import pathlib
from collections.abc import Callable
from dataclasses import dataclass


def nothing(folder: pathlib.Path):
    """The default for rows without input or without a check."""


@dataclass
class Row:
    job: str
    size: str  # the work, in words
    own: list[str]  # arguments of `rankpool`
    peer_name: str
    peer: list[str]  # a command; "PEERS/name" is a program built from peers/, "SOURCES/name" a file in peers/
    max_ratio: float  # highest allowed ratio of the job's time to the peer's
    prepare: Callable[[pathlib.Path], None] = nothing  # creates the input, in the folder in which both run
    check: Callable[[pathlib.Path], str | None] = nothing  # after the job's first run: returns what it checked, or raises
    workers: int = 2
    packages: tuple[str, ...] = ()  # Debian packages that the peer needs
    peer_scale: float = 1  # factor for the peer's time, if the peer does only part of the work
    note: str = ""
    fresh: tuple[str, ...] = ()  # outputs to remove before each run
