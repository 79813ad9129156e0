"""What travels between the server and its store writer: a JSON head and any number of byte strings after it."""

from __future__ import annotations

import json
import struct
from typing import BinaryIO, NamedTuple

_SIZES = struct.Struct(">II")
_LENGTH = struct.Struct(">I")


class Message(NamedTuple):
    """A head and what it speaks of."""

    head: dict
    parts: list[bytes]


def write(stream: BinaryIO, head: dict, parts: list[bytes] = ()) -> None:
    """Write one message; raises `OSError` (`ValueError` for a closed stream) when nobody reads."""
    text = json.dumps(head, separators=(",", ":")).encode()
    lengths = b"".join([_LENGTH.pack(len(part)) for part in parts])
    stream.write(b"".join([_SIZES.pack(len(text), len(parts)), text, lengths, *parts]))
    stream.flush()


def read(stream: BinaryIO) -> Message | None:
    """Return the next message, or None when the writer is gone; what it had not finished does not count."""
    start = stream.read(_SIZES.size)
    if len(start) < _SIZES.size:
        return None
    size, count = _SIZES.unpack(start)
    text, lengths = stream.read(size), stream.read(count * _LENGTH.size)
    if len(text) < size or len(lengths) < count * _LENGTH.size:
        return None
    sizes = [length for (length,) in _LENGTH.iter_unpack(lengths)]
    parts = [stream.read(length) for length in sizes]
    if sizes and len(parts[-1]) < sizes[-1]:
        return None
    return Message(json.loads(text), parts)
