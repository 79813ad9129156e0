"""What in an image file would cost more than its pixels, found before Pillow opens it. Imports the standard library only."""

from __future__ import annotations

import struct

PNG = b"\x89PNG\r\n\x1a\n"
PNG_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
"""What a PNG's pixels depend on; texts and profiles, which may be packed a thousand times, are left out."""
MOST_SCANS = 20
"""Of a JPEG, in which each scan goes over all pixels; a progressive one has about ten."""
BMP_PLAIN = (0, 3, 6)
"""Ways to lay down a BMP in which no runs have to be followed."""
MOST_TAGS, MOST_TAG_BYTES = 64, 2**20
"""Of a TIFF; each tag's bytes may be the same ones again."""
_TAG_SIZES = (1, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8)


def safe_image(content: bytes) -> bytes:
    """Return an image file of which nothing but its pixels costs time; raises `ValueError` with what a person can do."""
    if content.startswith(PNG):
        return _pixels_only(content)
    if content.startswith(b"\xff\xd8") and content.count(b"\xff\xda") > MOST_SCANS:
        raise ValueError(f"has more than {MOST_SCANS} scans")
    if content.startswith(b"BM") and content[30:34] not in (struct.pack("<L", plain) for plain in BMP_PLAIN):
        raise ValueError("is a packed BMP: save it as PNG")
    if content[:4] in (b"II*\0", b"MM\0*"):
        _check_tags(content, "<" if content[:1] == b"I" else ">")
    return content


def _pixels_only(content: bytes) -> bytes:
    """Return a PNG with those chunks alone that its pixels depend on."""
    kept, place = [PNG], len(PNG)
    while place + 12 <= len(content):
        end = place + 12 + int.from_bytes(content[place : place + 4], "big")
        if content[place + 4 : place + 8] in PNG_CHUNKS:
            kept.append(content[place:end])
        place = end
    return b"".join(kept)


def _check_tags(content: bytes, order: str) -> None:
    """Raise `ValueError` where a TIFF's first directory is longer than one of a picture."""
    (first,) = struct.unpack_from(f"{order}L", content, 4)
    count, total = struct.unpack_from(f"{order}H", content, first)[0], 0
    for tag in range(min(count, MOST_TAGS)):
        _, kind, values = struct.unpack_from(f"{order}HHL", content, first + 2 + 12 * tag)
        total += values * (_TAG_SIZES[kind] if kind < len(_TAG_SIZES) else 8)
    if count > MOST_TAGS or total > MOST_TAG_BYTES:
        raise ValueError("is a TIFF with more than a picture in it: save it as PNG")
