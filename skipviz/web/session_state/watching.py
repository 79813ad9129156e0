"""Looking on: a run of somebody else's, or a classroom that leads from one run into the next. Read-only until made one's own."""

from __future__ import annotations

import contextlib

from ...engine import EngineError, get_engine
from ...sharing import link
from ...tasks import presets
from ...tasks.experiment import Experiment
from ..document.commands import watching_words
from ..document.document import Document, document_of
from ..document.labs import labs
from . import session, view
from .classroom import classrooms, new_token, owns
from .editor import Editor
from .session import SessionState, Watched

LAB_PRESET = "vanishing-plain"
"""What a lab holds that nobody has given anything else."""
ALLOWED = frozenset({"choose", "compact", "go", "measure", "mine", "open", "open_file", "zoom"})
"""Commands that change nothing but how one looks, or what makes something of one's own in place of what is watched."""


def first_experiment() -> Experiment:
    """Return what a lab holds that nobody has given anything else: the module that this server was opened on, or a preset."""
    return get_engine().opened or presets.get(LAB_PRESET)


def is_watching(state: SessionState, editor: Editor) -> bool:
    """Return whether the lab shows what is not this browser's own."""
    return editor.lab.watching


def look_again(state: SessionState, editor: Editor) -> None:
    """Bring a watching editor up to date: its classroom may show another run, its run may have been switched about."""
    editor.look()
    if not is_watching(state, editor):
        return
    room = classrooms.look_up(state.follow) if state.follow else None
    shown = editor.document if room is None else room
    run = get_engine().run(shown.run) if shown.run else None
    document = Document(shown.experiment, shown.run) if run is None else document_of(run)
    editor.show(document.experiment, document.run, document.edits)


def perform(state: SessionState, editor: Editor, command: dict) -> bool:
    """Do a command that is about watching, and return whether it was one; raises `EngineError` for what a watcher may not."""
    operation = command["op"]
    if operation == "classroom":
        _lead(state, bool(command["on"]))
    elif operation == "mine":
        make_mine(state, editor, str(command.get("run") or ""), str(command.get("link") or ""))
    elif operation == "undo" and not editor.document.undo and state.watched is not None:
        _watch_again(state, editor)
    elif is_watching(state, editor) and operation not in ALLOWED:
        raise EngineError(watching_words(editor.lab), 403)
    else:
        return False
    return True


def make_mine(state: SessionState, editor: Editor, run_id: str = "", text: str = "") -> None:
    """Copy what is watched, switches as they stand, onto this browser's own editor; undo goes back to watching.

    Where nobody leads the classroom any more, what the page still shows is copied: its run's experiment, or its link's. A module
    of a script's own cannot be copied: the editor holds a network that can be trained here.
    """
    if not is_watching(state, editor):
        return
    look_again(state, editor)
    if state.follow and classrooms.get(state.follow) is None:
        _take_shown(editor, run_id, text)
    watched = Watched(editor.experiment, editor.run, state.follow)
    own = editor.experiment if get_engine().trains(editor.experiment) else first_experiment()
    editor.hold(labs.opened(own, session.owner()))
    state.watched = watched


def _take_shown(editor: Editor, run_id: str, text: str) -> None:
    run = get_engine().run(run_id) if run_id else None
    if run is not None:
        editor.show(run.experiment)
    elif text:
        with contextlib.suppress(link.LinkError):
            editor.show(link.decode(text))


def stop_looking(state: SessionState, editor: Editor) -> None:
    """Keep the experiment that is watched, if any, and let go of whose it is."""
    if is_watching(state, editor):
        state.follow = None
        editor.show(editor.experiment)


def _watch_again(state: SessionState, editor: Editor) -> None:
    watched, state.watched = state.watched, None
    session.leave(editor)
    editor.hold(labs.opened(watched.experiment, session.owner(), watched.run))
    state.follow = watched.follow
    look_again(state, editor)


def _lead(state: SessionState, on: bool) -> None:
    """Open a classroom that shows this lab, or end the one there is."""
    if on and not state.follow:
        state.lead = state.lead or new_token(session.owner())
    elif not on and state.lead:
        classrooms.end(state.lead)
        state.lead = None


def show(state: SessionState, editor: Editor) -> None:
    """Show the lab, now and after each change, to the classroom that it leads."""
    if state.lead:
        classrooms.lead(state.lead, editor.lab)


def page_fields(state: SessionState, editor: Editor) -> dict:
    """Return the page's fields of it: `watch` (None where everything is one's own) and `lead`."""
    watch = None
    if is_watching(state, editor):
        room = classrooms.get(state.follow) if state.follow else None
        watch = {"follow": state.follow, "version": room.version if room else 0, "ended": bool(room and room.ended)}
        watch["torch"] = link.torch_release()
        watch["own"] = bool(state.follow and owns(session.owner(), state.follow))
        # Who has chosen how to look has the page drawn for them; all others have one drawing.
        watch["alone"] = editor.own_view or view.room() is not None
    back = state.watched is not None
    steps = len(editor.document.undo)
    undo = {"undo": steps + back, "undo_watches": back and not steps}
    return {"watch": watch, "lead": state.lead, "edits": editor.document.edits, **undo}


def address(state: SessionState, editor: Editor) -> dict[str, str]:
    """Return the address' part that finds again what is watched or led."""
    if state.follow:
        return {"follow": state.follow}
    return {**({"run": editor.run} if editor.run else {}), **({"lead": state.lead} if state.lead else {})}
