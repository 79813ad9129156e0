"""The component: the browser's part, mounted with what it is told, and the commands that come back."""

from __future__ import annotations

import json
from functools import cache

import streamlit as st

from . import bundle

MAX_COMMANDS = 64
"""Commands that may wait at once; a page sends each within a rerun."""


@cache
def _component():
    return st.components.v2.component("skipviz", js=bundle.script(), css=bundle.style(), isolate_styles=False)


def mount(data: dict, key: str) -> None:
    """Show the browser's part under `key` with `data` (JSON without NaN)."""
    _component()(data=data, key=key, on_commands_change=lambda: None)


def commands(key: str, done: int) -> list[dict]:
    """Return the commands the page sent since number `done`, oldest first; what is not a command is dropped."""
    state = st.session_state.get(key) or {}
    sent = state.get("commands") if hasattr(state, "get") else None
    if not isinstance(sent, list | tuple):
        return []
    fresh = [dict(one) for one in sent[-MAX_COMMANDS:] if _is_command(one) and one["n"] > done]
    return sorted(fresh, key=lambda command: command["n"])


def _is_command(value) -> bool:
    try:
        return isinstance(value["op"], str) and isinstance(value["n"], int) and len(json.dumps(dict(value))) < 400_000
    except (KeyError, TypeError, ValueError):
        return False
