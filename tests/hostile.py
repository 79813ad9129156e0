"""What hostile people do to what is valid, and the bounds that every answer keeps.

How many cases a test tries is read from `SKIPVIZ_HOSTILE` (of each kind), so that the long form is
`SKIPVIZ_HOSTILE=10000 bash tests/run tests/load/test_hostile_input.py`.
"""

from __future__ import annotations

import copy
import gc
import json
import os
import resource
import time
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from hypothesis import Phase
from hypothesis import strategies as st
from pace import slowness

CASES = int(os.environ.get("SKIPVIZ_HOSTILE", "400"))
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""A case that is too slow is shown as it is: to make it smaller would take hundreds as slow."""
SECONDS = 1.0
"""Of this process's own processor time for one case: a busy machine makes no case slower by it."""
MEGABYTES = 200
"""That one case may allocate: beyond, the system refuses, and Python's error is no declared one."""

MOST_WRITTEN = 2_000_000
"""Characters to which one part is repeated."""


def cases(name: str):
    """Draw from a generator of `hostile_cases`, which is made where one is drawn from and not where tests are collected."""
    return st.deferred(lambda: getattr(import_module("hostile_cases"), name))


def one_of(values: list):
    """Draw one of some values; told by its place, since hypothesis would write all of them out in every failure."""
    return st.integers(0, len(values) - 1).map(values.__getitem__)


WEIRD = one_of(
    [None, True, -1, 0, 0.5, 1e308, -1e308, 10**400, 2**63, "", "x" * 5000, "\0", "<script>", "../../etc", [], {}, [[]], "NaN"]
)
JSON = st.recursive(
    WEIRD | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@dataclass
class Tried:
    """What all cases of one kind came to."""

    cases: int = 0
    taken: int = 0
    """Of which so many were no refusal."""
    seconds: float = 0.0
    """Of the slowest case."""
    megabytes: float = 0.0
    """By which this process grew at most within a case."""

    def take(self, seconds: float, megabytes: float) -> None:
        """Count one case."""
        self.cases += 1
        self.seconds, self.megabytes = max(self.seconds, seconds), max(self.megabytes, megabytes)


TRIED: dict[str, Tried] = {}
"""By kind of case."""


@contextmanager
def bounded(kind: str):
    """Fail where what is done within takes more than the bounds of one case; yields what all cases of its kind came to."""
    tried = TRIED.setdefault(kind, Tried())
    Path("/proc/self/clear_refs").write_text("5")  # the highest memory is counted from here
    held = _memory("VmRSS")
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_memory("VmData") + MEGABYTES * 2**20, hard))
    gc.disable()  # what hypothesis has gathered in thousands of cases is no part of one
    began = time.process_time()
    try:
        yield tried
    finally:
        taken = time.process_time() - began
        gc.enable()
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
    tried.take(taken, (_memory("VmHWM") - held) / 2**20)
    assert taken < SECONDS or taken < SECONDS * slowness(), f"it took {taken:.2f} s"


def tell() -> None:
    """Print what all cases so far came to."""
    for kind, tried in TRIED.items():
        most = f"the slowest {tried.seconds:.2f} s, the largest {tried.megabytes:.0f} MB"
        print(f"\n{tried.cases:,} {kind}, {tried.taken:,} taken; {most}", end="")
    TRIED.clear()


def _memory(what: str) -> int:
    """Return one of the figures that the system keeps of this process's memory, in bytes."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(what))


def is_one_sentence(words) -> bool:
    """Return whether an error, or its words, is for a person: one line, not long, without code."""
    text = str(words)
    return 0 < len(text) < 600 and "\n" not in text and "Traceback" not in text and "object at 0x" not in text


def some_place(draw, value) -> tuple:
    """Return the path of some part of decoded JSON; empty where it has none."""
    path = ()
    while isinstance(value, dict | list) and value and (not path or draw(st.integers(0, 3))):
        keys = list(value) if isinstance(value, dict) else range(len(value))
        path += (keys[draw(st.integers(0, len(keys) - 1))],)
        value = value[path[-1]]
    return path


@st.composite
def mended(draw, valid):
    """Return one of some valid JSON values with up to three parts put in, left out, doubled or swapped for others."""
    value = copy.deepcopy(draw(one_of(valid)))
    for _ in range(draw(st.integers(0, 3))):
        path = some_place(draw, value)
        if not path:
            return copy.deepcopy(draw(JSON))
        *parents, last = path
        holder = value
        for key in parents:
            holder = holder[key]
        what = draw(st.sampled_from(["swap", "leave out", "many", "add"]))
        if what == "swap":
            holder[last] = copy.deepcopy(draw(JSON))
        elif what == "leave out":
            del holder[last]
        elif what == "many":
            most = MOST_WRITTEN // (1 + len(json.dumps(holder[last])))
            holder[last] = [holder[last]] * min(most, draw(st.sampled_from([2, 100, 3000])))
        elif isinstance(holder, dict):
            holder[draw(st.text(max_size=8))] = copy.deepcopy(draw(JSON))
    return value


def written(value) -> bytes:
    """Return JSON as a hostile sender writes it: NaN and infinity included."""
    return json.dumps(value).encode("utf-8", "surrogatepass")


@st.composite
def broken(draw, valid):
    """Return bytes that `valid` draws, cut, flipped, doubled or with others put in."""
    content = bytearray(draw(valid))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        what = draw(st.sampled_from(["cut", "flip", "put in", "double"]))
        if what == "cut":
            del content[place : place + draw(st.sampled_from([1, 8, 10**9]))]
        elif what == "flip" and content:
            content[place] ^= 1 << draw(st.integers(0, 7))
        elif what == "put in":
            content[place:place] = draw(st.binary(max_size=8))
        elif len(content) < 10**6:
            content += bytes(content)
    return bytes(content)
