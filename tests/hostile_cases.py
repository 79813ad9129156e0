"""What hostile people send: generators of links, JSON, events and files; to make them takes seconds."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import pickle
import zipfile
import zlib
from urllib.parse import quote

import numpy as np
import pyarrow
from hostile import broken, mended, one_of, written
from hypothesis import strategies as st
from sheets import parquet, xlsx

from skipviz.sharing import link
from skipviz.tasks import presets

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


CELL = st.text(max_size=12) | st.sampled_from(["1", "-2.5", "nan", "1e400", "", "1_0", "٣", "=1+1", '"', "'", "\0", "\ufeff"])
ROWS = st.lists(st.lists(CELL, min_size=1, max_size=6), max_size=60)


def _typed(drawn) -> tuple[bytes, str]:
    """Return a whole spreadsheet or Parquet file, rarely a bomb, mostly a broken one."""
    which, whole, torn, bomb = drawn
    return bomb if which == 9 else whole if which > 6 else (torn, "a.xlsx")


def files() -> st.SearchStrategy:
    """Draw files; those that are large or say so are made here, since not all that draws cases draws these."""
    tables = [
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
    typed = [
        (xlsx({"A": [["a", "b"], *([row / 7, "xy"[row % 2]] for row in range(40))]}), "a.xlsx"),
        (parquet(a=[row / 7 for row in range(40)], b=["xy"[row % 2] for row in range(40)]), "a.parquet"),
    ]
    # Spreadsheets and Parquet files are unpacked in a process of their own: few cases, since each starts one.
    bombed = [
        (xlsx({"A": "<row>" + "<c><v>1</v></c>" * 2_000_000 + "</row>"}), "a.xlsx"),
        (xlsx({"A": '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>'}), "a.xlsx"),
        (parquet(a=pyarrow.array(["x" * 100_000]).take(pyarrow.array([0] * 1000))), "a.parquet"),
    ]
    return (
        st.tuples(broken(one_of(tables[:2])), st.sampled_from(["a.csv", "a.tsv", "a.txt", "<b>.csv", "../a.csv"]))
        | st.tuples(ROWS.map(lambda rows: "\n".join(map(",".join, rows)).encode("utf-8", "replace")), st.just("a.csv"))
        | st.tuples(broken(one_of([pictures()])), st.just("a.npz"))
        | st.tuples(one_of(tables), st.sampled_from(["a.csv", "a.csv", "a.csv.gz"]))
        | st.tuples(st.integers(0, 9), one_of(typed), broken(one_of([typed[0][0]])), one_of(bombed)).map(_typed)
        | st.tuples(one_of([*numpy_bombs(), pickle.dumps(Opened())]), st.sampled_from(["a.npz", "a.npz", "a.csv", "a.pkl"]))
        | st.tuples(st.binary(max_size=300), st.text(max_size=300) | st.sampled_from(["a.csv", "a.npz"]))
    )


FILES = st.deferred(files)
