"""Understands masks: of one thing or of several classes, by values, channels or colours, sharp or blurred. numpy only.

What was understood is written down as a rule, JSON data by which a script reads the same file the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .own import IGNORED, MOST_MASK_CLASSES, UploadError

SLAB = 2**20
"""Values that are looked at together, so that nothing of the size of all masks is made beside them."""
WIDEST = 2**16
"""Whole numbers up to this size are classes, if they are few."""
LARGEST = 2**53
"""Up to it, every whole number is a float too."""
SMALL_CLASSES = 100
"""Below it are all classes of masks in which 255 marks what is ignored."""
IGNORED_NUMBERS = (-1, -100, 255)
TIGHT, LOOSE = 8 / 255, 48 / 255
"""Of the range between dark and light: how far a JPEG moves values, always and nearly always."""
MOSTLY = 0.9
"""Share of pixels near one of the ends, where a mask of one thing was blurred."""
FEW = 8
"""Values that a blurred mask has more of, unless it is blurred by very little."""


@dataclass(frozen=True)
class Masks:
    """Masks that were understood: bool, or uint8 places in `classes` with 255 where ignored; `(count, height, width)`."""

    values: np.ndarray
    classes: tuple[str, ...]
    rule: dict
    notes: tuple[str, ...]


def read_masks(given: np.ndarray, wanted: tuple[int, int, int], what: str) -> Masks:
    """Return the masks of `wanted` (count, height, width); raises `UploadError` with one sentence that names them by `what`."""
    if given.dtype.kind not in "buif":
        raise UploadError(f"{what} are {given.dtype.name} and have to be numbers: 0 outside and 1 inside, or a number a class")
    if given.dtype.kind == "b":
        given = given.view(np.uint8)
    flat, rule, notes = _flattened(given, wanted, what)
    colours = rule.get("channels") == "colours"
    lowest, highest = flat.min(), flat.max()
    if not np.isfinite(float(lowest) + float(highest)):
        raise UploadError(f"{what} hold values that are NaN or infinite")
    if lowest == highest:
        which = "no pixel" if lowest == 0 else f"every pixel alike, with {_said(lowest, colours)}"
        raise UploadError(f"{what} mark {which}: there is nothing to find")
    if all(((slab == lowest) | (slab == highest)).all() for slab in _slabs(flat)):
        if colours or lowest != 0 or highest not in (1, 255):
            low, high = (_said(value, colours) for value in (lowest, highest))
            notes += (f"Masks hold {low} and {high}: {high} is taken as inside.",)
        return Masks(np.ascontiguousarray(flat == highest), (), {**rule, "inside": highest.item()}, notes)
    counts = _counts(flat, any_size=colours)
    ignored = next((value for value in IGNORED_NUMBERS if counts and not colours and _is_ignored(value, counts)), None)
    if ignored is None and not colours and _is_blurred(flat, counts):
        limit = (float(lowest) + float(highest)) / 2
        notes += (f"Masks are blurred, as JPEG does it: what is above {limit:g} is taken as inside.",)
        return Masks(np.ascontiguousarray(flat > limit), (), {**rule, "above": limit}, notes)
    if not counts or len(counts) - (ignored is not None) > MOST_MASK_CLASSES:
        raise UploadError(_too_many(counts, colours, what))
    values = sorted(set(counts) - {ignored})
    notes += (f"Masks tell {len(values)} classes of pixels: {', '.join(_said(value, colours) for value in values)}.",)
    if ignored is not None:
        notes += (f"A pixel of {ignored} in a mask is ignored: it counts neither in the loss nor in the IoU.",)
    return Masks(
        _placed(flat, values, ignored),
        tuple(_said(value, colours) for value in values),
        {**rule, "classes": values, **({} if ignored is None else {"ignored": ignored})},
        notes,
    )


def written(shape) -> str:
    """Return an array's shape as a person reads it."""
    return " × ".join(f"{size:,}" for size in shape) or "of a single value"


def _flattened(given: np.ndarray, wanted: tuple[int, int, int], what: str) -> tuple[np.ndarray, dict, tuple[str, ...]]:
    """Return one value a pixel, how it came from channels if there are some, and what to say of it."""
    if given.shape == wanted:
        return given, {}, ()
    axis = 3 if given.shape[:3] == wanted else 1 if given.ndim == 4 and (given.shape[0], *given.shape[2:]) == wanted else None
    if given.ndim != 4 or axis is None:
        raise UploadError(f"{what} have the shape {written(given.shape)} and its images need {written(wanted)}")
    channels = given.shape[axis]
    parts = np.moveaxis(given, axis, -1)
    if channels == 1:
        return parts[..., 0], {"axis": axis, "channels": "one"}, ()
    if channels in (3, 4) and all((slab[..., 1:3] == slab[..., :1]).all() for slab in _images(parts)):
        return parts[..., 0], {"axis": axis, "channels": "one"}, ()
    if channels in (3, 4) and given.dtype == np.uint8 and parts.max() > 1:
        return _as_numbers(parts), {"axis": axis, "channels": "colours"}, ()
    marked = _marked(parts)
    if marked is not None and channels <= MOST_MASK_CLASSES:
        places = np.concatenate([slab.argmax(-1).astype(np.uint8) for slab in _images(parts)])
        if marked:
            return places, {"axis": axis, "channels": "one-hot"}, (f"Masks have a channel for each of {channels} classes.",)
        there = np.concatenate([(slab != 0).any(-1) for slab in _images(parts)])
        note = f"Masks have a channel for each of {channels} classes; a pixel in none of them is of class 0, one more."
        return np.where(there, places + np.uint8(1), np.uint8(0)), {"axis": axis, "channels": "one-hot or none"}, (note,)
    raise UploadError(
        f"{what} have {channels} channels, of which a pixel has several or none that is whole: mark one class a pixel, with 0 and 1"
    )


def _marked(parts: np.ndarray) -> bool | None:
    """Return whether exactly one channel is marked at every pixel; False if one or none is, None where values are others."""
    mark, every = parts.max(), True
    for slab in _images(parts):
        marks = (slab == mark).sum(-1)
        if not ((slab == 0) | (slab == mark)).all() or marks.max() > 1:
            return None
        every = every and bool(marks.min() == 1)
    return every


def _as_numbers(parts: np.ndarray) -> np.ndarray:
    """Return colours as whole numbers, red first."""
    return np.concatenate([slab[..., :3].astype(np.int32) @ np.array([65536, 256, 1], np.int32) for slab in _images(parts)])


def _counts(flat: np.ndarray, any_size: bool) -> dict[int, int] | None:
    """Return how often each whole number is there; None where there are fractions, numbers that are too large, or too many."""
    found: dict[int, int] = {}
    for slab in _slabs(flat):
        if slab.dtype.kind == "f" and (slab != np.rint(slab)).any():
            return None
        low, high = int(slab.min()), int(slab.max())
        if high - low <= WIDEST and max(abs(low), abs(high)) <= LARGEST:
            counts = np.bincount(slab.astype(np.int64) - low)
            pairs = [(low + int(place), int(counts[place])) for place in np.flatnonzero(counts)]
        elif any_size:
            pairs = list(zip(*(part.tolist() for part in np.unique(slab, return_counts=True)), strict=True))
        else:
            return None
        for value, count in pairs:
            found[value] = found.get(value, 0) + count
        if len(found) > WIDEST:
            return None
    return found


def _is_ignored(value: int, counts: dict[int, int]) -> bool:
    """Return whether a number marks what is ignored: all others are small ones from 0, and at least two of them."""
    others = set(counts) - {value}
    return value in counts and len(others) >= 2 and min(others) >= 0 and max(others) < SMALL_CLASSES


def _is_blurred(flat: np.ndarray, counts: dict[int, int] | None) -> bool:
    """Return whether nearly all values lie near the lowest or the highest, and are no few numbers in equal steps."""
    low, high = float(flat.min()), float(flat.max())
    if counts is None:
        near = sum(_near_an_end(slab, low, high, LOOSE).sum() for slab in _slabs(flat)) / flat.size
        return bool(near >= MOSTLY)
    values, pixels = np.array(sorted(counts)), np.array([counts[value] for value in sorted(counts)])
    steps = np.diff(values)
    if high - low < SMALL_CLASSES or (len(values) <= MOST_MASK_CLASSES and np.ptp(steps) <= 1):
        return False
    near = pixels[_near_an_end(values, low, high, LOOSE)].sum() / pixels.sum()
    return bool(_near_an_end(values, low, high, TIGHT).all() or (len(values) > FEW and near >= MOSTLY))


def _near_an_end(values: np.ndarray, low: float, high: float, share: float) -> np.ndarray:
    return np.minimum(values - low, high - values) <= share * (high - low)


def _placed(flat: np.ndarray, values: list[int], ignored: int | None) -> np.ndarray:
    """Return each pixel's place among the values, 255 where it is ignored."""
    parts = [np.searchsorted(values, slab).astype(np.uint8) for slab in _slabs(flat)]
    placed = np.concatenate(parts).reshape(flat.shape)
    if ignored is not None:
        placed[flat == ignored] = IGNORED
    return placed


def _too_many(counts: dict[int, int] | None, colours: bool, what: str) -> str:
    if counts is None:
        return f"{what} hold fractions or large numbers: a mask has two values, or a whole number for each class"
    held = f"{what} hold {len(counts):,} different {'colours' if colours else 'values'}"
    blurred = ", or was it saved as JPEG? Save it as PNG" if len(counts) > 2 * MOST_MASK_CLASSES else ""
    return f"{held}: a mask has two, or one for each of up to {MOST_MASK_CLASSES} classes{blurred}"


def _said(value, colours: bool) -> str:
    return f"#{int(value):06X}" if colours else f"{value:g}"


def _slabs(flat: np.ndarray) -> Iterator[np.ndarray]:
    """Yield all values, some whole images at a time, in their order."""
    for slab in _images(flat):
        yield slab.reshape(-1)


def _images(parts: np.ndarray) -> Iterator[np.ndarray]:
    step = max(1, SLAB // max(1, parts[0].size))
    for first in range(0, len(parts), step):
        yield parts[first : first + step]
