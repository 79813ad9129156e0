"""A field for a number that answers nonsense with a sentence and then shows again what holds.

Streamlit's own limits are left out: beyond them the browser would keep what was typed, and Python would not hear of it; and
a whole number's field takes 1e3 and an empty field for 1.
"""

from __future__ import annotations

from collections.abc import Callable

from ..desk.session import Desk
from .field import field_of


def number_field(
    desk: Desk,
    place,
    label: str,
    value: float,
    limits: tuple[float, float],
    put: Callable[[float], None],
    *,
    name: str,
    whole: bool = True,
    step: float = 1,
    **options,
) -> None:
    """Draw the field `name` in `place`, a column; `put` takes a number within `limits`, which are included."""
    low, high = limits

    def changed(typed: float | None) -> None:
        if typed is None or not low <= typed <= high or (whole and typed != int(typed)):
            desk.message = ("Not changed.", f"{label}: {'a whole' if whole else 'a'} number from {low:,} to {high:,}.")
        else:
            put(int(typed) if whole else typed)

    shown = "%.0f" if whole else "%.4g"
    place.number_input(label, value=None, step=float(step), format=shown, **field_of(name, float(value), changed), **options)
