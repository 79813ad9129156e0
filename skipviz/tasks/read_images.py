"""Reads a zip of image files, with a folder for each class or with masks: all are made one size. Nothing is written to disk.

Pillow decodes them; how large one is, its head says before that, and all of them together are bounded.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from dataclasses import dataclass
from io import BytesIO
from statistics import median

import numpy as np
from PIL import Image

from .archive import unpacked
from .image_names import PICTURE_WORDS, chosen_pictures, folder_class, is_mask, is_picture, words
from .image_pixels import pixels_of
from .image_safety import safe_image
from .own import FEWEST_SAMPLES, MOST_CLASSES, MOST_PIXELS, SIDES, UploadError, shown
from .pictures import Pictures
from .read_arrays import checked_images, labels_of
from .read_masks import Masks, read_masks

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")
MOST_FILES = 5000
"""Image files that are decoded: each takes a tenth of a millisecond, however small it is."""
MOST_UNPACKED = 40 * 2**20
"""Bytes of all image files once unpacked, before they are decoded."""
MOST_DECODED = 36_000_000
"""Pixels of all image files together: the slowest kind takes 25 ns for each."""
MOST_OF_ONE = 16_000_000
"""Pixels of one image file: 48 MB in colour."""
RESIZED_SIDE, STEP = 128, 16
"""Longest side of pictures that have to be scaled, and what their sides are multiples of: halved four times, they are whole."""
SAME_PROPORTION = 0.02
"""By how much a mask's sides may be in another proportion than its picture's."""
GREY, DEEP, PALETTE = ("1", "L", "LA", "La"), ("I", "I;16", "I;16L", "I;16B", "I;16N"), ("P",)
"""Pillow's names for what is no colour, for 16 bits a pixel, and for numbers of colours."""

Image.MAX_IMAGE_PIXELS = MOST_OF_ONE


@dataclass(frozen=True)
class _File:
    """An image file that is opened, and what its head says: no pixel of it is decoded yet."""

    name: str
    image: Image.Image
    size: tuple[int, int]
    mode: str
    palette: bytes


def read_images(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], file: str) -> Pictures:
    """Return the pictures of an archive whose entries are safe to read; raises `UploadError` with one sentence."""
    named = {entry.filename: entry for entry in entries}
    pairs, notes = _chosen(list(named), file)
    masks = [mask for mask in pairs.values() if mask]
    heads = _heads(archive, [named[name] for name in (*pairs, *masks)], file)
    pictures = [heads[name] for name in pairs]
    mode = "L" if all(one.mode in GREY + DEEP for one in pictures) else "RGB"
    size, said = _common_size(pictures, len(mode), file)
    images = np.stack([_pixels(one, mode, size, "BILINEAR", file) for one in pictures])
    images = checked_images(images[:, None] if mode == "L" else images.transpose(0, 3, 1, 2), file, "pictures")
    source: dict = {"door": "images", "mode": mode, "size": size, "pillow": Image.__version__}
    notes, more = notes + said, {}
    if masks:
        found, source["mask_mode"] = _masks([heads[name] for name in masks], pictures, size, images, file)
        more |= {"masks": found.values, "mask_classes": found.classes}
        source["masks"], notes = found.rule, notes + found.notes
    folders = [folder_class(name) for name in pairs]
    counts = Counter(folders)
    if not masks or (2 <= len(counts) <= MOST_CLASSES and min(counts.values()) > 1 and "" not in counts):
        more["labels"], more["classes"] = labels_of(np.array(folders), len(folders), f"folders of {file}")
    return Pictures(file, images, source=source, notes=notes, **more)


def _chosen(names: list[str], file: str) -> tuple[dict[str, str | None], tuple[str, ...]]:
    """Return the pictures that are learned from, each with its mask or None, and what to say of others."""
    pairs = chosen_pictures(names)
    pictures = [name for name in names if is_picture(name)]
    whole = [name for name in pictures if not is_mask(name)]
    paired = any(pairs.values())
    if not paired and any(is_mask(name) for name in pictures):
        alone = next((name for name in whole if PICTURE_WORDS.issuperset(words(folder_class(name)))), None)
        if alone:
            raise UploadError(
                f"no mask in {file} has the name of {shown(alone, 60)}: call both alike, in folders called images and masks"
            )
    if len({folder_class(name) for name in pairs}) < 2 and not paired:
        raise UploadError(
            f"{file} holds {len(pictures):,} pictures and nothing to tell of them:"
            " give each class a folder of its own, or the masks a folder called masks"
        )
    used = len(pairs) * (2 if paired else 1)
    if used > MOST_FILES:
        raise UploadError(f"{file} holds {used:,} image files and at most {MOST_FILES:,} are taken: send fewer")
    if len(pairs) < FEWEST_SAMPLES:
        raise UploadError(f"{file} has {len(pairs)} pictures{' with a mask' * paired} and needs at least {FEWEST_SAMPLES}")
    left = len(whole if paired else pictures) - len(pairs)
    why = "no single mask of their name" if paired else "no folder that names their class"
    return pairs, (f"Left out: {left:,} pictures with {why}.",) if left else ()


def _heads(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], file: str) -> dict[str, _File]:
    """Return the image files, of which only heads were read; raises `UploadError` where they are too large."""
    size = sum(entry.file_size for entry in entries)
    if size > MOST_UNPACKED:
        raise UploadError(f"{file} unpacks to {size / 2**20:,.0f} MB and image files may have {MOST_UNPACKED // 2**20} in all")
    found, pixels = {}, 0
    for entry in entries:
        name = entry.filename
        one = _refusing(name, file, lambda entry=entry: _head(entry.filename, safe_image(unpacked(archive, entry))))
        if one.size[0] * one.size[1] > MOST_OF_ONE:
            raise UploadError(
                f"{shown(name, 60)} of {file} has {one.size[0]:,} × {one.size[1]:,} pixels, and {MOST_OF_ONE:,} are the limit"
            )
        pixels += one.size[0] * one.size[1]
        found[name] = one
    if pixels > MOST_DECODED:
        raise UploadError(
            f"{file} holds {pixels / 1e6:,.0f} megapixels and at most {MOST_DECODED // 10**6} are taken:"
            f" send fewer, or smaller ones, for which {SIDES[1]} pixels a side are enough"
        )
    return found


def _head(name: str, content: bytes) -> _File:
    image = Image.open(BytesIO(content), formats=FORMATS)
    palette = bytes(image.palette.palette) if image.mode == "P" else b""
    return _File(name, image, image.size, image.mode, palette)


def _refusing(name: str, file: str, read):
    """Return what `read()` gives; raises `UploadError` where an image file is none, or is one that is not opened."""
    try:
        return read()
    except UploadError:
        raise
    except Exception as error:  # Pillow tells of damage in many kinds
        said = f" It {error}." if type(error) is ValueError and str(error).startswith(("has more", "is a ")) else ""
        kinds = "PNG, JPEG, BMP, GIF, TIFF or WebP"
        raise UploadError(f"{shown(name, 60)} of {file} is no {kinds} that can be opened.{said}".rstrip(".")) from None


def _pixels(one: _File, mode: str, size: tuple[int, int], method: str, file: str) -> np.ndarray:
    return _refusing(one.name, file, lambda: pixels_of(one.image, mode, size, method))


def _common_size(pictures: list[_File], channels: int, file: str) -> tuple[tuple[int, int], tuple[str, ...]]:
    """Return the width and height that all pictures get, and what to say of it; raises `UploadError`."""
    sizes = {one.size for one in pictures}
    smallest, most = min(min(size) for size in sizes), MOST_PIXELS // (len(pictures) * channels)
    if smallest < SIDES[0]:
        raise UploadError(f"a picture of {file} has a side of {smallest} pixels and a side has {SIDES[0]} to {SIDES[1]}")
    first = pictures[0].size
    if len(sizes) == 1 and max(first) <= SIDES[1] and first[0] * first[1] <= most:
        return first, ()
    if len(sizes) > 1:
        side = min(RESIZED_SIDE, median(min(one.size) for one in pictures), int(most**0.5))
        size = (_stepped(side), _stepped(side))
    else:
        factor = min(RESIZED_SIDE / max(first), (most / (first[0] * first[1])) ** 0.5)
        size = (_stepped(first[0] * factor), _stepped(first[1] * factor))
    if size[0] * size[1] > most:
        raise UploadError(f"{file} has {len(pictures):,} pictures, too many to be of {STEP} × {STEP} pixels at least: send fewer")
    large = max(sizes, key=lambda size: size[0] * size[1])
    what = f"of {len(sizes):,} sizes, up to {large[0]:,} × {large[1]:,}," if len(sizes) > 1 else f"of {first[0]:,} × {first[1]:,}"
    return size, (f"Pictures {what} are cut to their middle and scaled to {size[0]} × {size[1]} pixels.",)


def _stepped(side: float) -> int:
    """Return a side as a multiple of the step, or as it is where it is smaller than that."""
    return max(STEP, int(side) // STEP * STEP)


def _masks(files: list[_File], pictures: list[_File], size: tuple[int, int], images: np.ndarray, file: str) -> tuple[Masks, str]:
    """Return the masks of pictures, and in which of Pillow's modes they were read; raises `UploadError`."""
    for mask, picture in zip(files, pictures, strict=True):
        across, down = (one / other for one, other in zip(mask.size, picture.size, strict=True))
        if abs(across / down - 1) > SAME_PROPORTION:
            sides = " and ".join(f"{shown(one.name, 40)} has {one.size[0]} × {one.size[1]} pixels" for one in (picture, mask))
            raise UploadError(f"a mask of {file} is in another proportion than its picture: {sides}")
    modes = {one.mode for one in files}
    if modes <= {*GREY}:
        mode = "L"
    elif modes <= {*DEEP} or (modes == {*PALETTE} and _is_one_palette(files)):
        mode = "raw"
    else:
        mode = "RGB"
    given = np.stack([_pixels(one, mode, size, "NEAREST", file) for one in files])
    return read_masks(given, (images.shape[0], *images.shape[2:]), f"masks of {file}"), mode


def _is_one_palette(files: list[_File]) -> bool:
    """Return whether a number is the same colour in all files; some leave out the colours that they do not use."""
    longest = max((one.palette for one in files), key=len)
    return all(longest.startswith(one.palette) for one in files)
