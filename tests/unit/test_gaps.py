"""A child of a warm process whose heaps have no gaps copies few of its pages."""

import os
import sys

import pytest

from skipviz.engine import gaps

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what a process holds of its own is read as Linux tells it")

LAID, KEPT_BETWEEN = 40_000, 40
"""Things that are laid side by side, and after how many of them one goes."""


def private_kb() -> int:
    with open("/proc/self/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_"))


def copied_kb(size: int, count: int) -> int:
    """Return by how much a forked child grows that makes so many things."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            private_kb()
            before = private_kb()
            things = [bytes(size) for _ in range(count)]
            os.write(writing, str(private_kb() - before).encode())
            del things
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        found = int(pipe.read())
    os.waitpid(child, 0)
    return found


def test_what_a_child_makes_lies_in_pages_of_its_own_once_gaps_are_filled():
    size = 200
    things = [bytes(size) for _ in range(LAID)]
    gone = len(things[::KEPT_BETWEEN])
    del things[::KEPT_BETWEEN]
    pages_kb, bytes_kb = 4 * gone, size * gone // 1024
    assert copied_kb(size, gone) > 0.7 * pages_kb
    gaps.fill_gaps()
    assert copied_kb(size, gone) < 1.5 * bytes_kb + 400
