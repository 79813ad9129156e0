"""Reads an .npz of pictures that somebody sends: whatever is wrong with it ends in one sentence. numpy only.

Nothing in it is unpickled, and nothing is unpacked before its size is known and allowed.
"""

from __future__ import annotations

import io
import math
import zipfile

import numpy as np
from numpy.lib import format as npy

from .own import FEWEST_SAMPLES, MOST_CHANNELS, MOST_CLASSES, MOST_PIXELS, MOST_SAMPLES, SIDES, UploadError, shown, shown_file
from .pictures import Pictures

MOST_BYTES = 20 * 2**20
MOST_UNPACKED = 66 * 2**20
"""Bytes of an array once unpacked: as many pixels as there may be, in the widest numbers."""
MOST_ENTRIES = 16
LONGEST_LABEL = 100
"""Characters of a label that is a word."""
LARGEST_NUMBER = 1e30
"""Of a pixel, so that squares and sums stay finite."""
EXPECTED = "images and labels or masks"
_ENCRYPTED = 0x1


def read_pictures(content: bytes, name: str) -> Pictures:
    """Return the pictures that an .npz file holds; raises `UploadError` with one sentence for any other content."""
    file = shown_file(name)
    if len(content) > MOST_BYTES:
        raise UploadError(f"{file} has {len(content) / 2**20:.1f} MB and a file of pictures has at most {MOST_BYTES // 2**20}")
    if not content:
        raise UploadError(f"{file} is empty")
    if content.startswith(b"\x93NUMPY"):
        raise UploadError(f"{file} is one array (.npy): save {EXPECTED} together with numpy.savez")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = _entries(archive, file)
            images = _images(_array(archive, entries["images"], file), file)
            masks = _masks(_array(archive, entries["masks"], file), images, file) if "masks" in entries else None
            labels, classes = None, ()
            if "labels" in entries:
                labels, classes = _labels(_array(archive, entries["labels"], file), len(images), file)
    except UploadError:
        raise
    except Exception:  # of a damaged archive zipfile tells in a dozen kinds, down to a negative seek
        raise UploadError(f"{file} is no .npz, or it is damaged or cut short: save it again with numpy.savez") from None
    return Pictures(file, images, labels, classes, masks)


def _entries(archive: zipfile.ZipFile, file: str) -> dict[str, zipfile.ZipInfo]:
    """Return the arrays' entries by name, each checked against the archive's own directory."""
    found: dict[str, zipfile.ZipInfo] = {}
    listed = archive.infolist()
    if len(listed) > MOST_ENTRIES:
        raise UploadError(f"{file} holds {len(listed):,} arrays and needs two: {EXPECTED}")
    for entry in listed:
        name = entry.filename.removesuffix(".npy")
        if name == entry.filename or not name.isidentifier():
            raise UploadError(f"{file} holds {shown(entry.filename, 40) or 'a nameless entry'!r}, which numpy.savez writes none of")
        if name in found:
            raise UploadError(f"{file} holds two arrays called {shown(name, 20)}")
        if entry.flag_bits & _ENCRYPTED:
            raise UploadError(f"{file} is encrypted")
        if entry.file_size > MOST_UNPACKED:
            size = f"{entry.file_size / 2**20:,.0f} MB"
            raise UploadError(f"{shown(name, 20)} of {file} unpacks to {size} and an array has at most {MOST_UNPACKED // 2**20}")
        found[name] = entry
    if "images" not in found or not {"labels", "masks"} & found.keys():
        names = shown(", ".join(found), 60) or "nothing"
        raise UploadError(f"{file} holds {names}: it needs {EXPECTED}")
    return found


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, file: str) -> np.ndarray:
    """Return one array; its header says type and size before its values are unpacked."""
    name = entry.filename.removesuffix(".npy")
    with archive.open(entry) as stream:
        try:
            version = npy.read_magic(stream)
            if version not in ((1, 0), (2, 0)):
                raise ValueError("another version")
            read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, by_columns, dtype = read_header(stream)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError, UnicodeError):
            raise UploadError(f"{name} of {file} is no numpy array") from None
        if dtype.hasobject:
            raise UploadError(f"{name} of {file} holds pickled Python objects, which are never opened: save numbers or plain text")
        if dtype.kind not in "buifUS" or dtype.itemsize == 0:
            raise UploadError(
                f"{name} of {file} holds {shown(str(dtype), 30)}: save numbers{' or words' if name == 'labels' else ''}"
            )
        count = math.prod(shape)
        if count * dtype.itemsize > MOST_UNPACKED or len(shape) > 4:
            raise UploadError(f"{name} of {file} has the shape {_written(shape)}, which is too large")
        content = stream.read(count * dtype.itemsize + 1)
        if len(content) != count * dtype.itemsize:
            raise UploadError(f"{name} of {file} does not hold the {count:,} values that it promises: it may be cut short")
    array = np.frombuffer(content, dtype)
    return array.reshape(shape, order="F" if by_columns else "C")


def _images(given: np.ndarray, file: str) -> np.ndarray:
    """Return uint8 or float32 `(samples, channels, height, width)`."""
    what = f"images of {file}"
    if given.dtype.kind not in "buif":
        raise UploadError(f"{what} are {given.dtype.name} and have to be numbers")
    if given.ndim == 3:
        given = given[:, None]
    elif given.ndim != 4:
        raise UploadError(
            f"{what} have the shape {_written(given.shape)}: give (count, height, width), with channels before or after"
        )
    elif given.shape[1] > MOST_CHANNELS or (given.shape[3] <= MOST_CHANNELS and min(given.shape[1:3]) >= SIDES[0]):
        given = given.transpose(0, 3, 1, 2)
    count, channels, *sides = given.shape
    if not 1 <= channels <= MOST_CHANNELS:
        raise UploadError(f"{what} have {channels} channels and may have 1 to {MOST_CHANNELS}")
    if min(sides) < SIDES[0] or max(sides) > SIDES[1]:
        raise UploadError(f"{what} are {_written(sides)} pixels large and a side has {SIDES[0]} to {SIDES[1]}")
    if not FEWEST_SAMPLES <= count <= MOST_SAMPLES:
        raise UploadError(f"{file} has {count:,} images and may have {FEWEST_SAMPLES} to {MOST_SAMPLES:,}")
    if given.size > MOST_PIXELS:
        most = MOST_PIXELS // (given.size // count)
        raise UploadError(
            f"{file} has {count:,} images of {_written(given.shape[1:])}, and of that size at most {most:,} are taken"
        )
    lowest, highest = float(given.min()), float(given.max())
    if not -LARGEST_NUMBER <= lowest <= highest <= LARGEST_NUMBER:
        raise UploadError(f"{what} hold values that are NaN, infinite or beyond 1e30")
    if lowest == highest:
        raise UploadError(f"{what} are all of one colour")
    if given.dtype.kind == "b":
        given = given.astype(np.uint8) * np.uint8(255)
    return np.ascontiguousarray(given, dtype=np.uint8 if given.dtype == np.uint8 else np.float32)


def _masks(given: np.ndarray, images: np.ndarray, file: str) -> np.ndarray:
    """Return bool `(samples, height, width)`."""
    what = f"masks of {file}"
    if given.dtype.kind not in "buif":
        raise UploadError(f"{what} are {given.dtype.name} and have to be numbers, 0 outside and 1 inside")
    if given.ndim == 4 and 1 in (given.shape[1], given.shape[3]):
        given = given[:, 0] if given.shape[1] == 1 else given[..., 0]
    wanted = (images.shape[0], *images.shape[2:])
    if given.shape != wanted:
        raise UploadError(f"{what} have the shape {_written(given.shape)} and its images need {_written(wanted)}")
    highest = given.max()
    if not ((given == 0) | (given == highest)).all():
        raise UploadError(f"{what} hold more than two different values: a mask has 0 outside and 1 (or 255) inside")
    inside = given != 0
    if not inside.any() or inside.all():
        raise UploadError(f"{what} mark {'every' if inside.all() else 'no'} pixel: there is nothing to find")
    return np.ascontiguousarray(inside)


def _labels(given: np.ndarray, count: int, file: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the labels as int32 places in their sorted names, and these."""
    what = f"labels of {file}"
    if given.ndim == 2 and given.shape[1] == 1:
        given = given[:, 0]
    if given.shape != (count,):
        raise UploadError(f"{what} have the shape {_written(given.shape)} and there are {count:,} images: give one label an image")
    if given.dtype.kind == "f":
        if not np.array_equal(given, np.round(given)) or np.abs(given).max() > 1e9:
            raise UploadError(f"{what} have fractions or are no numbers: give whole numbers or words")
        given = given.astype(np.int64)
    if given.dtype.kind in "US":
        if given.dtype.itemsize > LONGEST_LABEL * (4 if given.dtype.kind == "U" else 1):
            raise UploadError(f"{what} are longer than {LONGEST_LABEL} characters")
        given = _words(given, what)
    found, places, counts = np.unique(given, return_inverse=True, return_counts=True)
    if not 2 <= len(found) <= MOST_CLASSES:
        raise UploadError(f"{what} have {len(found):,} different values, and 2 to {MOST_CLASSES} classes can be told apart")
    if counts.min() < 2:
        raise UploadError(f"{what} name {shown(str(found[counts.argmin()]), 24)!r} once only, and a class needs two images")
    return places.astype(np.int32), tuple(shown(str(name), 60) or "(blank)" for name in found)


def _words(given: np.ndarray, what: str) -> np.ndarray:
    try:
        words = np.char.decode(given, "utf-8") if given.dtype.kind == "S" else given
        for word in words[:MOST_SAMPLES].tolist():
            word.encode()
    except (UnicodeError, ValueError):
        raise UploadError(f"{what} are no text: give whole numbers or words") from None
    return words


def _written(shape) -> str:
    return " × ".join(f"{size:,}" for size in shape) or "of a single value"
