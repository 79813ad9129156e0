"""The component: the browser's part, mounted with its data, and the commands that come back."""

from __future__ import annotations

import json
import secrets
from functools import cache

import streamlit as st

from ...tasks.experiment import MAX_JSON
from ..content import bundle
from ..session_state import view

PAGES = ("figure", "lab", "gallery", "runs", "guide", "compare", "sweep", "evidence")
"""Keys under which pages mount the component."""
MAX_COMMANDS = 64
"""Commands that may wait at once; a page sends each within a rerun."""
MOST_OF_COMMAND, MOST_OF_FILE = 400_000, 2 * MAX_JSON
"""Characters of a command; an opened file's text is written as JSON once more, which doubles its quotation marks."""


@cache
def _component(inline: bool):
    if inline:
        return st.components.v2.component("skipviz_inline", js=bundle.module(), isolate_styles=False)
    return st.components.v2.component("skipviz", js=bundle.loader(), isolate_styles=False)


def mount(data: dict, key: str) -> None:
    """Show the browser's part under `key` with `data` (JSON without NaN).

    It goes as a list of one: Streamlit looks into a dict for data frames, for which it imports pandas (100 MB).
    """
    inline = bool(_state(key).get("inline")) or st.session_state.get("inline", False)
    if inline:
        st.session_state.inline = True
    sent = {**data, "view": view.page_fields(), "session": _session(), "look": _state(key).get("look"), **_once(data, key)}
    changes = {f"on_{name}_change": lambda: None for name in ("commands", "inline", "feed", "look")}
    _component(inline)(data=[sent], key=key, **changes)


def _once(data: dict, key: str) -> dict:
    """Return what the browser's part takes once, each as [number, value]: a sentence, which any page shows, and what is to be
    selected. It stays until there is another: Streamlit sends the data of the script's next run in place of those that it
    had no time to send."""
    kept = st.session_state.setdefault("once", {})
    places = {"message": "message", "select": f"{key} select"}
    for name, place in places.items():
        if data.get(name) is not None:
            kept[place] = [kept.get(place, [0])[0] + 1, data[name]]
    return {name: kept.get(place) for name, place in places.items()}


def _session() -> str:
    """Return a name for this session, which commands carry: after a restart of the server, Streamlit's own script sends
    a page's last commands to the new session, where they are not to be done a second time."""
    if "session_name" not in st.session_state:
        st.session_state.session_name = secrets.token_hex(4)
    return st.session_state.session_name


def _state(key: str) -> dict:
    state = st.session_state.get(key)
    return state if hasattr(state, "get") else {}


def wants_feed(key: str) -> bool:
    """Return whether the page says that our routes are cut off, so that frames have to come as its data."""
    return bool(_state(key).get("feed"))


def commands(key: str, done: int) -> list[dict]:
    """Return the commands the page sent since number `done`, oldest first; what is not a command is dropped.

    What it had no time to send before it was left comes from the page that followed.
    """
    found = [one for page in PAGES for one in _sent(page) if one.get("sender", page) == key and one["n"] > done]
    return sorted(found, key=lambda command: command["n"])


def _sent(page: str) -> list[dict]:
    sent = _state(page).get("commands")
    if not isinstance(sent, list | tuple):
        return []
    mine = [dict(one) for one in sent[-MAX_COMMANDS:] if _is_command(one)]
    return [one for one in mine if one.get("session", _session()) == _session()]


def _is_command(value) -> bool:
    try:
        most = MOST_OF_FILE if value["op"] == "open_file" else MOST_OF_COMMAND
        return isinstance(value["op"], str) and isinstance(value["n"], int) and len(json.dumps(dict(value))) < most
    except (KeyError, TypeError, ValueError):
        return False
