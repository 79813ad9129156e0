"""Reads a table whose columns are a picture's pixels, a row a picture, as MNIST is often given. numpy only."""

from __future__ import annotations

import math
import re

import numpy as np

from .numerals import number
from .own import FEWEST_SAMPLES, MOST_CLASSES, MOST_PIXELS, MOST_SAMPLES, SIDES, UploadError, shown_file
from .pictures import Pictures
from .read_arrays import labels_of
from .table import TARGET_NAMES
from .table_text import LONGEST_LINE, MOST_COLUMNS

MOST_BYTES = 20 * 2**20
LONGEST_LABEL = 100
"""Characters."""
COMPARED = 50
"""Pictures by which it is decided whether colours stand pixel by pixel or one after the other."""


def read_pixels(content: bytes, name: str, wanted: bool = False) -> Pictures | None:
    """Return the pictures that a table's rows are, None where its columns are no square picture's pixels and a label.

    A table that can be one by its number of columns is read as pictures only where they are `wanted`. Raises `UploadError`
    where the columns are a picture's but their values are not.
    """
    file = shown_file(name)
    head = content[:LONGEST_LINE].partition(b"\n")[0].decode("latin-1").lstrip("ï»¿").strip().split(",")
    side, channels = _size(len(head) - 1)
    if not side or (len(head) <= MOST_COLUMNS and not wanted):
        return None
    if len(content) > MOST_BYTES:
        raise UploadError(f"{file} has {len(content) / 2**20:.1f} MB and a table of pixels has at most {MOST_BYTES // 2**20}")
    lines = [line for line in content.replace(b"\r", b"").split(b"\n") if line]
    is_named = any(math.isnan(number(cell.strip())) for cell in head[1:-1])
    lines = lines[is_named:]
    pixels = channels * side * side
    if not FEWEST_SAMPLES <= len(lines) <= min(MOST_SAMPLES, MOST_PIXELS // pixels):
        size = f"{side} × {side} pixels{' in colour' if channels == 3 else ''}"
        most = min(MOST_SAMPLES, MOST_PIXELS // pixels)
        raise UploadError(f"{file} has {len(lines):,} pictures of {size}, and of that size {FEWEST_SAMPLES} to {most:,} are taken")
    place, labels = _labels(lines, head if is_named else None)
    is_number = all(re.fullmatch(r"[0-9]{1,9}", label) for label in labels)
    if max(map(len, labels)) > LONGEST_LABEL:
        raise UploadError(f"labels of {file} are longer than {LONGEST_LABEL} characters")
    given = np.array(labels, dtype=np.int64 if is_number else str)
    numbers, classes = labels_of(given, len(lines), f"labels of {file}")
    images = _pixels([line.partition(b",")[2] if place == 0 else line.rpartition(b",")[0] for line in lines], pixels, file)
    order = "none" if channels == 1 else _order(images[:COMPARED].astype(np.int16), side)
    if order == "last":
        images = images.reshape(-1, side, side, 3).transpose(0, 3, 1, 2)
    images = images.reshape(-1, channels, side, side)
    source = {"door": "pixels", "label": place, "named": is_named, "side": side, "channels": order, "numbers": is_number}
    column = "first" if place == 0 else "last"
    note = f"Each row was taken for a picture of {side} × {side} pixels, and the {column} column for its label."
    return Pictures(file, np.ascontiguousarray(images), numbers, classes, source=source, notes=(note,))


def _size(pixels: int) -> tuple[int, int]:
    """Return side and channels of the square picture of so many numbers; 0 where there is none."""
    for channels in (1, 3):
        side = math.isqrt(max(0, pixels) // channels)
        if side * side * channels == pixels and SIDES[0] <= side <= SIDES[1]:
            return side, channels
    return 0, 0


def _labels(lines: list[bytes], head: list[str] | None) -> tuple[int, list[str]]:
    """Return the place of the column of labels, the first one or the last, and the labels."""
    first = [line.partition(b",")[0].decode("latin-1").strip() for line in lines]
    last = [line.rpartition(b",")[2].decode("latin-1").strip() for line in lines]
    names = [re.sub(r"\W", "", cell).lower() for cell in (head[0], head[-1])] if head else ["", ""]
    if names[0] in TARGET_NAMES or names[1] in TARGET_NAMES:
        return (0, first) if names[0] in TARGET_NAMES else (-1, last)
    return (0, first) if 2 <= len(set(first)) <= MOST_CLASSES else (-1, last)


def _pixels(rows: list[bytes], width: int, file: str) -> np.ndarray:
    """Return the rows' numbers as uint8 `(rows, width)`; all digits are read at once."""
    if any(row.count(b",") != width - 1 for row in rows):
        raise UploadError(f"rows of {file} have different numbers of columns: it may be cut short")
    text = (b",".join(rows) + b",").replace(b" ", b"").replace(b".0,", b",")
    if text.translate(None, b"0123456789,"):
        raise UploadError(f"pixels of {file} are not all whole numbers of 0 to 255")
    letters = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(letters == ord(","))
    lengths = np.diff(ends, prepend=-1) - 1
    if lengths.min() < 1 or lengths.max() > 3:
        raise UploadError(f"pixels of {file} are not all whole numbers of 0 to 255")
    values = (letters[ends - 1] - ord("0")).astype(np.int16)
    for digits, worth in ((2, 10), (3, 100)):
        long = lengths >= digits
        values[long] += worth * (letters[ends[long] - digits] - ord("0")).astype(np.int16)
    if values.max() > 255:
        raise UploadError(f"pixels of {file} are not all whole numbers of 0 to 255")
    if values.min() == values.max():
        raise UploadError(f"pictures of {file} are all of one colour")
    return values.astype(np.uint8).reshape(len(rows), width)


def _order(some: np.ndarray, side: int) -> str:
    """Return whether channels come "first" or "last": neighbours in a picture are alike."""
    first, last = some.reshape(-1, 3, side, side), some.reshape(-1, side, side, 3).transpose(0, 3, 1, 2)
    roughness = [np.abs(np.diff(images, axis=3)).mean() + np.abs(np.diff(images, axis=2)).mean() for images in (first, last)]
    return "first" if roughness[0] < roughness[1] else "last"
