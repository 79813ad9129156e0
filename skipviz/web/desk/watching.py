"""Looking on: a run of somebody else's, or a classroom that leads from one run into the next. Read-only until made one's own."""

from __future__ import annotations

import contextlib

from ...engine import EngineError, get_engine
from ...sharing import link
from . import session
from .classroom import classrooms, new_token, owns
from .session import Desk, Watched
from .workbench import Workbench

ALLOWED = frozenset({"compact", "go", "measure", "mine", "open", "open_file", "zoom"})
"""Commands that change nothing but how one looks, or what makes something of one's own in place of what is watched."""
REFUSAL = "you are watching: make it mine to change it"


def is_watching(desk: Desk, bench: Workbench) -> bool:
    """Return whether the lab shows what is not this browser's own."""
    if desk.follow:
        return True
    run = get_engine().run(bench.run) if bench.run else None
    return run is not None and run.owner != session.owner()


def look_again(desk: Desk, bench: Workbench) -> None:
    """Bring a watching bench up to date: its classroom may show another run, its run may have been switched about."""
    if not is_watching(desk, bench):
        return
    room = classrooms.get(desk.follow) if desk.follow else None
    if room is not None:
        bench.experiment, bench.run = room.experiment, room.run
    run = get_engine().run(bench.run) if bench.run else None
    if run is not None:
        bench.experiment = run.experiment


def perform(desk: Desk, bench: Workbench, command: dict) -> bool:
    """Do a command that is about watching, and return whether it was one; raises `EngineError` for what a watcher may not."""
    operation = command["op"]
    if operation == "classroom":
        _lead(desk, bool(command["on"]))
    elif operation == "mine":
        make_mine(desk, bench, str(command.get("run") or ""), str(command.get("link") or ""))
    elif operation == "undo" and not bench.undo and desk.watched is not None:
        _watch_again(desk, bench)
    elif is_watching(desk, bench) and operation not in ALLOWED:
        raise EngineError(REFUSAL, 403)
    else:
        return False
    return True


def make_mine(desk: Desk, bench: Workbench, run_id: str = "", text: str = "") -> None:
    """Copy what is watched, switches as they stand, onto this browser's own bench; undo goes back to watching.

    Where nobody leads the classroom any more, what the page still shows is copied: its run's experiment, or its link's.
    """
    if not is_watching(desk, bench):
        return
    look_again(desk, bench)
    if desk.follow and classrooms.get(desk.follow) is None:
        _take_shown(bench, run_id, text)
    desk.watched = Watched(bench.experiment, bench.run, desk.follow)
    stop_looking(desk, bench)
    bench.undo.clear()
    bench.redo.clear()


def _take_shown(bench: Workbench, run_id: str, text: str) -> None:
    run = get_engine().run(run_id) if run_id else None
    if run is not None:
        bench.experiment = run.experiment
    elif text:
        with contextlib.suppress(link.LinkError):
            bench.experiment = link.decode(text)


def stop_looking(desk: Desk, bench: Workbench) -> None:
    """Keep the experiment that is watched, if any, and let go of whose it is."""
    if is_watching(desk, bench):
        desk.follow, bench.run = None, None


def _watch_again(desk: Desk, bench: Workbench) -> None:
    watched, desk.watched = desk.watched, None
    session.leave(bench)
    bench.redo.clear()
    bench.experiment, bench.run, desk.follow = watched.experiment, watched.run, watched.follow
    look_again(desk, bench)


def _lead(desk: Desk, on: bool) -> None:
    """Open a classroom that shows this lab, or end the one there is."""
    if on and not desk.follow:
        desk.lead = desk.lead or new_token(session.owner())
    elif not on and desk.lead:
        classrooms.end(desk.lead)
        desk.lead = None


def show(desk: Desk, bench: Workbench) -> None:
    """Show the lab as it is now to the classroom that it leads."""
    if desk.lead and not is_watching(desk, bench):
        classrooms.show(desk.lead, bench.experiment, bench.run, session.owner())


def told(desk: Desk, bench: Workbench) -> dict:
    """Return what the page is told of it: `watch` (None where everything is one's own) and `lead`."""
    watch = None
    if is_watching(desk, bench):
        room = classrooms.get(desk.follow) if desk.follow else None
        watch = {"follow": desk.follow, "version": room.version if room else 0, "ended": bool(room and room.ended)}
        watch["torch"] = link.torch_release()
        watch["own"] = bool(desk.follow and owns(session.owner(), desk.follow))
    return {"watch": watch, "lead": desk.lead, "undo": len(bench.undo) + (desk.watched is not None)}


def address(desk: Desk, bench: Workbench) -> dict[str, str]:
    """Return the address' part that finds again what is watched or led."""
    if desk.follow:
        return {"follow": desk.follow}
    return {**({"run": bench.run} if bench.run else {}), **({"lead": desk.lead} if desk.lead else {})}
