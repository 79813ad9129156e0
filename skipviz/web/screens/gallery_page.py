"""The gallery: the presets as cards, one click from the lab."""

from __future__ import annotations

from functools import cache

from ...drawing.thumbnail import thumbnail
from ...tasks import presets
from ..component import component, feed
from ..desk import session, view
from . import opening

KEY = "gallery"


def page() -> None:
    """Draw the gallery page."""
    desk = session.gallery_desk()
    for command in component.commands(KEY, desk.done):
        desk.done = command["n"]
        if view.perform(command):
            continue
        if command["op"] == "go":
            session.go(str(command.get("page")))
        elif command["op"] == "choose" and command.get("name") in presets.names():
            opening.open_preset(command["name"])
    view.write_address({})
    component.mount({"page": "gallery", "done": desk.done, "cards": cards()}, KEY)
    if component.wants_feed(KEY):
        feed.draw()


@cache
def cards() -> list[dict]:
    """Return what a card shows of each preset."""
    shown = []
    for name in presets.names():
        preset, experiment = presets.preset(name), presets.get(name)
        network = experiment.network
        facts = {"name": name, "title": preset.title, "do": preset.do, "see": preset.see, "source": preset.source}
        size = {"depth": network.depth, "parameters": network.parameter_count(), "task": experiment.task.kind.title.lower()}
        shown.append({**facts, **size, "svg": thumbnail(network)})
    return shown
