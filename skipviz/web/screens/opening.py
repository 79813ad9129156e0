"""The lab's session state, opened from what its address names: a classroom, a run, an experiment."""

from __future__ import annotations

import threading
from functools import lru_cache

import streamlit as st

from ...engine import EngineError, get_engine
from ...sharing import link
from ...tasks import presets
from ...tasks.experiment import Experiment, ExperimentError, experiment_from_json
from ...tasks.variants import compared
from ..content import kept_documents
from ..content.page_data import link_of
from ..document.document import Document
from ..document.labs import labs
from ..session_state import session
from ..session_state.classroom import is_token, owns
from ..session_state.editor import Editor
from ..session_state.session import SessionState
from ..session_state.suggested_fix import back_to_own, suggested_fix_of
from ..session_state.watching import first_experiment, is_watching, look_again, make_mine, stop_looking

_reading = threading.Lock()
"""One link is read at a time: the longest take two seconds of the server's own Python."""
_opened = lru_cache(maxsize=4)(link.opened)
"""A class opens one link at the same moment."""


def lab_state() -> SessionState:
    """Return this session's lab, opened from the address where that names something."""
    if "lab_state" not in st.session_state:
        editor = Editor(labs.opened(first_experiment(), session.owner()))
        st.session_state.lab_state = state = SessionState({"lab": editor}, compact=session.on_phone())
        _open(state)
        # An address that names nothing opens a lab of its own: what was done in another one is no part of it.
        if not editor.lab.watching and (st.query_params.get("x") or st.query_params.get("run")):
            _find_again(editor)
    return st.session_state.lab_state


def place_of(editor: Editor) -> str:
    """Return the address' part that says what the lab holds."""
    return f"{link_of(editor.experiment)} {editor.run or ''}"


def _find_again(editor: Editor) -> None:
    """View the lab that shows the run already, in another tab or before the page was loaded anew; without a run, take the undo
    of the one that stood at this address."""
    lab = labs.of_run(session.owner(), editor.run) if editor.run else None
    document = _kept(place_of(editor)) if lab is None else None
    if lab is not None:
        editor.hold(lab)
    elif document is not None:
        editor.lab.restore(document)
        editor.look()


def _kept(place: str) -> Document | None:
    """Return what could be undone in the lab that stood at an address last, which may have left the memory."""
    return labs.document_at(session.owner(), place) or kept_documents.found(session.owner(), place)


def open_preset(name: str, beside: bool = False) -> None:
    """Put a preset on the lab's editor, where undo brings back what was there, and show the lab.

    With `beside` the same network stands beside it, its skips the other way. Raises `NetworkError` where none is called so.
    """
    experiment = presets.get(name)
    open_experiment(compared(experiment, next(iter(experiment.variants)), "usual") if beside else experiment)


def open_named(text: str) -> None:
    """Put the experiment of a link's text on the lab's editor, as a tour asks; raises `ExperimentError` with a sentence."""
    try:
        with _reading:
            experiment = _opened(text).experiment
    except link.LinkError as error:
        raise ExperimentError(str(error)) from None
    open_experiment(experiment)


def open_experiment(experiment: Experiment) -> None:
    """Put an experiment on the lab's editor, where undo brings back what was there, and show the lab."""
    state = lab_state()
    editor, task = state.editors["lab"], state.editors["lab"].experiment.task
    stop_looking(state, editor)
    session.accept(state, editor, experiment, ends=True)
    state.suggested_fix = back_to_own(task, editor.experiment)
    editor.begin_anew()
    session.go("lab")


def open_text(state: SessionState, editor: Editor, text: str) -> None:
    """Put an experiment's JSON on the editor as an edit that undo takes back; raises `ExperimentError` with a sentence.

    Who looks on has it as their own then, and undo goes back to watching. Where all that is wrong is a network that does not
    fit its task, the lab offers to mend it instead.
    """
    try:
        experiment = experiment_from_json(text)
        if experiment.task.watched:
            raise ExperimentError("this file describes a module of somebody's own, without its code: open its run, or its replay")
    except ExperimentError as error:
        if is_watching(state, editor):
            raise
        state.suggested_fix = suggested_fix_of(error.mismatch, editor.experiment)
        if state.suggested_fix is None:
            raise
        return
    if is_watching(state, editor):
        make_mine(state, editor)
        editor.show(experiment)
    else:
        session.accept(state, editor, experiment, ends=True)
    editor.begin_anew()


def open_run(run_id: str) -> None:
    """Put a run on the lab's editor, where undo brings back what was there, and show the lab; what ran there goes on.

    Raises `EngineError` where it is not kept or cannot be read.
    """
    run = get_engine().look_up(run_id)
    state = lab_state()
    editor = state.editors["lab"]
    stop_looking(state, editor)
    lab = labs.of_run(session.owner(), run.id)
    if lab is not None:
        editor.hold(lab)
    else:
        editor.lab.take(run)
        editor.look()
    editor.begin_anew()
    session.go("lab")


def _open(state: SessionState) -> None:
    """Open what the lab's address names: a classroom, a run, an experiment; a sentence says what is not there."""
    editor, query = state.editors["lab"], st.query_params
    lead, follow, named = (link.as_sent(query.get(name) or "") for name in ("lead", "follow", "run"))
    if lead and owns(session.owner(), lead):
        state.lead, follow = lead, ""
    follow = follow or (lead if not state.lead else "")
    if follow and is_token(follow):
        state.follow = follow
        look_again(state, editor)
        return
    missing = None
    if named:
        try:
            run = get_engine().look_up(named)
        except EngineError as error:
            missing = "is no longer kept" if error.status == 404 else "cannot be read now; its link opens it later"
        else:
            editor.show(run.experiment, run.id)
            return
    _open_experiment(state, editor, query.get("x"))
    if follow and not state.message:
        state.message = ("This link does not open.", "It names no classroom. Here is a lab of your own instead.")
    elif missing and not state.message:
        what = "its experiment, ready to start" if query.get("x") else "the lab's own network instead"
        state.message = (f"This run {missing}.", f"Here is {what}.")


def _open_experiment(state: SessionState, editor: Editor, text: str | None) -> None:
    if not text:
        return
    try:
        with _reading:
            experiment, torch = _opened(text)
            editor.show(experiment)
    except link.LinkError as error:
        state.suggested_fix = suggested_fix_of(error.mismatch, editor.experiment)
        if state.suggested_fix is not None:
            return
        words = str(error).rstrip(".")
        state.message = ("This link does not open.", f"{words[:1].upper()}{words[1:]}. Here is the lab's own network instead.")
        return
    if torch and torch != link.torch_release():
        words = f"Here torch {link.torch_release()} trains it: its numbers may differ in their last digits."
        state.message = (f"This link was made with torch {torch}.", words)
