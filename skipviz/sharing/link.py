"""An experiment as a short text that goes into an address, and back. Imports the data model only.

A link is a version, then a checksum and the experiment's packed JSON, deflated, in the URL-safe alphabet of base 64. It
carries nothing but data: a damaged or hostile text is refused with a sentence, and never costs more than its bounds allow.
Links of older versions are read too: each version's data is carried over to the next one's.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from functools import cache
from importlib import metadata
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from pydantic import ValidationError

from ..network.base import NetworkError, sentence
from ..tasks.experiment import Experiment, MismatchError, mismatch_in
from .packing import PackingError, packed, unpacked, without_origins

VERSION = "2."
"""Every link begins with it; another meaning of the short keys would be another version."""

FIRST = "1."
"""The version before, which did not say what it was made with; in its first days it had zlib's frame instead of a checksum."""

MAX_CHARACTERS = 8_000
"""Of a link. Browsers and servers carry addresses of this length."""

MAX_BYTES = 2_000_000
"""Of a link's JSON once inflated. A network of 2,500 different layers has less than a quarter of it."""

MADE_WITH = "w"
"""Key of the version of torch that a link was made with: the same one trains the experiment to the same numbers."""

_TEXT = re.compile(r"[A-Za-z0-9_-]+")
_AROUND = re.compile(r"^[^A-Za-z0-9_-]+|[^A-Za-z0-9_-]+$")
_NUMBERED = re.compile(r"([1-9][0-9]{0,3})\.")
_RELEASE = re.compile(r"[0-9A-Za-z.]{1,16}")


class LinkError(ValueError):
    """A text that is no link to an experiment, or an experiment that no link can hold; one sentence.

    `mismatch` is there where all that is wrong is a network that does not fit its task.
    """

    mismatch: MismatchError | None = None


class Opened(NamedTuple):
    """What a link holds."""

    experiment: Experiment
    torch: str | None
    """The version of torch that it was made with, if it says so."""


def encode(experiment: Experiment) -> str:
    """Return the link text of `experiment`, equal for equal ones that one form made; raises `LinkError` if it would be too long."""
    if experiment.task.watched:
        raise LinkError("a network of somebody's own module stands in its recording, not in a link: share the run")
    made_with = {MADE_WITH: torch_release()} if torch_release() else {}
    content = json.dumps({**_packed(experiment), **made_with}, separators=(",", ":")).encode()
    text = VERSION + sealed(content)
    if len(text) > MAX_CHARACTERS or len(content) > MAX_BYTES:
        raise LinkError(
            f"this experiment makes a link of {len(text):,} characters and a link has at most {MAX_CHARACTERS:,}; "
            "share it as a JSON file"
        )
    return text


def decode(text: str) -> Experiment:
    """Return the experiment that a link's text holds, ids and seed included; raises `LinkError` for any other text."""
    return opened(text).experiment


def opened(text: str) -> Opened:
    """Return the experiment and what the link was made with; raises `LinkError` for a text that is no link."""
    if not isinstance(text, str):
        raise LinkError("a link is text")
    if len(text) <= 2 * MAX_CHARACTERS:
        text = as_sent(text)
    if len(text) > MAX_CHARACTERS:
        raise LinkError(f"this link has {len(text):,} characters and a link has at most {MAX_CHARACTERS:,}")
    if not text.startswith((VERSION, FIRST)):
        raise LinkError(_no_version(text))
    first = text.startswith(FIRST)
    content = _inflated(*_unframed(_bytes(text.removeprefix(FIRST)))) if first else unsealed(text.removeprefix(VERSION))
    try:
        short = json.loads(content, parse_constant=_no_constant, object_pairs_hook=_unique)
        short, torch = (short, None) if first else _without_origin(short)
        experiment = Experiment.kept(unpacked(short))
        if without_origins(_packed(experiment)) != without_origins(short):
            raise PackingError("it is not written as links are")
        return Opened(experiment, torch)
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


def sealed(content: bytes) -> str:
    """Return `content` deflated, with a checksum, in the alphabet of links."""
    return base64.urlsafe_b64encode(_sealed(zlib.compress(content, 9, -zlib.MAX_WBITS))).decode().rstrip("=")


def unsealed(text: str) -> bytes:
    """Return the bytes that `sealed` wrote as `text`; raises `LinkError` for any other text."""
    return _inflated(_opened(_bytes(text)), -zlib.MAX_WBITS)


@cache
def torch_release() -> str:
    """Return the release of torch that is installed, without its build's name; nothing where there is none."""
    try:
        return metadata.version("torch").partition("+")[0]
    except metadata.PackageNotFoundError:
        return ""


def as_sent(text: str) -> str:
    """Return a link's text, or a run's or classroom's name, as it was before a mail or a sentence broke it."""
    return _AROUND.sub("", "".join(text.split()))


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


def _no_version(text: str) -> str:
    found = _NUMBERED.match(text)
    if found and int(found[1]) > int(VERSION[:-1]):
        return f"this link was made by a newer skipviz (links of version {found[1]}); this one reads up to {VERSION[:-1]}"
    return f"this link is damaged: it does not begin with {VERSION!r}, as links do"


def _without_origin(short) -> tuple[dict, str | None]:
    """Return the packed experiment alone, and the release that made it."""
    if not isinstance(short, dict) or MADE_WITH not in short:
        return short, None
    torch = short[MADE_WITH]
    if not isinstance(torch, str) or not _RELEASE.fullmatch(torch):
        raise PackingError("what it was made with is not known")
    return {key: value for key, value in short.items() if key != MADE_WITH}, torch


def _unframed(content: bytes) -> tuple[bytes, int]:
    """Return a first-version link's deflated bytes and how they are framed: by our checksum, or by zlib's own."""
    if _sealed(content[4:]) == content:
        return content[4:], -zlib.MAX_WBITS
    if content[:1] == b"\x78":
        return content, zlib.MAX_WBITS
    return _opened(content), -zlib.MAX_WBITS


def _bytes(text: str) -> bytes:
    if not _TEXT.fullmatch(text):
        raise LinkError("this link is damaged: it has characters that no link has")
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise LinkError("this link is damaged: it is cut short") from None
    if base64.urlsafe_b64encode(content).decode().rstrip("=") != text:
        raise LinkError("this link is damaged: it was cut short or changed on its way")
    return content


def _sealed(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(4, "big") + content


def _opened(content: bytes) -> bytes:
    """Return what was sealed; a checksum of every bit, so that no damage goes unnoticed."""
    if _sealed(content[4:]) != content:
        raise LinkError("this link is damaged: it was cut short or changed on its way")
    return content[4:]


def _inflated(content: bytes, frame: int) -> bytes:
    """Return `content` inflated, never holding more than `MAX_BYTES` of it; `frame` is zlib's `wbits`."""
    stream = zlib.decompressobj(frame)
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
