"""My runs: all that this browser has trained, to be opened again, renamed, compared or deleted."""

from __future__ import annotations

from ...engine import get_engine
from ...storage.listing import MOST_LISTED
from ...storage.summary import MAX_TITLE
from ..component import component, feed
from ..component.commands import perform_all
from ..content import run_cards
from ..session_state import session, view
from . import opening

KEY = "runs"


def obey() -> list[str]:
    """Do what the page has asked for since the last time, and return the runs of which it wants pictures."""
    looked: list[str] = []
    perform_all(KEY, session.runs_state(), lambda command: looked.extend(perform(command) or []))
    return looked


def page() -> None:
    """Draw the page of one's own runs."""
    looked = obey()
    state = session.runs_state()
    view.write_address({})
    engine, owner = get_engine(), session.owner()
    message, state.message = state.message, None
    component.mount(
        {
            "page": "runs",
            "done": state.done,
            "message": message,
            "runs": run_cards.list_of(engine, owner),
            "cards": run_cards.cards(engine, owner, looked) if looked else [],
            "keeping": {"rule": engine.retention, "used": engine.used()},
            "title_length": MAX_TITLE,
            "scripts": not engine.settings.public,
            "most": MOST_LISTED,
        },
        KEY,
    )
    if component.wants_feed(KEY):
        feed.draw()


def perform(command: dict) -> list[str] | None:
    """Do one command of the page and return the runs to be pictured, if it asks for some; raises `EngineError`."""
    engine, owner, operation = get_engine(), session.owner(), command["op"]
    if view.perform(command):
        return None
    if operation == "go":
        session.go(str(command["page"]))
    elif operation == "open_run":
        opening.open_run(str(command["run"]))
    elif operation == "open_pair":
        session.compare([str(run) for run in command["runs"]][:2])
    elif operation == "rename":
        engine.rename(str(command["run"]), owner, str(command["title"]))
    elif operation == "resume":
        engine.resume(str(command["run"]), owner, session.address())
    elif operation == "delete":
        for run in command["runs"]:
            run_cards.delete(engine, str(run), owner)
    elif operation == "look":
        return [str(run) for run in command.get("runs", [])]
    else:
        raise ValueError(operation)
    return None
