"""What hostile people send: generators of links, JSON, events and files, and the bounds that every answer keeps.

How many cases a test tries is read from `SKIPVIZ_HOSTILE` (of each kind), so that the long form is
`SKIPVIZ_HOSTILE=10000 bash tests/run tests/load/test_hostile_input.py`.
"""

from __future__ import annotations

import base64
import copy
import gc
import gzip
import io
import json
import os
import pickle
import resource
import time
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pyarrow
from hypothesis import Phase
from hypothesis import strategies as st
from pace import slowness
from sheets import parquet, xlsx

from skipviz.sharing import link
from skipviz.tasks import presets

CASES = int(os.environ.get("SKIPVIZ_HOSTILE", "400"))
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""A case that is too slow is shown as it is: to make it smaller would take hundreds as slow."""
SECONDS = 1.0
"""Of this process's own processor time for one case: a busy machine makes no case slower by it."""
MEGABYTES = 200
"""That one case may allocate: beyond, the system refuses, and Python's error is no declared one."""

MOST_WRITTEN = 2_000_000
"""Characters to which one part is repeated."""


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


DEEP = [b"[" * 200_000, b'{"a":' * 100_000, b'[{"variants":' * 50_000, b"9" * 100_000, b'"' + b"\\ud800" * 10_000 + b'"']
EXPERIMENTS = [presets.get(name).model_dump(mode="json", exclude_defaults=True) for name in presets.names()]
SMALL = [one for one in EXPERIMENTS if len(json.dumps(one)) < 20_000]
DOCUMENTS = one_of(DEEP) | mended(SMALL).map(written) | broken(mended(SMALL).map(written)) | st.binary(max_size=200)


def link_of(content: bytes) -> str:
    """Return a link that holds `content` and is sealed as links are."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = deflate.compress(content) + deflate.flush()
    sealed = zlib.crc32(packed).to_bytes(4, "big") + packed
    return link.VERSION + base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def inside(text: str) -> dict:
    """Return the JSON that a link holds."""
    body = text[len(link.VERSION) :]
    return json.loads(zlib.decompress(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))[4:], -zlib.MAX_WBITS))


OPENINGS = [link.encode(presets.get(name)) for name in presets.names()]
BOMBS = [link_of(bytes([byte]) * size) for byte in b" [{9" for size in (10**6, 5_000_000, 10_000_000)]
LINKS = (
    mended([inside(text) for text in OPENINGS]).map(written).map(link_of)
    | broken(one_of(OPENINGS).map(str.encode)).map(lambda content: content.decode("latin-1"))
    | DOCUMENTS.map(link_of)
    | one_of([*BOMBS, "A" * 10**6, link.VERSION + "A" * 7990])
    | st.text(max_size=300)
)

EVENTS = [
    {"kind": "skip", "ids": ["s1-3"], "on": False},
    {"kind": "skip", "ids": ["s1-3", "s3-5"], "strength": 0.5, "gain": 0.25, "step": 3},
    {"kind": "layer", "ids": ["f1"], "gain": 0.0, "variant": "net"},
    {"kind": "rate", "learning_rate": 0.01},
    {"kind": "clip", "clip_norm": 1.0, "clip_value": 0.5},
    {"kind": "speed", "steps_per_second": 3.0},
    {"kind": "ghost", "ghost": True},
    {"kind": "step"},
]
POSTS = (
    mended(EVENTS).map(written)
    | st.lists(mended(EVENTS), max_size=6).map(written)
    | st.tuples(mended(EVENTS), st.sampled_from([20, 201])).map(lambda drawn: written([drawn[0]] * drawn[1]))
    | broken(mended(EVENTS).map(written))
    | one_of([*DEEP, written({"kind": "skip", "ids": ["s1-3"] * 6000, "on": True}), written([EVENTS[3]] * 201)])
)


SUBMITTED = [{"experiment": SMALL[0], "speed": 100.0, "ghost": True, "paused": True}, {"link": OPENINGS[0], "speed": None}]
SUBMISSIONS = (
    DOCUMENTS.map(lambda content: b'{"experiment":' + content + b"}")
    | LINKS.map(lambda text: written({"link": text}))
    | mended(SUBMITTED).map(written)
    | broken(mended(SUBMITTED).map(written))
    | one_of(DEEP)
)
"""Bodies of a post that asks for a run."""
TITLES = mended([{"title": "a run"}]).map(written) | broken(mended([{"title": "a run"}]).map(written)) | one_of(DEEP)


def asked(path: str, **strategies):
    """Draw the path of a request with a query."""
    written_out = st.fixed_dictionaries({}, optional=strategies)
    return written_out.map(lambda query: f"{path}?" + "&".join(f"{name}={quote(text, safe=',:')}" for name, text in query.items()))


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
PLACES = NAMES | st.sampled_from(["a,b", "a" * 3000, "a," * 5000, "nothing:5", ":" * 99, "../../etc/passwd", "%00", "\0"])
SHORT_LINKS = LINKS.filter(lambda text: len(text) < 30_000 and not any(0xD800 <= ord(letter) < 0xE000 for letter in text))
ADDRESSES = (
    asked("/skipviz/view", run=PLACES, follow=PLACES, compact=PLACES)
    | asked("/skipviz/cards", runs=PLACES)
    | asked("/skipviz/code", x=SHORT_LINKS | PLACES)
    | asked("/skipviz/experiment", x=SHORT_LINKS | PLACES)
    | PLACES.map(lambda name: f"/skipviz/runs/{quote(name, safe='')}")
    | PLACES.map(lambda name: f"/skipviz/runs/{quote(name, safe='')}.csv")
)
"""What a browser can be led to."""


def table(rows: int = 40) -> bytes:
    """Return a table as people have them."""
    lines = [f"{row},{row / 7:.3f},{'abc'[row % 3]},{row % 5 or ''}" for row in range(rows)]
    return "\n".join(["id,length,kind,count", *lines]).encode()


def archive(compress=np.savez_compressed, **arrays) -> bytes:
    """Return an .npz of arrays."""
    file = io.BytesIO()
    compress(file, **arrays)
    return file.getvalue()


def zipped(name: str, content: bytes) -> bytes:
    """Return an archive with one deflated entry."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(name, content)
    return file.getvalue()


def pictures() -> bytes:
    """Return pictures as people have them."""
    chance = np.random.default_rng(0)
    return archive(images=chance.integers(0, 255, (40, 8, 8), dtype=np.uint8), labels=np.arange(40) % 3)


class Opened:
    """Shows, by a file in the working directory, that a pickle was opened."""

    def __reduce__(self):
        return (os.mkdir, ("pickle-was-opened",))


def numpy_bombs() -> list[bytes]:
    """Return archives that are small and hold much, or say that they do."""
    many = np.zeros((2000, 3, 64, 64), dtype=np.uint8)
    huge = archive(images=np.zeros((64, 8, 8))).replace(b"(64, 8, 8)", b"(9999999,)")
    return [
        archive(images=many, labels=np.zeros(2000, dtype=int)),
        archive(images=np.zeros(60 * 2**20, dtype=np.uint8), labels=np.zeros(3)),
        archive(images=np.zeros((40, 8, 8), dtype=np.float64), labels=np.zeros(40), masks=np.zeros(60 * 2**20, dtype=np.uint8)),
        zipped("images.npy", b"\0" * (100 * 2**20)),
        zipped("images.npy", archive(images=many)),
        archive(images=np.array([Opened()] * 40, dtype=object), labels=np.arange(40)),
        archive(**{f"a{number}": np.zeros(1) for number in range(200)}),
        huge,
    ]


TABLES = [
    table(),
    table(3000),
    b",".join([b"a"] * 5000) + b"\n" + b"1," * 5000,
    b"a,b\n" + b"1,2\n" * 1_000_000,
    b"a,b\n" + b'"' * 4_000_000,
    b"a,b\n" + b"x" * 8_000_000,
    b"a,b\n" + b"9" * 7_000_000 + b",1\n",
    b"a,b\n" + b"1e999,nan\n" * 100,
    b"a;b\n" + b"1,5;2,5\n" * 200_000,
    b"\n" * 8_000_000,
    b"," * 8_000_000,
    b";".join([b"a"] * 24) + b"\n" + (b";".join([b"1.234,5"] * 24) + b"\n") * 19_000,
    b"a,b\n" + b"".join(b"%d/%d/%d,%d.%03d\n" % (n % 12 + 1, n % 11 + 1, n % 9999, n % 90, n % 999) for n in range(20_000)),
    b"\n".join([b",".join([b"7"] * 785)] * 10_000),
    gzip.compress(b"a,b\n" * 20_000_000),
    gzip.compress(table()) * 2,
]
TYPED = [
    (xlsx({"A": [["a", "b"], *([row / 7, "xy"[row % 2]] for row in range(40))]}), "a.xlsx"),
    (parquet(a=[row / 7 for row in range(40)], b=["xy"[row % 2] for row in range(40)]), "a.parquet"),
]
BOMBED = [
    (xlsx({"A": "<row>" + "<c><v>1</v></c>" * 2_000_000 + "</row>"}), "a.xlsx"),
    (xlsx({"A": '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>'}), "a.xlsx"),
    (parquet(a=pyarrow.array(["x" * 100_000]).take(pyarrow.array([0] * 1000))), "a.parquet"),
]
"""Spreadsheets and Parquet files are unpacked in a process of their own: few cases, since each starts one."""
CELL = st.text(max_size=12) | st.sampled_from(["1", "-2.5", "nan", "1e400", "", "1_0", "٣", "=1+1", '"', "'", "\0", "\ufeff"])
ROWS = st.lists(st.lists(CELL, min_size=1, max_size=6), max_size=60)


def _typed(drawn) -> tuple[bytes, str]:
    """Return a whole spreadsheet or Parquet file, rarely a bomb, mostly a broken one."""
    which, whole, torn, bomb = drawn
    return bomb if which == 9 else whole if which > 6 else (torn, "a.xlsx")


FILES = (
    st.tuples(broken(one_of(TABLES[:2])), st.sampled_from(["a.csv", "a.tsv", "a.txt", "<b>.csv", "../a.csv"]))
    | st.tuples(ROWS.map(lambda rows: "\n".join(map(",".join, rows)).encode("utf-8", "replace")), st.just("a.csv"))
    | st.tuples(broken(one_of([pictures()])), st.just("a.npz"))
    | st.tuples(one_of(TABLES), st.sampled_from(["a.csv", "a.csv", "a.csv.gz"]))
    | st.tuples(st.integers(0, 9), one_of(TYPED), broken(one_of([TYPED[0][0]])), one_of(BOMBED)).map(_typed)
    | st.tuples(one_of([*numpy_bombs(), pickle.dumps(Opened())]), st.sampled_from(["a.npz", "a.npz", "a.csv", "a.pkl"]))
    | st.tuples(st.binary(max_size=300), st.text(max_size=300) | st.sampled_from(["a.csv", "a.npz"]))
)
