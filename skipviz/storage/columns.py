"""Frames as a table of columns, and back without loss. Imports pyarrow, so only the store writer's process uses it.

One row a frame. `place` is where the frame stands among all frames of its run, `keep` whether it is spared when frames
are thinned. A variant has a column a quantity, named `variant/quantity`: lists of float64 and float64; `there` is its place
in the frame. A frame that its columns would not give back byte for byte is kept in `raw` instead.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode, b64encode
from typing import NamedTuple

import pyarrow as pa

from ..learning.frame import BANDED, Frame, VariantFrame
from ..learning.frame_text import MARKS, NUMBER_LISTS, NUMBERS, decode_frame, encode_frame

LEAST_BLOB = 64
"""Characters of base64 from which a picture's text is stored as bytes."""
_NUMBERS = pa.list_(pa.float64())
_FIXED = {
    "place": pa.int64(),
    "keep": pa.bool_(),
    "raw": pa.binary(),
    "step": pa.int64(),
    "seconds": pa.float64(),
    "events": pa.string(),
}
_ENDS = ("_low", "_high")
"""What the columns of a band's ends are named after, behind the quantity's name."""
_OF_VARIANT = {
    "there": pa.int8(),
    **dict.fromkeys(NUMBERS, pa.float64()),
    **dict.fromkeys(NUMBER_LISTS, _NUMBERS),
    "nonfinite": pa.list_(pa.string()),
    "first_broken": pa.string(),
    **dict.fromkeys(MARKS, pa.string()),
    "members": pa.int64(),
    **{name + end: pa.float64() if name in NUMBERS else _NUMBERS for name in BANDED for end in _ENDS},
    "picture": pa.string(),
    "blobs": pa.map_(pa.string(), pa.binary()),
}
GLANCED = ("step", "/loss", "/weight_grad")
"""Ends of the names of the columns that a small picture of a run needs."""
_QUANTITIES = (*NUMBERS, *NUMBER_LISTS, "nonfinite", "first_broken", *MARKS, "members")


class Row(NamedTuple):
    """One frame: its place in the run, whether it is spared from thinning, its JSON."""

    place: int
    keep: bool
    payload: bytes


def table_from(rows: list[Row]) -> pa.Table:
    """Return the rows as a table."""
    frames = [_frame(row.payload) for row in rows]
    columns: dict[str, list] = {name: [] for name in _FIXED}
    for row, frame in zip(rows, frames, strict=True):
        values = (row.place, row.keep, None if frame else row.payload, None, None, None)
        if frame:
            values = (*values[:3], frame.step, frame.seconds, json.dumps(frame.events, separators=(",", ":")))
        for name, value in zip(_FIXED, values, strict=True):
            columns[name].append(value)
    types = dict(_FIXED)
    variants = list(dict.fromkeys(name for frame in frames if frame for name in frame.variants))
    for variant in variants:
        there = [list(frame.variants).index(variant) if frame and variant in frame.variants else None for frame in frames]
        found = [frame and frame.variants.get(variant) for frame in frames]
        for name, values in {"there": there, **_columns_of(found)}.items():
            if any(value is not None for value in values):
                columns[f"{variant}/{name}"], types[f"{variant}/{name}"] = values, _OF_VARIANT[name]
    arrays = [pa.array(values, types[name]) for name, values in columns.items()]
    return _with_variants(pa.table(arrays, names=list(columns)), variants)


def rows_from(table: pa.Table) -> list[Row]:
    """Return the rows that `table_from` took."""
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    variants = _variants(table)
    names = {variant: [name for name in _OF_VARIANT if f"{variant}/{name}" in columns] for variant in variants}
    rows = []
    for index, (place, keep, raw) in enumerate(zip(columns["place"], columns["keep"], columns["raw"], strict=True)):
        if raw is None:
            there = {variant: columns[f"{variant}/there"][index] for variant in variants}
            found = {
                variant: _variant({name: columns[f"{variant}/{name}"][index] for name in names[variant]})
                for variant in sorted((one for one in variants if there[one] is not None), key=there.get)
            }
            events = json.loads(columns["events"][index])
            raw = encode_frame(Frame(columns["step"][index], found, events, columns["seconds"][index]))
        rows.append(Row(place, keep, raw))
    return rows


def glanced(table: pa.Table, most: int) -> list[bytes]:
    """Return at most `most` rows, evenly spread, the first and the last among them, as JSON of what `GLANCED` names."""
    count = table.num_rows
    places = range(count) if count <= most else [round(place * (count - 1) / (most - 1)) for place in range(most)]
    rows = table.take(pa.array(places, pa.int64())).to_pylist()
    frames = []
    for row in rows:
        step, variants = row.pop("step"), {}
        for name, value in row.items():
            variant, _, quantity = name.rpartition("/")
            if value is not None:
                variants.setdefault(variant, {})[quantity] = value
        if step is not None:
            frames.append(json.dumps({"step": step, "variants": variants}, separators=(",", ":")).encode())
    return frames


def joined(tables: list[pa.Table]) -> pa.Table:
    """Return the tables as one; where one has no such column, its rows are empty there."""
    variants = list(dict.fromkeys(name for table in tables for name in _variants(table)))
    return _with_variants(pa.concat_tables(tables, promote_options="default").combine_chunks(), variants)


def _frame(payload: bytes) -> Frame | None:
    """Return the frame that these bytes hold, or None where columns would not give the very bytes back."""
    try:
        frame = decode_frame(payload)
        return frame if encode_frame(frame) == payload and _fits(frame) else None
    except (ValueError, RecursionError):
        return None


def _fits(frame: Frame) -> bool:
    names = all(isinstance(name, str) and "/" not in name for name in frame.variants)
    return names and isinstance(frame.step, int) and abs(frame.step) < 2**62


def _columns_of(variants: list[VariantFrame | None]) -> dict[str, list]:
    columns = {}
    for name in _QUANTITIES:
        columns[name] = [None if variant is None else _given(getattr(variant, name)) for variant in variants]
    for name in MARKS:
        columns[name] = [None if places is None else json.dumps(places) for places in columns[name]]
    for name in BANDED:
        bands = [((variant and variant.bands) or {}).get(name) for variant in variants]
        columns |= {name + end: [None if band is None else band[place] for band in bands] for place, end in enumerate(_ENDS)}
    packed = [_packed(variant.picture) if variant is not None else (None, None) for variant in variants]
    return columns | {"picture": [text for text, _ in packed], "blobs": [blobs for _, blobs in packed]}


def _given(value):
    return None if value == [] else value


def _variant(values: dict) -> VariantFrame:
    blobs, text = dict(values.pop("blobs", None) or ()), values.pop("picture", None)
    values.pop("there")
    bands = {name: [values.pop(name + end, None) for end in _ENDS] for name in BANDED}
    variant = VariantFrame(None, None, [], [], [], [], None, [], [], [], [])
    for name, value in values.items():
        if value is not None:
            setattr(variant, name, json.loads(value) if name in MARKS else value)
    if variant.members is not None:
        variant.bands = {name: band for name, band in bands.items() if None not in band}
    if text is not None:
        variant.picture = json.loads(text)
        for name, blob in blobs.items():
            variant.picture[name] = b64encode(blob).decode()
    return variant


def _packed(picture: dict | None) -> tuple[str | None, list[tuple[str, bytes]] | None]:
    """Return a picture as JSON whose long base64 texts are empty, and what these hold by name."""
    if picture is None:
        return None, None
    blobs = {name: blob for name, value in picture.items() if (blob := _blob(value)) is not None}
    text = json.dumps({name: "" if name in blobs else value for name, value in picture.items()}, separators=(",", ":"))
    return text, list(blobs.items()) or None


def _blob(value) -> bytes | None:
    if not isinstance(value, str) or len(value) < LEAST_BLOB:
        return None
    try:
        blob = b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return blob if b64encode(blob).decode() == value else None


def _variants(table: pa.Table) -> list[str]:
    return json.loads((table.schema.metadata or {}).get(b"variants", b"[]"))


def _with_variants(table: pa.Table, variants: list[str]) -> pa.Table:
    return table.replace_schema_metadata({"variants": json.dumps(variants)})
