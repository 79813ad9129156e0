"""A run as one HTML file that opens from disk and asks nothing of any server. Imports the standard library only.

The file holds the page's own script and style, plotly.js and the run, the latter two compressed; the browser unpacks them.
Its policy lets no other script run and nothing be fetched. What is in it is data: no text of a person becomes HTML.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import re
from dataclasses import dataclass
from functools import cache

MAX_BYTES = 6_000_000
"""Of the whole file: frames are thinned until it fits."""
ROOM = 0.96
"""Share of the room that thinned frames aim at: they do not all compress alike."""
SAMPLE = 1_000_000
"""Bytes of frames that are packed to tell how many will fit."""
_EVENTS = re.compile(rb'"events": ?\[\{')


class ReplayError(ValueError):
    """A run that no replay can hold; one sentence."""


@dataclass(frozen=True)
class Parts:
    """What every replay has in common: style sheet, script, plotly.js."""

    style: str
    script: str
    plotly: str


def document(title: str, data: dict, frames: list[bytes], parts: Parts) -> bytes:
    """Return the file of a run: `data` is JSON data for the script, `frames` are encoded as JSON. Raises `ReplayError`."""
    if not frames:
        raise ReplayError("this run has no frames yet: there is nothing to replay")
    before, after = _frame_of(title, parts)
    room = MAX_BYTES - len(before) - len(after)
    return before + _packed_run(data, frames, room) + after


def _packed_run(data: dict, frames: list[bytes], room: int) -> bytes:
    """Return data and frames packed into `room` bytes, with a note where frames were left out.

    How many fit is reckoned from a sample, so that little is ever compressed that does not stay.
    """
    head = json.dumps(data, separators=(",", ":"), allow_nan=False).encode()[:-1]
    kept, note = frames, ""
    share = (room - len(_packed(head))) / _packed_size(frames)
    while True:
        if share < 1 and len(kept) > 2:
            kept = thinned(frames, max(2, min(len(kept) - 1, int(len(kept) * ROOM * share))))
            note = f"To stay small the file holds {len(kept):,} of {len(frames):,} frames."
        packed = _packed(_run(head, kept, note))
        if len(packed) <= room:
            return packed
        if len(kept) <= 2:
            raise ReplayError("one frame of this run is too large for a replay; take its numbers as a file")
        share = room / len(packed)


def _packed_size(frames: list[bytes]) -> float:
    """Return about how many bytes `frames` take once packed, reckoned from some of them."""
    total = sum(map(len, frames))
    some = thinned(frames, max(2, len(frames) * SAMPLE // max(total, 1))) if total > SAMPLE else frames
    return len(_packed(b",".join(some))) * total / sum(map(len, some))


def thinned(frames: list[bytes], count: int) -> list[bytes]:
    """Return about `count` frames, evenly spread; the first, the last and as many of those with events as there is room for."""
    last = len(frames) - 1
    marked = [index for index, frame in enumerate(frames) if _EVENTS.search(frame)][: count // 2]
    spread = max(2, count - len(marked))
    chosen = {*marked, *(round(place * last / (spread - 1)) for place in range(spread))}
    return [frames[index] for index in sorted(chosen)]


def _run(head: bytes, frames: list[bytes], note: str) -> bytes:
    return head + b',"note":' + json.dumps(note).encode() + b',"frames":[' + b",".join(frames) + b"]}"


def _packed(content: bytes) -> bytes:
    return base64.b64encode(gzip.compress(content, 6, mtime=0))


@cache
def _packed_plotly(source: str) -> str:
    return base64.b64encode(gzip.compress(source.encode(), 9, mtime=0)).decode()


def _hashed(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def _frame_of(title: str, parts: Parts) -> tuple[bytes, bytes]:
    """Return what stands before and after the packed run."""
    if re.search(r"</(?:script|style)", parts.script + parts.style, re.I):
        raise ReplayError("the page's script cannot stand in a file")
    script = f"(() => {{\n'use strict';\n{parts.script}\n}})();"  # no module: some browsers let none run from a disk
    policy = (
        f"default-src 'none'; script-src {_hashed(script)} {_hashed(parts.plotly)}; style-src 'unsafe-inline'; "
        "img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'"
    )
    before = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{html.escape(policy, quote=True).replace("&#x27;", "'")}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<style>{parts.style}</style>
</head>
<body>
<div id="replay" class="sv-root"></div>
<noscript>This recording needs JavaScript, which stays within the file.</noscript>
<script type="text/plain" id="plotly">{_packed_plotly(parts.plotly)}</script>
<script type="text/plain" id="recorded">"""
    after = f"</script>\n<script>{script}</script>\n</body>\n</html>\n"
    return before.encode(), after.encode()
