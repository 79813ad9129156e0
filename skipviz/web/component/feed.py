"""Where a host passes Streamlit's own paths only: the frames of our stream as the data of a fragment that runs often.

A page asks for it once our routes have turned out to be cut off; nobody else pays for it. It also brings what the server
says to every page.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ...engine import get_engine
from ..content import bundle
from ..document.labs import labs
from ..http.shutdown_notice import ASKING, shutdown_notice
from ..session_state import session
from ..session_state.classroom import classrooms
from ..session_state.editor import Editor
from .tape import Tape

PERIOD = 0.25
"""Seconds between two looks at the runs: each is a rerun of the fragment, about 7 ms of the server."""
KEY = "feed"


@cache
def _component():
    return st.components.v2.component("skipviz_feed", js=bundle.feed(), isolate_styles=False)


def draw(runs: Sequence[str] = (), token: str | None = None, version: int = 0, editors: Sequence[Editor] = ()) -> None:
    """Hand on what `runs` have to tell; a page is drawn anew once its classroom's `version` or an editor's document has passed."""
    versions = {editor.lab.id: editor.document.version for editor in editors}
    st.fragment(_draw, run_every=PERIOD if runs or token or versions else ASKING)(list(runs), token, version, versions)


def _draw(runs: list[str], token: str | None, version: int, versions: dict[str, int]) -> None:
    room = classrooms.get(token) if token else None
    if room is not None and room.version != version:
        st.rerun()
    if any(version != known for name, known in versions.items() if (version := labs.version_of(name)) is not None):
        st.rerun()
    for run_id in runs:
        get_engine().seen(run_id)
    tape = _tape()
    tape.take(get_engine(), runs)
    _component()(data=[{"batches": tape.batches, "notice": _notice()}], key=KEY, on_again_change=_begin_again)


def _notice() -> str:
    page = get_script_run_ctx().session_id
    return shutdown_notice.sentence_for(page, lambda: runtime.get_instance().is_active_session(page))


def perform(command: dict) -> bool:
    """Pass on to a run what the page could not post; raises `EngineError` where a post would be refused."""
    if command["op"] == "tell":
        get_engine().post(str(command["run"]), session.owner(), dict(command["message"]))
    elif command["op"] == "resume":
        get_engine().resume(str(command["run"]), session.owner(), session.address())
    else:
        return False
    return True


def _tape() -> Tape:
    if "tape" not in st.session_state:
        st.session_state.tape = Tape()
    return st.session_state.tape


def _begin_again() -> None:
    _tape().rewind()
