"""What a guest may write of its run, each line checked before it is heard: it comes from outside. Imports no torch."""

from __future__ import annotations

import json
import math

from ..learning.frame import VariantFrame
from ..learning.frame_text import NUMBER_LISTS, NUMBERS, decode_frame
from ..network.network import Network
from ..storage import Run
from .processes.wire import encode

MOST_STEPS = 2**53
"""That a script may count: what a browser still counts exactly."""
ENDINGS = ("finished", "stopped", "failed")
LONGEST_REASON = 300
Line = tuple[bytes, bytes]
_MARKS = ("underflow", "blocked", "rounding")
"""Places in a frame's lists, by the lists' names."""


class GuestError(Exception):
    """What a guest sent is refused; one sentence."""


def checked(run: Run, line: bytes) -> Line:
    """Return a line as it is to be heard; raises `GuestError` for what a guest does not say."""
    word, _, rest = line.partition(b" ")
    if word not in _CHECKS:
        raise GuestError("a line begins with frame, at or end")
    try:
        return word, _CHECKS[word](run, rest)
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError, AttributeError):
        raise GuestError(f"a line of its script was no {word.decode()}") from None


def _frame(run: Run, rest: bytes) -> bytes:
    step, kind, payload = rest.split(b" ", 2)
    frame = decode_frame(payload)
    whole = type(frame.step) is int and str(frame.step).encode() == step and _is_step(frame.step)
    if kind not in (b"0", b"1") or not whole or not payload.startswith(b'{"step":' + step + b",") or frame.events:
        raise ValueError
    if frame.variants.keys() != run.experiment.variants.keys() or not _is_finite(frame.seconds):
        raise ValueError
    for name, values in frame.variants.items():
        _check_values(values, run.experiment.variants[name])
    return rest


def _check_values(values: VariantFrame, network: Network) -> None:
    """Raise `ValueError` for what is no measurement of the network."""
    for name in VariantFrame.__slots__:
        value = getattr(values, name)
        if value is None or value == []:
            continue
        if name in NUMBERS:
            right = _is_finite(value)
        elif name == "nonfinite":
            right = len(value) <= 100_000 and all(type(part) is str and len(part) <= 100 for part in value)
        elif name == "first_broken":
            right = type(value) is str and len(value) <= 100
        elif name in _MARKS:
            right = all(field in NUMBER_LISTS and all(type(place) is int for place in places) for field, places in value.items())
        else:
            whole = name in NUMBER_LISTS and len(value) in _lengths(network)
            right = whole and all(number is None or _is_finite(number) for number in value)
        if not right:
            raise ValueError(name)


def _lengths(network: Network) -> set[int]:
    """Return how long a list of a frame can be: a number for each layer, state, skip, or part of a branch."""
    return {network.depth, network.depth + 1, len(network.skips), len(network.branches), len(network.edges)}


def _at(run: Run, rest: bytes) -> bytes:
    step = json.loads(rest)
    if type(step) is not int or not _is_step(step) or step < run.step:
        raise ValueError
    return rest


def _end(run: Run, rest: bytes) -> bytes:
    state, reason = json.loads(rest)
    if state not in ENDINGS or not (reason is None or type(reason) is str):
        raise ValueError
    return encode([state, reason and " ".join(reason[:LONGEST_REASON].split())])


def _is_step(step: int) -> bool:
    return 0 <= step <= MOST_STEPS


def _is_finite(number) -> bool:
    return type(number) in (int, float) and math.isfinite(number)


_CHECKS = {b"frame": _frame, b"at": _at, b"end": _end}
