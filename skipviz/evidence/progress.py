"""How far a measurement is, told in parts."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TypeVar

Found = TypeVar("Found")


def part(
    steps: Generator[float, None, Found] | Iterator[float], start: float, end: float
) -> Generator[tuple[float, None], None, Found]:
    """Yield, as rows that are still missing, how far a part of a measurement is that goes from `start` to `end`, both 0…1, while
    `steps` says how far it is itself; return what `steps` returns."""
    while True:
        try:
            done = next(steps)
        except StopIteration as ended:
            return ended.value
        yield start + (end - start) * done, None
