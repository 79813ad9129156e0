"""Figure 4.9, alive: the first page."""

from __future__ import annotations

from ...engine import EngineError, get_engine
from ...network.edit import set_layers, set_skips, standing_as
from ...tasks import presets
from ...tasks.twin import TWIN, with_twin
from ..component import component, feed, inline_download
from ..component.commands import capital, perform_all
from ..content.page_data import bench_data
from ..desk import session, view
from ..desk.shared_demo import REPEATS, SPEED, opening, repeated, shared_demo
from ..desk.workbench import Workbench, events_between

KEY = "figure"
TEXTS = {
    "left": (
        "Any layer to any later layer",
        "What a layer gives is appended to a later one's input. Shut the valve beside f(5): the layers below it still learn, "
        "for their gradient goes around it; the twin's get none.",
    ),
    "center": (
        "Down-scaling, then up-scaling",
        "Two halvings, two doublings; each skip joins layers of one scale, past the smaller ones. The twin finds no shape in "
        "its steps. Switch the outer skip off: the masks stay coarser.",
    ),
    "right": (
        "Residual",
        "The skip is added, and passes one block, whose output is multiplied by 1/√(blocks). Repeat it up to ×200: the first "
        "layer's gradient stays near the last's, and it learns; from ×2 on its twin guesses.",
    ),
}


def page() -> None:
    """Draw the page of the three panels."""
    desk = session.figure_desk()
    perform_all(KEY, desk, lambda command: perform(desk, command))
    view.write_address(_address(desk))
    panels = [_panel(desk, name, bench) for name, bench in desk.benches.items()]
    component.mount(
        {
            "page": "figure",
            "done": desk.done,
            "compact": desk.compact,
            "speed": SPEED,
            "message": desk.message,
            "file": inline_download.told(),
            "absent": _absent(desk, panels),
            "steps": max(panel["steps"] for panel in panels),
            "repeat": _address(desk).get("repeat", ""),
            "panels": panels,
        },
        KEY,
    )
    # Only what was handed on is forgotten: a rerun may have cut this one short.
    desk.message = None
    if component.wants_feed(KEY):
        feed.draw([run for panel in panels if (run := panel["run"] or panel["shared"])])


def _address(desk: session.Desk) -> dict[str, str]:
    """Return what a reload needs: the three runs, and how often each unit is repeated where that is not as the page opens."""
    runs = [bench.run or "" for bench in desk.benches.values()]
    wanted = {"runs": ".".join(runs)} if any(runs) else {}
    if desk.repeats != REPEATS:
        wanted["repeat"] = ".".join(str(desk.repeats[panel]) for panel in desk.benches)
    return wanted


def _panel(desk: session.Desk, name: str, bench: Workbench) -> dict:
    repeat = desk.repeats[name]
    data = bench_data(bench, get_engine(), session.owner(), page="figure", compact=desk.compact, repeat=repeat)
    title, text = TEXTS[name]
    facts = {
        "id": name,
        "stem": inline_download.stem_of(bench),
        "title": title,
        "text": text,
        "repeat": repeat,
        "most": presets.MOST_REPEATS[name],
        "folded": bench.folded,
        "shared": shared_demo.runs(get_engine()).get(name) if _is_shared(name, bench) else None,
        "twin": {"name": TWIN, "lacks": _lacks(bench)} if TWIN in bench.experiment.variants else None,
    }
    return {**data, **facts}


def _lacks(bench: Workbench) -> str:
    """Return in words what the twin does without, and what stands in its place."""
    if any(layer.scale is not None for layer in bench.network.layers):
        return "without skips and branch scale"
    return "without skips, zeros in their place" if any(skip.joins for skip in bench.network.skips) else "without skips"


def _absent(desk: session.Desk, panels: list[dict]) -> str | None:
    """Return why a panel that is to show everybody's run shows none, or None."""
    lacks = any(panel["shared"] is None and _is_shared(panel["id"], desk.benches[panel["id"]]) for panel in panels)
    return shared_demo.absence(get_engine()) if lacks else None


def _is_shared(name: str, bench: Workbench) -> bool:
    """Return whether the panel shows everybody's run: nothing was changed and none of one's own started."""
    return bench.run is None and bench.experiment == opening(name)


def perform(desk: session.Desk, command: dict) -> None:
    """Do one command of the page; raises `NetworkError` or `EngineError` with a sentence."""
    operation = command["op"]
    if view.perform(command) or feed.perform(command) or inline_download.perform(desk.benches.get(command.get("panel")), command):
        return
    if operation == "start":
        runs, panels = dict(command.get("runs") or {}), command.get("panels") or list(desk.benches)
        wanted = {"speed": SPEED, "ghost": False, "paused": bool(command.get("paused"))}
        for name, bench in desk.benches.items():
            if runs.get(name):
                session.adopt(bench, str(runs[name]), **wanted)
            elif name in panels:
                session.start(bench, **wanted)
        return
    if operation == "reset":
        for name in command.get("panels") or list(desk.benches):
            session.leave(desk.benches[name])
        return
    if operation == "compact":
        desk.compact = True
        return
    if operation == "measure":
        return
    if operation == "go":
        session.go(command["page"])
        return
    name = command["panel"]
    bench = desk.benches[name]
    if operation == "open":
        _open(bench, command)
        return
    if operation == "repeat":
        _repeat(desk, name, bench, int(command["change"]))
        return
    shown = bench.run is not None or _is_shared(name, bench)
    change = {"skips": set_skips, "layers": set_layers}[operation]
    allowed = {key: value for key, value in dict(command["changes"]).items() if key in ("on", "gain", "strength")}
    experiment = with_twin(bench.experiment.with_network(change(bench.network, command["ids"], **allowed)))
    events, posted = events_between(bench.experiment, experiment), bool(command.get("live"))
    session.accept(bench, experiment, events, posted, extends=False)
    if shown and bench.run is None and not _is_shared(name, bench):
        _start_own(desk, bench)


def _start_own(desk: session.Desk, bench: Workbench) -> None:
    """Start a run of the visitor's own of a changed panel; where that is refused, the change stays and is measured."""
    try:
        session.start(bench, speed=SPEED, ghost=False, paused=False)
    except EngineError as error:
        desk.message = ("Not started.", capital(str(error)))


def _repeat(desk: session.Desk, name: str, bench: Workbench, change: int) -> None:
    """Stack the panel's unit more or less often; from ten on in steps of five, from fifty on of twenty-five.

    The page starts it once a person presses no further: ten presses are one run.
    """
    count = desk.repeats[name]
    stride = 25 if count + (change < 0) * -1 >= 50 else 5 if count + (change < 0) * -1 >= 10 else 1
    desk.repeats[name] = max(1, min(presets.MOST_REPEATS[name], count + change * stride))
    bench.unfolded = frozenset()
    longer = repeated(name, desk.repeats[name])
    session.accept(bench, with_twin(longer.with_network(standing_as(longer.network, bench.network))), None)


def _open(bench: Workbench, command: dict) -> None:
    """Fold or unfold the repeated unit, or open two blocks of a folded part at a layer."""
    layer = command.get("layer")
    if isinstance(layer, int) and 0 <= layer < bench.network.depth:
        bench.unfolded = bench.unfolded | {layer}
    else:
        bench.folded = not bench.folded
        bench.unfolded = frozenset()
