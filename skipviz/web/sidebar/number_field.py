"""A field for a number, read as people write them. What cannot be taken stays in it, and a sentence beneath says its bounds.

It is a field of text: the browser's own for numbers passes on neither a decimal comma nor a space, and Streamlit's nothing that
is out of bounds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from ..session_state.session import SessionState
from .field import field_of
from .typed_number import LONGEST, plain, read_as, typed_number


@dataclass(frozen=True)
class _Typed:
    """What was typed last into a field, the number in force then, and the sentence beneath."""

    text: str
    value: float
    sentence: str


def number_field(
    state: SessionState,
    place,
    label: str,
    value: float,
    limits: tuple[float, float],
    put: Callable[[float], None],
    *,
    name: str,
    whole: bool = True,
    **options,
) -> None:
    """Draw the field `name` in `place`, a column; `put` takes a number within `limits`, which are included."""
    low, high = limits
    typed = st.session_state.setdefault("typed_numbers", {})
    last = typed.get(name)
    if last and last.value != value:
        last = typed.pop(name) and None

    def changed(text: str) -> None:
        typed.pop(name, None)
        number = typed_number(text, whole)
        if number is None or not low <= number <= high or (whole and number != int(number)):
            bounds = f"{label}: a{' whole' if whole else ''} number from {_bound(low)} to {_bound(high)}."
            typed[name] = _Typed(text[:LONGEST], value, f"{bounds} It stays {plain(value)}.")
            state.message = ("Not changed.", bounds)
            return
        if said := read_as(text, number):
            typed[name] = _Typed(plain(number), number, said)
        put(int(number) if whole else number)

    place.text_input(label, **field_of(name, last.text if last else plain(value), changed), **options)
    if last:
        place.caption(last.sentence)


def _bound(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else plain(value)
