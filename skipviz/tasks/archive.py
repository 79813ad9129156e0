"""Opens a zip that somebody sends, bounded before any of it is listed or unpacked. Imports the standard library only."""

from __future__ import annotations

import io
import struct
import zipfile

from .own import UploadError, shown

MOST_DIRECTORY = 1_500_000
"""Bytes of a zip's list of entries: of 6,000 files with long names. The list takes ten times as much once it is read."""
LONGEST_NAME = 250
"""Characters of an entry's name, folders and all."""
_END, _END_SIZE, _LARGE, _LARGE_SIZE = b"PK\x05\x06", 22, b"PK\x06\x07", 20
_LONGEST_COMMENT = 2**16
_ENCRYPTED = 0x1
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def opened(content: bytes, file: str) -> zipfile.ZipFile:
    """Return the zip; raises `UploadError` where its list of entries is too long, and zipfile's errors where it is damaged."""
    place = len(content) - _END_SIZE
    if content[place : place + 4] != _END or content[-2:] != b"\0\0":
        place = content.rfind(_END, max(0, place - _LONGEST_COMMENT))
    if place < 0 or len(content) < place + _END_SIZE:
        raise zipfile.BadZipFile
    if content[max(0, place - _LARGE_SIZE) : place].startswith(_LARGE):
        raise UploadError(f"{file} is a zip for more than 65,535 files: send fewer")
    if struct.unpack_from("<L", content, place + 12)[0] > MOST_DIRECTORY:
        raise UploadError(f"{file} lists too many files: its list alone has more than {MOST_DIRECTORY / 2**20:.1f} MB")
    return zipfile.ZipFile(io.BytesIO(content))


def files(archive: zipfile.ZipFile, file: str) -> list[zipfile.ZipInfo]:
    """Return the entries that are files, each safe to read; folders and what systems add by themselves are passed over.

    Raises `UploadError` with one sentence.
    """
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        name, said = entry.filename, shown(entry.filename, 40) or "a nameless entry"
        parts = name.split("/")
        if name.endswith("/") or parts[0] == "__MACOSX" or (parts[-1].startswith(".") and parts[-1].strip(".")):
            continue
        if not name or len(name) > LONGEST_NAME or parts[0] == "" or ".." in parts or "\\" in name or not name.isprintable():
            raise UploadError(f"{file} holds {said!r}, which is no name of a file in it")
        if name in found:
            raise UploadError(f"{file} holds two files called {said}")
        if entry.flag_bits & _ENCRYPTED:
            raise UploadError(f"{file} is encrypted")
        if entry.compress_type not in _PACKINGS:
            raise UploadError(f"{said} of {file} is packed in an unusual way: pack it as a plain zip")
        found[name] = entry
    return list(found.values())


def unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return an entry's bytes, never more than it says that it has; raises zipfile's errors where it is damaged."""
    with archive.open(entry) as stream:
        content = stream.read(entry.file_size)
        if len(content) != entry.file_size:
            raise zipfile.BadZipFile
        return content
