"""What one browser tab's session holds: the lab's editor and the figure's three."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

import streamlit as st

from ...engine import EngineError, get_engine
from ...network.base import NetworkError
from ...tasks import presets
from ...tasks.experiment import Experiment
from ...tasks.own import Own
from ...tasks.training_words import schedule_words
from .address import address_from
from .editor import Editor, events_between
from .identity import owner_from
from .shared_demo import REPEATS, repeated
from .suggested_fix import SuggestedFix


@dataclass(frozen=True)
class Watched:
    """What one looked on at: an experiment, its run, the classroom that showed it."""

    experiment: Experiment
    run: str | None
    follow: str | None


@dataclass
class SessionState:
    """A page's state in the session: its editors, how far its commands are done, what to tell."""

    editors: dict[str, Editor]
    done: int = 0
    compact: bool = False
    message: tuple[str, str] | None = None
    repeats: dict[str, int] = field(default_factory=dict)
    speed: float | None = 100.0
    own: dict[str, Own] = field(default_factory=dict)
    """The data of one's own that was used last, by kind of file."""
    wants: str | None = None
    """The kind of file that was asked for and has not come yet."""
    upload_problem: str | None = None
    suggested_fix: SuggestedFix | None = None
    follow: str | None = None
    """Token of the classroom that this page follows."""
    lead: str | None = None
    """Token of the classroom that this page leads."""
    watched: Watched | None = None
    """What was watched before it was made one's own."""


def on_phone() -> bool:
    """Return whether the browser says that it is a phone's, so that the first drawing fits; the page corrects a wrong guess."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")


def owner() -> str:
    """Return the browser's cookie, by which the engine knows who may control a run; without one, the session's own."""
    cookie = owner_from(st.context.cookies)
    if cookie is None and "owner" not in st.session_state:
        st.session_state.owner = secrets.token_urlsafe(24)
    return cookie or st.session_state.owner


def figure_state() -> SessionState:
    """Return this session's figure: three panels, repeated as the address says; live runs are found again."""
    if "figure_state" not in st.session_state:
        repeats = _repeats(st.query_params.get("repeat") or "")
        editors = {panel: Editor(repeated(panel, count)) for panel, count in repeats.items()}
        for panel, run_id in zip(editors, (st.query_params.get("runs") or "").split("."), strict=False):
            run = get_engine().run(run_id) if run_id else None
            if run is not None and panel in run.experiment.variants:
                editors[panel].experiment, editors[panel].run = run.experiment, run.id
                repeats[panel] = max(1, run.experiment.network.depth // presets.figure_unit(panel).depth)
        st.session_state.figure_state = SessionState(editors, repeats=repeats, compact=on_phone())
    return st.session_state.figure_state


def _repeats(text: str) -> dict[str, int]:
    """Return how often each panel's unit is repeated: as `text` says (`1.2.25`), where it says what can be."""
    found = dict(REPEATS)
    for panel, count in zip(REPEATS, text[:64].split("."), strict=False):
        if count.isascii() and count.isdigit() and 1 <= int(count) <= presets.MOST_REPEATS[panel]:
            found[panel] = int(count)
    return found


def gallery_state() -> SessionState:
    """Return this session's gallery, which has no experiment of its own."""
    if "gallery_state" not in st.session_state:
        st.session_state.gallery_state = SessionState({})
    return st.session_state.gallery_state


def runs_state() -> SessionState:
    """Return this session's list of runs, which has no experiment of its own."""
    if "runs_state" not in st.session_state:
        st.session_state.runs_state = SessionState({})
    return st.session_state.runs_state


def guide_state() -> SessionState:
    """Return this session's guide, which has no experiment of its own."""
    if "guide_state" not in st.session_state:
        st.session_state.guide_state = SessionState({})
    return st.session_state.guide_state


@dataclass
class Pair:
    """The page of two runs: each as `id` or `id:variant`, and what of either is unfolded."""

    runs: list[str]
    unfolded: list[frozenset[int | str]] = field(default_factory=lambda: [frozenset(), frozenset()])
    done: int = 0
    compact: bool = False
    message: tuple[str, str] | None = None


def compare_state() -> Pair:
    """Return this session's two runs side by side, which the address names when it is opened by a link."""
    if "compare_state" not in st.session_state:
        named = [part[:64] for part in (st.query_params.get("runs") or "").split(",") if part]
        st.session_state.compare_state = Pair(named[:2], compact=on_phone())
    return st.session_state.compare_state


def compare(run_ids: list[str]) -> None:
    """Show two runs side by side."""
    state = compare_state()
    state.runs, state.unfolded = run_ids, [frozenset(), frozenset()]
    go("compare")


def go(page: str) -> None:
    """Show the other page with the next run of the script, which follows at once."""
    st.session_state.go = page
    st.rerun()


def start(editor: Editor, *, speed: float | None, baseline: bool, paused: bool) -> None:
    """Submit the editor's experiment as a new run; raises `EngineError` with a sentence."""
    leave(editor)
    engine = get_engine()
    editor.run = engine.submit(editor.experiment, owner(), speed=speed, baseline=baseline, paused=paused, address=address())


def address() -> str:
    """Return the visitor's address, by which starts are counted."""
    forwarded = st.context.headers.get("X-Forwarded-For") or ""
    return address_from(st.context.ip_address, forwarded, get_engine().settings.trusted_proxies)


def adopt(editor: Editor, run_id: str, *, speed: float | None, baseline: bool, paused: bool) -> None:
    """Take a run that this browser has just started as the editor's own; one that is not its own is not taken.

    What was changed while it was being started is sent to it; where it cannot follow, what was changed is started instead.
    """
    run = get_engine().run(run_id)
    if run is None or run.owner != owner():
        raise EngineError("this run is not this browser's")
    if editor.run != run_id:
        leave(editor)
    editor.run = run_id
    events = events_between(run.began or run.experiment, editor.experiment)
    if events is None:
        start(editor, speed=speed, baseline=baseline, paused=paused)
    else:
        follow(editor, events)


def leave(editor: Editor) -> None:
    """Stop the editor's run if it still goes, and forget it."""
    if editor.run is None:
        return
    run = get_engine().run(editor.run)
    if run is not None and run.state in ("queued", "running", "paused"):
        tell(editor, {"kind": "stop"})
    editor.run = None


def tell(editor: Editor, message) -> None:
    """Send one event or control to the editor's run; a run that has ended takes none, and that is no error."""
    try:
        get_engine().post(editor.run, owner(), message)
    except (EngineError, NetworkError):
        return


def accept(editor: Editor, experiment: Experiment, events: list | None, posted: bool = False, extends: bool = True) -> None:
    """Take an edited experiment; the run follows by `events`, or ends when the structure changed (None)."""
    editor.put(experiment)
    follow(editor, events, posted, extends)


def travel(editor: Editor, back: bool) -> None:
    """Undo, or redo, once; the run follows, and one that the edit had ended is there again."""
    follow(editor, editor.step_back() if back else editor.step_forward())
    found = editor.left_here() if editor.run is None else None
    run = get_engine().run(found) if found else None
    if run is not None:
        editor.run = run.id
        on = "A switch lets it go on." if run.state == "finished" else "Resume lets it go on."
        editor.said = (f"Your run is back at step {run.step:,}.", on)


def follow(editor: Editor, events: list | None, posted: bool = False, extends: bool = True) -> None:
    """Bring the editor's run along: by `events` if they are enough, else leave it; without a change it stays.

    One that has finished goes on for as many steps again, unless `extends` says otherwise.
    """
    if editor.run is None or events == []:
        return
    run = get_engine().run(editor.run)
    if posted and run is not None and not run.waiting and events_between(run.experiment, editor.experiment) == []:
        return  # it acted before the end, if that has come since
    if run is not None and run.owner == owner() and extends and events and run.state == "finished" and _extend(editor, events):
        return
    if events is None or run is None or run.ended:
        if run is None:
            editor.said = ("Your run is no longer kept.", "Start trains this network anew.")
        elif events is None and run.state in ("running", "paused", "finished") and run.owner == owner():
            editor.said = (
                f"Your run {'has ' if run.ended else ''}ended at step {run.step:,}.",
                "It is kept in My runs, and undo brings it back. This is another network: Start trains it.",
            )
        editor.part()
        leave(editor)
    elif not posted:
        for event in events:
            tell(editor, event)


def _extend(editor: Editor, events: list) -> bool:
    """Let the editor's finished run go on after `events`, and return whether it does; either is said."""
    try:
        went = get_engine().extend(editor.run, owner(), events, address())
    except EngineError as error:
        why = str(error)
        editor.said = ("Your finished run does not go on.", f"{why[:1].upper()}{why[1:]}. Start trains this network anew.")
        return False
    schedule = schedule_words(editor.experiment.training)
    rate = f" Its learning rate is from here on that of a run of {went['steps']:,} steps ({schedule})." if schedule else ""
    editor.said = (f"Your run goes on from step {went['step']:,} to {went['steps']:,}.", f"Its weights are kept.{rate}")
    return True
