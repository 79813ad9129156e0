"""A field of the sidebar: the widget's key and what takes a person's choice, whatever a late browser still sends.

With every rerun a browser sends the values of all widgets that it knows. Where it has not heard yet that one is gone or shows
something else now, Streamlit takes that value for a change. So a field that is to show another value than the person chose gets
another key, and a key's value counts as chosen only where it is not the one that the key was shown with.

A value is given to a widget as its default. One that is put into the session's state is sent to the browser once, and a run of
the page that is cut short may never send it: the browser then shows, and sends as if it were chosen, the widget's first value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

LATE = 8
"""Keys of a field that a browser may still send, the newest ones."""


@dataclass
class _Fields:
    """A session's fields: the number in each one's key, what each key was shown with, keys of choices that were just taken."""

    numbers: dict[str, int] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)


def field_of(name: str, value: Any, put: Callable[[Any], object], among: Iterable | None = None) -> dict[str, Any]:
    """Return `key`, `on_change` and the value of the widget, drawn next, that shows `value`, in a list `among` others;
    `put` takes what a person chooses there.

    A choice that was not taken as it is, such as nonsense that was typed, is put right in place, where the keyboard's focus is.
    """
    fields = _fields()
    key = _key(name, fields.numbers.setdefault(name, 0))
    if fields.shown.get(key, value) != value and key not in fields.taken:
        fields.numbers[name] += 1
        key = _key(name, fields.numbers[name])
        fields.shown.pop(_key(name, fields.numbers[name] - LATE), None)
    fields.taken.discard(key)
    fields.shown[key] = value
    drawn = {"key": key, "on_change": lambda: _changed(key, put)}
    if key in st.session_state and st.session_state[key] != value:
        st.session_state[key] = value
        return drawn
    return {**drawn, "value": value} if among is None else {**drawn, "index": list(among).index(value)}


def _key(name: str, number: int) -> str:
    return f"{name}_{number}"


def _changed(key: str, put: Callable[[Any], object]) -> None:
    fields = _fields()
    if key not in fields.shown or key not in st.session_state:
        return
    value = st.session_state[key]
    if value != fields.shown[key]:
        fields.shown[key] = value
        fields.taken.add(key)
        put(value)


def _fields() -> _Fields:
    return st.session_state.setdefault("fields", _Fields())
