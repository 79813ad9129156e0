"""A child of a warm process whose heaps have no gaps copies few of its pages."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what a process holds of its own is read as Linux tells it")

ROOT = Path(__file__).parents[2]
SIZE = 200
LAID, KEPT_BETWEEN = 40_000, 40
"""Things that are laid side by side, and after how many of them one goes."""

MEASURE = """
import json, os, sys

from skipviz.engine import gaps

size, laid, kept_between = map(int, sys.argv[1:])


def private_kb():
    with open("/proc/self/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_"))


def copied_kb(count):
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


things = [bytes(size) for _ in range(laid)]
gone = len(things[::kept_between])
del things[::kept_between]
found = [copied_kb(gone)]
gaps.fill_gaps()
print(json.dumps([*found, copied_kb(gone)]))
"""
"""Says by how many kB a forked child grows that makes as many things as went, before and after the gaps are filled.

In a process of its own: where much has run before, what lies between gaps is another thing.
"""


def test_what_a_child_makes_lies_in_pages_of_its_own_once_gaps_are_filled():
    words = [sys.executable, "-c", MEASURE, *map(str, (SIZE, LAID, KEPT_BETWEEN))]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    before, after = json.loads(done.stdout)
    gone = LAID // KEPT_BETWEEN
    pages_kb, bytes_kb = 4 * gone, SIZE * gone // 1024
    assert before > 0.7 * pages_kb
    assert after < 1.5 * bytes_kb + 400
