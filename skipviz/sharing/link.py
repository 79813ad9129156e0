"""An experiment as a short text that goes into an address, and back. Imports the data model only.

A link is a version, then a checksum and the experiment's packed JSON, deflated, in the URL-safe alphabet of base 64. It
carries nothing but data: a damaged or hostile text is refused with a sentence, and never costs more than its bounds allow.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from urllib.parse import parse_qs, urlsplit

from pydantic import ValidationError

from ..network.base import NetworkError, sentence
from ..tasks.experiment import Experiment, MismatchError, mismatch_in
from .packing import PackingError, packed, unpacked

VERSION = "1."
"""Every link begins with it; another meaning of the short keys would be another version."""

MAX_CHARACTERS = 8_000
"""Of a link. Browsers and servers carry addresses of this length."""

MAX_BYTES = 2_000_000
"""Of a link's JSON once inflated. A network of 2,500 different layers has less than a quarter of it."""

_TEXT = re.compile(r"[A-Za-z0-9_-]+")


class LinkError(ValueError):
    """A text that is no link to an experiment, or an experiment that no link can hold; one sentence.

    `mismatch` is there where all that is wrong is a network that does not fit its task.
    """

    mismatch: MismatchError | None = None


def encode(experiment: Experiment) -> str:
    """Return the link text of `experiment`, equal for equal experiments; raises `LinkError` if it would be too long."""
    content = json.dumps(_packed(experiment), separators=(",", ":")).encode()
    text = VERSION + base64.urlsafe_b64encode(_sealed(zlib.compress(content, 9, -zlib.MAX_WBITS))).decode().rstrip("=")
    if len(text) > MAX_CHARACTERS or len(content) > MAX_BYTES:
        raise LinkError(
            f"this experiment makes a link of {len(text):,} characters and a link has at most {MAX_CHARACTERS:,}; "
            "share it as a JSON file"
        )
    return text


def decode(text: str) -> Experiment:
    """Return the experiment that a link's text holds, ids and seed included; raises `LinkError` for any other text."""
    if not isinstance(text, str):
        raise LinkError("a link is text")
    if len(text) > MAX_CHARACTERS:
        raise LinkError(f"this link has {len(text):,} characters and a link has at most {MAX_CHARACTERS:,}")
    if not text.startswith(VERSION):
        raise LinkError(f"this link is damaged or of another version: it does not begin with {VERSION!r}")
    content = _inflated(_opened(_bytes(text.removeprefix(VERSION))))
    try:
        short = json.loads(content, parse_constant=_no_constant, object_pairs_hook=_unique)
        experiment = Experiment.model_validate(unpacked(short))
        if _packed(experiment) != short:
            raise PackingError("it is not written as links are")
        return experiment
    except PackingError as error:
        raise LinkError(f"this link is damaged: {error}") from None
    except ValidationError as error:
        refused = LinkError(f"this link's experiment cannot be: {sentence(error)}")
        refused.mismatch = mismatch_in(error)
        raise refused from None
    except NetworkError as error:
        raise LinkError(f"this link's experiment cannot be: {error}") from None
    except (ValueError, RecursionError):
        raise LinkError("this link is damaged: it does not hold an experiment") from None


def text_of(address: str) -> str:
    """Return the link text in `address`, which is a link text itself or a page's address with `?x=…`."""
    address = address.strip()
    if "://" not in address and "?" not in address:
        return address
    try:
        return parse_qs(urlsplit(address).query).get("x", [""])[0]
    except ValueError:
        return ""


def _packed(experiment: Experiment) -> dict:
    return packed(experiment.model_dump(mode="json", exclude_defaults=True))


def _bytes(text: str) -> bytes:
    if not _TEXT.fullmatch(text):
        raise LinkError("this link is damaged: it has characters that no link has")
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise LinkError("this link is damaged: it is cut short") from None
    if base64.urlsafe_b64encode(content).decode().rstrip("=") != text:
        raise LinkError("this link is damaged: its last character is wrong")
    return content


def _sealed(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(4, "big") + content


def _opened(content: bytes) -> bytes:
    """Return what was sealed; a checksum of every bit, so that no damage goes unnoticed."""
    if _sealed(content[4:]) != content:
        raise LinkError("this link is damaged: it was cut short or changed on its way")
    return content[4:]


def _inflated(content: bytes) -> bytes:
    """Return `content` inflated, never holding more than `MAX_BYTES` of it."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = stream.decompress(content, MAX_BYTES + 1)
    except zlib.error:
        raise LinkError("this link is damaged: what it holds does not unpack") from None
    if len(inflated) > MAX_BYTES:
        raise LinkError(f"this link unpacks to more than {MAX_BYTES:,} bytes")
    if not stream.eof or stream.unused_data:
        raise LinkError("this link is damaged: it is cut short or has something behind its end")
    return inflated


def _no_constant(name: str):
    raise PackingError(f"it holds {name}")


def _unique(pairs: list) -> dict:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise PackingError("it says something twice")
    return table
