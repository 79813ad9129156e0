"""What a field of the sidebar shows and what a person changed in it, whatever else a late browser sends.

A browser that has not heard yet that a field is gone sends its value once more, which Streamlit takes for a change; and what a
callback closed over may be older than the experiment. So a field remembers what it was shown with, and only another value is one
that a person chose.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st


def show(key: str, value) -> None:
    """Make the widget `key`, which is drawn next, show `value`: what the experiment says."""
    if st.session_state.get(key) != value:
        st.session_state[key] = value
    _shown()[key] = value


def on_change(key: str, put: Callable) -> Callable[[], None]:
    """Return what Streamlit calls when the widget `key` changed: `put(value)`, if its value is not what was shown."""

    def changed() -> None:
        shown = _shown()
        if key not in shown or key not in st.session_state:
            return
        value = st.session_state[key]
        if value != shown[key]:
            shown[key] = value
            put(value)

    return changed


def _shown() -> dict:
    return st.session_state.setdefault("shown", {})
