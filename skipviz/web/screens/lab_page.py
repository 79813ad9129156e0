"""The lab: the sidebar rebuilds the network, the component shows and steers it."""

from __future__ import annotations

from ...engine import get_engine
from ...tasks.event import Control
from ...tasks.experiment import Experiment
from ..component import component, feed, inline_download
from ..component.commands import perform_all
from ..content.page_data import bench_data, link_of
from ..desk import session, view, watching
from ..desk.undo_cache import undo_cache
from ..desk.workbench import Workbench, events_between, network_after
from ..sidebar import mend_bar, sidebar
from ..sidebar.hint import hint, next_hint
from .opening import lab_desk, open_text

KEY = "lab"
MOST_ZOOM = 6.0


def page() -> None:
    """Draw the lab page."""
    desk = lab_desk()
    bench = desk.benches["lab"]
    perform_all(KEY, desk, lambda command: perform(desk, bench, command))
    watching.look_again(desk, bench)
    sidebar.draw(desk, bench)
    if not watching.is_watching(desk, bench):
        has_data = get_engine().has_data(bench.experiment)
        mend_bar.draw(desk.mend, bench.experiment, has_data, lambda experiment: session.accept(bench, experiment, None))
    watching.show(desk, bench)
    # Before the address, which may be loaded anew from the moment that it names this experiment.
    if not desk.follow:
        undo_cache.park(session.owner(), f"{link_of(bench.experiment)} {bench.run or ''}", bench.undo, bench.redo, bench.left)
    _address(desk, bench)
    data = bench_data(bench, get_engine(), session.owner(), page="lab", compact=desk.compact, height=view.room())
    desk.message, bench.said = desk.message or bench.said, None
    component.mount(
        {
            "page": "lab",
            "done": desk.done,
            "compact": desk.compact,
            "speed": desk.speed,
            "message": desk.message,
            "file": inline_download.told(),
            "stem": inline_download.stem_of(bench),
            "hint": hint(bench.experiment),
            "next_hint": next_hint(bench.experiment),
            **data,
            **watching.told(desk, bench),
        },
        KEY,
    )
    # Only what was handed on is forgotten: a rerun may have cut this one short.
    desk.message = bench.select = None
    if component.wants_feed(KEY):
        watch = watching.told(desk, bench)["watch"] or {}
        feed.draw([bench.run] if bench.run else [], desk.follow, watch.get("version", 0))


def perform(desk: session.Desk, bench: Workbench, command: dict) -> None:
    """Do one command of the page; raises `NetworkError` or `EngineError` with a sentence."""
    operation = command["op"]
    if view.perform(command) or feed.perform(command) or inline_download.perform(bench, command):
        return
    if watching.perform(desk, bench, command):
        return
    if operation == "start":
        desk.speed = Control(kind="speed", steps_per_second=command.get("speed")).steps_per_second
        wanted = {"speed": desk.speed, "ghost": bool(command.get("ghost")), "paused": bool(command.get("paused"))}
        if command.get("run"):
            session.adopt(bench, str(command["run"]), **wanted)
        else:
            session.start(bench, **wanted)
    elif operation == "reset":
        session.leave(bench)
    elif operation in ("undo", "redo"):
        session.travel(bench, back=operation == "undo")
    elif operation == "compact":
        desk.compact = True
    elif operation == "measure":
        return
    elif operation == "go":
        session.go(command["page"])
    elif operation == "open":
        _open(bench, command)
    elif operation == "open_file":
        open_text(desk, bench, str(command["text"]))
    elif operation == "zoom":
        bench.zoom = min(MOST_ZOOM, max(1.0, float(command["factor"])))
    elif operation == "u":
        bench.u = bool(command["on"])
    elif operation == "rate":
        training = bench.experiment.training.replaced(learning_rate=command["learning_rate"])
        _put(bench, bench.experiment.replaced(training=training), command)
    else:
        before = bench.network
        after = network_after(before, command)
        _put(bench, bench.experiment.with_network(after), command)
        if operation == "add_skip":
            bench.select = {"kind": "skip", "ids": [after.skips[-1].id]}


def _put(bench: Workbench, experiment: Experiment, command: dict) -> None:
    events = events_between(bench.experiment, experiment)
    session.accept(bench, experiment, events, posted=bool(command.get("live")))


def _open(bench: Workbench, command: dict) -> None:
    """Open two blocks of a folded part at a layer, or close them all again."""
    layer = command.get("layer")
    inside = isinstance(layer, int) and 0 <= layer < bench.network.depth
    bench.unfolded = bench.unfolded | {layer} if inside else frozenset()


def _address(desk: session.Desk, bench: Workbench) -> None:
    """Keep the address true: the experiment, the run that a reload finds again, the classroom."""
    text = "" if desk.follow else link_of(bench.experiment)
    view.write_address({**({"x": text} if text else {}), **watching.address(desk, bench)})
