"""What one browser tab's session holds: the lab's editor and the figure's three."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

import streamlit as st

from ...engine import get_engine
from ...tasks import presets
from ...tasks.experiment import Experiment
from ...tasks.own import Own
from ..document.labs import labs
from .address import address_from
from .editor import Editor
from .figure_rules import RULES
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
    own: dict[str, Own] = field(default_factory=dict)
    """The data of one's own that was used last, by kind of file."""
    wants: str | None = None
    """The kind of file that was asked for and has not come yet."""
    upload_problem: str | None = None
    suggested_fix: SuggestedFix | None = None
    lead: str | None = None
    """Token of the classroom that this page leads."""
    watched: Watched | None = None
    """What was watched before it was made one's own."""

    @property
    def follow(self) -> str | None:
        """Token of the classroom that this page follows."""
        return self.editors["lab"].lab.follows

    @follow.setter
    def follow(self, token: str | None) -> None:
        self.editors["lab"].lab.follows = token

    def notify(self, sentence: tuple[str, str] | None) -> None:
        """Keep a sentence for the page, unless it is told another one already."""
        self.message = self.message or sentence


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
        editors = {
            panel: Editor(labs.opened(repeated(panel, count), owner(), rules=RULES[panel])) for panel, count in repeats.items()
        }
        for panel, run_id in zip(editors, (st.query_params.get("runs") or "").split("."), strict=False):
            run = get_engine().run(run_id) if run_id else None
            if run is not None and panel in run.experiment.variants:
                editors[panel].show(run.experiment, run.id)
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
    """The page of two runs: each as `id` or `id:variant`, what of both is unfolded, and their layout, as an editor's."""

    runs: list[str]
    unfolded: frozenset[int | str] = frozenset()
    layout: str | None = None
    done: int = 0
    message: tuple[str, str] | None = None


def compare_state() -> Pair:
    """Return this session's two runs side by side, which the address names when it is opened by a link."""
    if "compare_state" not in st.session_state:
        named = [part[:64] for part in (st.query_params.get("runs") or "").split(",") if part]
        st.session_state.compare_state = Pair(named[:2])
    return st.session_state.compare_state


def compare(run_ids: list[str]) -> None:
    """Show two runs side by side."""
    state = compare_state()
    state.runs, state.unfolded = run_ids, frozenset()
    go("compare")


@dataclass
class Sweeping:
    """The page of sweeps: what is varied, and the sweep that is shown."""

    base: str = ""
    """By its name; empty until the page is drawn."""
    again: bool = False
    """Whether the page is opened anew on a sweep: its form has what that varies."""
    job: str | None = None
    done: int = 0
    message: tuple[str, str] | None = None


def sweep_state() -> Sweeping:
    """Return this session's page of sweeps, whose sweep the address names when it is opened by a link."""
    if "sweep_state" not in st.session_state:
        job = (st.query_params.get("job") or "")[:64] or None
        st.session_state.sweep_state = Sweeping(again=job is not None, job=job)
    return st.session_state.sweep_state


@dataclass
class Reading:
    """The page of evidence: the claim that is read, None for all of them, and the measurement that is shown."""

    claim: str | None = None
    job: str | None = None
    done: int = 0
    message: tuple[str, str] | None = None


def evidence_state() -> Reading:
    """Return this session's page of evidence, whose claim and measurement the address names when it is opened by a link."""
    if "evidence_state" not in st.session_state:
        claim, job = ((st.query_params.get(name) or "")[:64] or None for name in ("claim", "job"))
        st.session_state.evidence_state = Reading(claim, job)
    return st.session_state.evidence_state


def go(page: str) -> None:
    """Show the other page with the next run of the script, which follows at once."""
    st.session_state.go = page
    st.rerun()


def address() -> str:
    """Return the visitor's address, by which starts are counted."""
    forwarded = st.context.headers.get("X-Forwarded-For") or ""
    return address_from(st.context.ip_address, forwarded, get_engine().settings.trusted_proxies)


def accept(state: SessionState, editor: Editor, experiment: Experiment, *, ends: bool = False) -> None:
    """Take an edited experiment, which undo takes back; the run follows, or ends where it cannot, and with `ends` in any case."""
    state.notify(editor.lab.change(lambda document: document.put(experiment), address(), ends=ends))
    editor.look()


def leave(editor: Editor) -> None:
    """Stop the editor's run if it still goes, and forget it."""
    editor.lab.leave()
    editor.look()
