"""Reads pictures that come as arrays under usual names: whatever is wrong with them ends in one sentence. numpy only.

Nothing in a file is unpickled, and nothing is unpacked before its size is known and allowed.
"""

from __future__ import annotations

import io
import math
import zipfile

import numpy as np
from numpy.lib import format as npy

from .archive import unpacked
from .array_names import parted
from .own import FEWEST_SAMPLES, MOST_CHANNELS, MOST_CLASSES, MOST_PIXELS, MOST_SAMPLES, SIDES, UploadError, shown
from .pictures import Pictures
from .read_masks import read_masks, written

MOST_UNPACKED = 66 * 2**20
"""Bytes of an array once unpacked: as many pixels as there may be, in the widest numbers."""
MOST_ENTRIES = 16
LONGEST_LABEL = 100
"""Characters of a label that is a word."""
LARGEST_NUMBER = 1e30
"""Of a pixel, so that squares and sums stay finite."""
EXPECTED = "images and labels or masks"


Parts = dict[str, dict[str, str]]
"""Of a data set, the names of its arrays by what they are."""


def read_arrays(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], file: str) -> Pictures:
    """Return the pictures of arrays under usual names, the parts of a data set joined; raises `UploadError`."""
    named = _named(entries, file)
    parts = _parts(named, file)

    def arrays(kind: str) -> list[tuple[str, np.ndarray]]:
        names = [part[kind] for part in parts.values()]
        return [(name, _array(unpacked(archive, named[name]), name, file)) for name in names]

    images, channels = _joined_images(arrays("images"), file)
    targets = {kind: arrays(kind) for kind in next(iter(parts.values())) if kind != "images"}
    if "targets" in targets:  # what is only called the target: its shape says what it is
        target = targets.pop("targets")
        targets.setdefault("masks" if target[0][1].ndim >= 3 else "labels", target)
    paths = {"images": [named[part["images"]].filename.removesuffix(".npy") for part in parts.values()]}
    paths |= {kind: [named[name].filename.removesuffix(".npy") for name, _ in targets[kind]] for kind in targets}
    source: dict = {"door": "arrays", "paths": paths, "channels": channels}
    notes = (f"Its parts {' and '.join(parts)} are joined, and a fifth of all is held out anew.",) if len(parts) > 1 else ()
    more: dict = {}
    if "masks" in targets:
        name = f"{targets['masks'][0][0]} of {file}"
        masks = read_masks(_joined(targets["masks"], file), (images.shape[0], *images.shape[2:]), name)
        more |= {"masks": masks.values, "mask_classes": masks.classes}
        source["masks"], notes = masks.rule, notes + masks.notes
    if "labels" in targets:
        numbers = [_label_numbers(array, f"{name} of {file}") for name, array in targets["labels"]]
        source["one_hot"] = any(one_hot for _, one_hot in numbers)
        notes += ("Labels are one-hot: a picture's class is the place of its 1.",) if source["one_hot"] else ()
        joined = _joined([(name, part) for (name, _), (part, _) in zip(targets["labels"], numbers, strict=True)], file)
        more["labels"], more["classes"] = labels_of(joined, len(images), f"{targets['labels'][0][0]} of {file}")
    return Pictures(file, images, source=source, notes=notes, **more)


def _named(entries: list[zipfile.ZipInfo], file: str) -> dict[str, zipfile.ZipInfo]:
    """Return the arrays' entries by name, each checked against the archive's own directory."""
    if len(entries) > MOST_ENTRIES:
        raise UploadError(f"{file} holds {len(entries):,} arrays and needs two: {EXPECTED}")
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        path = entry.filename.removesuffix(".npy")
        name = path.rpartition("/")[2]
        if path == entry.filename or not name.isidentifier():
            said = shown(entry.filename, 40) or "a nameless entry"
            raise UploadError(f"{file} holds {said!r}, which is neither a picture nor an array: it needs {EXPECTED}")
        if name in found:
            raise UploadError(f"{file} holds two arrays called {shown(name, 20)}")
        found[name] = entry
    return found


def _parts(named: dict[str, zipfile.ZipInfo], file: str) -> Parts:
    """Return the parts of the data set, each with the same arrays and none too large; raises `UploadError`."""
    try:
        parts = parted(list(named))
    except ValueError as error:
        raise UploadError(f"{file} holds {shown(str(error), 80)}: keep one of them") from None
    if not parts:
        names = shown(", ".join(named), 60) or "nothing"
        raise UploadError(f"{file} holds {names}: it needs {EXPECTED}")
    (first, arrays), *others = parts.items()
    for part, more in others:
        if more.keys() != arrays.keys():
            apart = shown(", ".join(sorted(more.keys() ^ arrays.keys())), 40)
            raise UploadError(f"{file} has {apart} for one of {first} and {part} only: give both the same arrays")
    for kind in arrays:
        size = sum(named[part[kind]].file_size for part in parts.values())
        if size > MOST_UNPACKED:
            names, most = shown(" and ".join(part[kind] for part in parts.values()), 60), MOST_UNPACKED // 2**20
            raise UploadError(f"{names} of {file} unpacks to {size / 2**20:,.0f} MB and an array has at most {most}")
    return parts


def _array(content: bytes, name: str, file: str) -> np.ndarray:
    """Return one array; its header says type and size before its values are looked at."""
    shape, by_columns, dtype, first = _header(content, name, file)
    if dtype.hasobject:
        raise UploadError(f"{name} of {file} holds pickled Python objects, which are never opened: save numbers or plain text")
    if dtype.kind not in "buifUS" or dtype.itemsize == 0:
        words = "" if name in ("images", "masks") else " or words"
        raise UploadError(f"{name} of {file} holds {shown(str(dtype), 30)}: save numbers{words}")
    count = math.prod(shape)
    if count * dtype.itemsize > MOST_UNPACKED:
        raise UploadError(f"{name} of {file} has the shape {written(shape)}, which is too large")
    if len(content) - first != count * dtype.itemsize:
        raise UploadError(f"{name} of {file} does not hold the {count:,} values that it promises: it may be cut short")
    return np.frombuffer(content, dtype, offset=first).reshape(shape, order="F" if by_columns else "C")


def _header(content: bytes, name: str, file: str) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    """Return an array's shape, whether it is laid down by columns, its type, and where its values begin."""
    stream = io.BytesIO(content[: 2**16])
    try:
        version = npy.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise ValueError("another version")
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        return (*read_header(stream), stream.tell())
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError, UnicodeError):
        raise UploadError(f"{name} of {file} is no numpy array") from None


def shape_of(content: bytes, file: str) -> tuple[tuple[int, ...], np.dtype]:
    """Return the shape and type that the header of a single array names; raises `UploadError` where no array of them is taken."""
    shape, _, dtype, _ = _header(content, "what is in", file)
    if dtype.hasobject:
        raise UploadError(f"{file} holds pickled Python objects, which are never opened: save plain numbers with numpy.save")
    return shape, dtype


def single_array(content: bytes, file: str) -> np.ndarray:
    """Return the one array of a .npy file; raises `UploadError` where it holds other than numbers or words, or is cut short."""
    return _array(content, "the array", file)


def one_array(content: bytes, file: str) -> str:
    """Return in a sentence what to do with a single array that is no table."""
    shape, _ = shape_of(content, file)
    together = "save images and labels, or masks, together: numpy.savez('pictures.npz', x=…, y=…)"
    return f"{file} is one array of {written(shape)} with nothing to tell of it: {together}"


def _joined(parts: list[tuple[str, np.ndarray]], file: str) -> np.ndarray:
    """Return the arrays as one; raises `UploadError` where they do not fit."""
    if len(parts) == 1:
        return parts[0][1]
    kinds = {"text" if part.dtype.kind in "US" else "bool" if part.dtype.kind == "b" else "numbers" for _, part in parts}
    if len(kinds) > 1 or len({part.shape[1:] for _, part in parts}) > 1:
        said = " and ".join(f"{name} {part.dtype.name} of {written(part.shape)}" for name, part in parts)
        raise UploadError(f"the parts of {file} cannot be joined: {shown(said, 120)}")
    return np.concatenate([part for _, part in parts])


def _joined_images(parts: list[tuple[str, np.ndarray]], file: str) -> tuple[np.ndarray, str]:
    """Return all images, uint8 or float32 `(samples, channels, height, width)`, and where their channels were."""
    placed = [_channels_first(array, f"{name} of {file}") for name, array in parts]
    where = {place for _, place in placed}
    joined = [(name, array) for (name, _), (array, _) in zip(parts, placed, strict=True)]
    for index, (name, array) in enumerate(joined):
        if array.dtype.kind in "iuf" and array.dtype != np.uint8:
            _bounded(array, f"{name} of {file}")
            joined[index] = (name, array.astype(np.float32))
    if len(where) > 1:
        raise UploadError(f"the parts of {file} have their channels in different places: {', '.join(sorted(where))}")
    return checked_images(_joined(joined, file), file, parts[0][0]), where.pop()


def _channels_first(given: np.ndarray, what: str) -> tuple[np.ndarray, str]:
    """Return images `(samples, channels, height, width)` and where their channels were: "none", "first" or "last"."""
    if given.dtype.kind not in "buif":
        raise UploadError(f"{what} are {given.dtype.name} and have to be numbers")
    if given.ndim == 3:
        return given[:, None], "none"
    if given.ndim != 4:
        needs = "volumes and films are not read, give each slice as a picture"
        if given.ndim != 5:
            needs = "give (count, height, width), with channels before or after height and width"
        raise UploadError(f"{what} have the shape {written(given.shape)}: {needs}")
    before, after = given.shape[1] <= MOST_CHANNELS, given.shape[3] <= MOST_CHANNELS
    if not before and not after:
        raise UploadError(
            f"{what} have the shape {written(given.shape)}: its second or its last number has to be 1 to {MOST_CHANNELS} channels"
        )
    if not before or (after and min(given.shape[1:3]) >= SIDES[0]):
        return given.transpose(0, 3, 1, 2), "last"
    return given, "first"


def _bounded(images: np.ndarray, what: str) -> None:
    if images.size and not -LARGEST_NUMBER <= float(images.min()) <= float(images.max()) <= LARGEST_NUMBER:
        raise UploadError(f"{what} hold values that are NaN, infinite or beyond 1e30")


def checked_images(given: np.ndarray, file: str, name: str = "images") -> np.ndarray:
    """Return images `(samples, channels, height, width)` as uint8 or float32; raises `UploadError` where they cannot be used."""
    what = f"{name} of {file}"
    count, channels, *sides = given.shape
    if not channels:
        raise UploadError(f"{what} have 0 channels and may have 1 to {MOST_CHANNELS}")
    if min(sides) < SIDES[0] or max(sides) > SIDES[1]:
        raise UploadError(f"{what} are {written(sides)} pixels large and a side has {SIDES[0]} to {SIDES[1]}")
    if not FEWEST_SAMPLES <= count <= MOST_SAMPLES:
        raise UploadError(f"{file} has {count:,} images and may have {FEWEST_SAMPLES} to {MOST_SAMPLES:,}")
    if given.size > MOST_PIXELS:
        most = MOST_PIXELS // (given.size // count)
        raise UploadError(f"{file} has {count:,} images of {written(given.shape[1:])}, and of that size at most {most:,} are taken")
    if given.min() == given.max():
        raise UploadError(f"{what} are all of one colour")
    if given.dtype.kind == "b":
        given = given.astype(np.uint8) * np.uint8(255)
    return np.ascontiguousarray(given, dtype=np.uint8 if given.dtype == np.uint8 else np.float32)


def _label_numbers(given: np.ndarray, what: str) -> tuple[np.ndarray, bool]:
    """Return labels, one a picture, as whole numbers or words, and whether they were one-hot."""
    if given.ndim == 2 and given.shape[1] == 1:
        given = given[:, 0]
    one_hot = given.ndim == 2 and given.dtype.kind in "buif" and given.shape[1] > 1
    if one_hot:
        marked = given != 0
        if not (marked.sum(1) == 1).all() or len(np.unique(given[marked])) > 1:
            said = f"{what} have the shape {written(given.shape)} and no single 1 in every row, as one-hot labels have"
            raise UploadError(f"{said}: give one class an image")
        given = marked.argmax(1)
    if given.ndim != 1:
        raise UploadError(f"{what} have the shape {written(given.shape)}: give one label an image")
    if given.dtype.kind == "f":
        if not np.array_equal(given, np.round(given)) or np.abs(given).max(initial=0) > 1e9:
            raise UploadError(f"{what} have fractions or are no numbers: give whole numbers or words")
        given = given.astype(np.int64)
    if given.dtype.kind in "US":
        if given.dtype.itemsize > LONGEST_LABEL * (4 if given.dtype.kind == "U" else 1):
            raise UploadError(f"{what} are longer than {LONGEST_LABEL} characters")
        given = _words(given, what)
    return given, one_hot


def labels_of(given: np.ndarray, count: int, what: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return whole numbers or words as int32 places in their sorted names, and these; raises `UploadError`."""
    if given.shape != (count,):
        raise UploadError(f"{what} have the shape {written(given.shape)} and there are {count:,} images: give one label an image")
    found, places, counts = np.unique(given, return_inverse=True, return_counts=True)
    if not 2 <= len(found) <= MOST_CLASSES:
        many = f"{len(found):,} different values" if len(found) > 1 else "one value only"
        raise UploadError(f"{what} have {many}, and 2 to {MOST_CLASSES} classes can be told apart")
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
