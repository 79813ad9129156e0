"""The gallery: the presets as cards, one click from the lab."""

from __future__ import annotations

from functools import cache

from ...drawing.thumbnail import thumbnail
from ...tasks import presets
from ...tasks.variants import usual_words
from ..component import component, feed
from ..component.commands import perform_all
from ..session_state import session, view
from . import opening

KEY = "gallery"


def page() -> None:
    """Draw the gallery page."""
    state = session.gallery_state()
    perform_all(KEY, state, perform)
    view.write_address({})
    message, state.message = state.message, None
    component.mount({"page": "gallery", "done": state.done, "message": message, "cards": cards()}, KEY)
    if component.wants_feed(KEY):
        feed.draw()


def perform(command: dict) -> None:
    """Do one command of the page; raises `LookupError` or `ValueError` for what is none."""
    operation = command["op"]
    if view.perform(command):
        return
    if operation == "go":
        session.go(str(command["page"]))
    elif operation == "open_preset":
        opening.open_preset(str(command["name"]), beside=bool(command.get("beside")))
    else:
        raise ValueError(operation)


@cache
def cards() -> list[dict]:
    """Return what a card shows of each preset."""
    shown = []
    for name in presets.names():
        preset, experiment = presets.preset(name), presets.get(name)
        network = experiment.network
        facts = {"name": name, "title": preset.title, "do": preset.do, "see": preset.see, "source": preset.source}
        size = {
            "depth": network.depth,
            "weighted": len(network.weighted),
            "parameters": network.parameter_count(),
            "task": experiment.task.kind.title.lower(),
        }
        beside = usual_words(network) if network.skips else ""
        shown.append({**facts, **size, "beside": beside, "svg": thumbnail(network)})
    return shown
