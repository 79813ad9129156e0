"""The lab's desk, opened from what its address names: a classroom, a run, an experiment."""

from __future__ import annotations

import threading
from functools import lru_cache

import streamlit as st

from ...engine import EngineError, get_engine
from ...sharing import link
from ...tasks import presets
from ...tasks.experiment import ExperimentError, experiment_from_json
from ..content.page_data import link_of
from ..desk import session
from ..desk.classroom import is_token, owns
from ..desk.mend import back_to_own, mend_of
from ..desk.session import Desk
from ..desk.undo_cache import undo_cache
from ..desk.watching import is_watching, look_again, make_mine, stop_looking
from ..desk.workbench import Workbench

LAB_PRESET = "vanishing-plain"
_reading = threading.Lock()
"""One link is read at a time: the longest take two seconds of the server's own Python."""
_opened = lru_cache(maxsize=4)(link.opened)
"""A class opens one link at the same moment."""


def lab_desk() -> Desk:
    """Return this session's lab, opened from the address where that names something."""
    if "lab_desk" not in st.session_state:
        st.session_state.lab_desk = desk = Desk({"lab": Workbench(presets.get(LAB_PRESET))}, compact=session.on_phone())
        _open(desk)
        bench = desk.benches["lab"]
        # An address that names nothing opens a lab of its own: what was done in another one is no part of it.
        if not desk.follow and (st.query_params.get("x") or st.query_params.get("run")):
            bench.undo, bench.redo, bench.left = undo_cache.find(session.owner(), f"{link_of(bench.experiment)} {bench.run or ''}")
    return st.session_state.lab_desk


def open_preset(name: str) -> None:
    """Put a preset on the lab's bench, where undo brings back what was there, and show the lab.

    Raises `NetworkError` where none is called so.
    """
    experiment, desk = presets.get(name), lab_desk()
    bench, task = desk.benches["lab"], desk.benches["lab"].experiment.task
    stop_looking(desk, bench)
    session.accept(bench, experiment, None)
    desk.mend = back_to_own(task, bench.experiment)
    bench.unfolded, bench.folded, bench.zoom = frozenset(), True, 1.0
    session.go("lab")


def open_text(desk: Desk, bench: Workbench, text: str) -> None:
    """Put an experiment's JSON on the bench as an edit that undo takes back; raises `ExperimentError` with a sentence.

    Who looks on has it as their own then, and undo goes back to watching. Where all that is wrong is a network that does not
    fit its task, the lab offers to mend it instead.
    """
    try:
        experiment = experiment_from_json(text)
    except ExperimentError as error:
        if is_watching(desk, bench):
            raise
        desk.mend = mend_of(error.mismatch, bench.experiment)
        if desk.mend is None:
            raise
        return
    if is_watching(desk, bench):
        make_mine(desk, bench)
        bench.experiment = experiment
    else:
        session.accept(bench, experiment, None)
    bench.unfolded, bench.folded, bench.zoom = frozenset(), True, 1.0


def open_run(run_id: str) -> None:
    """Put a run on the lab's bench, where undo brings back what was there, and show the lab; what ran there goes on.

    Raises `EngineError` where it is not kept or cannot be read.
    """
    run = get_engine().look_up(run_id)
    desk = lab_desk()
    bench = desk.benches["lab"]
    stop_looking(desk, bench)
    bench.put(run.experiment)
    bench.run = run.id
    bench.unfolded, bench.folded, bench.zoom = frozenset(), True, 1.0
    session.go("lab")


def _open(desk: Desk) -> None:
    """Open what the lab's address names: a classroom, a run, an experiment; a sentence says what is not there."""
    bench, query = desk.benches["lab"], st.query_params
    lead, follow, named = (link.as_sent(query.get(name) or "") for name in ("lead", "follow", "run"))
    if lead and owns(session.owner(), lead):
        desk.lead, follow = lead, ""
    follow = follow or (lead if not desk.lead else "")
    if follow and is_token(follow):
        desk.follow = follow
        look_again(desk, bench)
        return
    missing = None
    if named:
        try:
            run = get_engine().look_up(named)
        except EngineError as error:
            missing = "is no longer kept" if error.status == 404 else "cannot be read now; its link opens it later"
        else:
            bench.experiment, bench.run = run.experiment, run.id
            return
    _open_experiment(desk, bench, query.get("x"))
    if follow and not desk.message:
        desk.message = ("This link does not open.", "It names no classroom. Here is a lab of your own instead.")
    elif missing and not desk.message:
        what = "its experiment, ready to start" if query.get("x") else "the lab's own network instead"
        desk.message = (f"This run {missing}.", f"Here is {what}.")


def _open_experiment(desk: Desk, bench: Workbench, text: str | None) -> None:
    if not text:
        return
    try:
        with _reading:
            bench.experiment, torch = _opened(text)
    except link.LinkError as error:
        desk.mend = mend_of(error.mismatch, bench.experiment)
        if desk.mend is not None:
            return
        words = str(error).rstrip(".")
        desk.message = ("This link does not open.", f"{words[:1].upper()}{words[1:]}. Here is the lab's own network instead.")
        return
    if torch and torch != link.torch_release():
        words = f"Here torch {link.torch_release()} trains it: its numbers may differ in their last digits."
        desk.message = (f"This link was made with torch {torch}.", words)
