"""Figure 4.9, alive: the first page."""

from __future__ import annotations

from ...engine import EngineError, get_engine
from ...network.edit import set_layers, set_skips, with_switches_of
from ...tasks import presets
from ...tasks.twin import TWIN, with_twin
from ..component import component, feed, inline_download
from ..component.commands import capital, perform_all
from ..content.page_data import editor_data
from ..session_state import session, view
from ..session_state.editor import Editor, events_between
from ..session_state.shared_demo import REPEATS, SPEED, opening, repeated, shared_demo

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


def obey() -> None:
    """Do what the page has asked for since the last time."""
    state = session.figure_state()
    perform_all(KEY, state, lambda command: perform(state, command))


def page() -> None:
    """Draw the page of the three panels."""
    obey()
    state = session.figure_state()
    view.write_address(_address(state))
    panels = [_panel(state, name, editor) for name, editor in state.editors.items()]
    component.mount(
        {
            "page": "figure",
            "done": state.done,
            "compact": state.compact,
            "speed": SPEED,
            "message": state.message,
            "file": inline_download.file(),
            "absent": _absent(state, panels),
            "steps": max(panel["steps"] for panel in panels),
            "repeat": _address(state).get("repeat", ""),
            "panels": panels,
        },
        KEY,
    )
    # Only what was handed on is forgotten: a rerun may have cut this one short.
    state.message = None
    if component.wants_feed(KEY):
        feed.draw([run for panel in panels if (run := panel["run"] or panel["shared"])])


def _address(state: session.SessionState) -> dict[str, str]:
    """Return what a reload needs: the three runs, and how often each unit is repeated where that is not as the page opens."""
    runs = [editor.run or "" for editor in state.editors.values()]
    wanted = {"runs": ".".join(runs)} if any(runs) else {}
    if state.repeats != REPEATS:
        wanted["repeat"] = ".".join(str(state.repeats[panel]) for panel in state.editors)
    return wanted


def _panel(state: session.SessionState, name: str, editor: Editor) -> dict:
    repeat = state.repeats[name]
    data = editor_data(editor, get_engine(), session.owner(), page="figure", compact=state.compact, repeat=repeat)
    title, text = TEXTS[name]
    facts = {
        "id": name,
        "stem": inline_download.stem_of(editor),
        "title": title,
        "text": text,
        "repeat": repeat,
        "most": presets.MOST_REPEATS[name],
        "folded": editor.folded,
        "shared": shared_demo.runs(get_engine()).get(name) if _is_shared(name, editor) else None,
        "twin": {"name": TWIN, "lacks": _lacks(editor)} if TWIN in editor.experiment.variants else None,
    }
    return {**data, **facts}


def _lacks(editor: Editor) -> str:
    """Return in words what the twin does without, and what stands in its place."""
    if any(layer.scale is not None for layer in editor.network.layers):
        return "without skips and branch scale"
    return "without skips, zeros in their place" if any(skip.joins for skip in editor.network.skips) else "without skips"


def _absent(state: session.SessionState, panels: list[dict]) -> str | None:
    """Return why a panel that is to show everybody's run shows none, or None."""
    lacks = any(panel["shared"] is None and _is_shared(panel["id"], state.editors[panel["id"]]) for panel in panels)
    return shared_demo.absence(get_engine()) if lacks else None


def _is_shared(name: str, editor: Editor) -> bool:
    """Return whether the panel shows everybody's run: nothing was changed and none of one's own started."""
    return editor.run is None and editor.experiment == opening(name)


def perform(state: session.SessionState, command: dict) -> None:
    """Do one command of the page; raises `NetworkError` or `EngineError` with a sentence."""
    operation = command["op"]
    if view.perform(command) or feed.perform(command) or inline_download.perform(state.editors.get(command.get("panel")), command):
        return
    if operation == "start":
        runs, panels = dict(command.get("runs") or {}), command.get("panels") or list(state.editors)
        wanted = {"speed": SPEED, "baseline": False, "paused": bool(command.get("paused"))}
        for name, editor in state.editors.items():
            if runs.get(name):
                session.adopt(editor, str(runs[name]), **wanted)
            elif name in panels:
                session.start(editor, **wanted)
        return
    if operation == "reset":
        for name in command.get("panels") or list(state.editors):
            session.leave(state.editors[name])
        return
    if operation == "compact":
        state.compact = True
        return
    if operation == "measure":
        return
    if operation == "go":
        session.go(command["page"])
        return
    name = command["panel"]
    editor = state.editors[name]
    if operation == "open":
        _open(editor, command)
        return
    if operation == "repeat":
        _repeat(state, name, editor, int(command["change"]))
        return
    shown = editor.run is not None or _is_shared(name, editor)
    change = {"skips": set_skips, "layers": set_layers}[operation]
    allowed = {key: value for key, value in dict(command["changes"]).items() if key in ("on", "gain", "strength")}
    experiment = with_twin(editor.experiment.with_network(change(editor.network, command["ids"], **allowed)))
    events, posted = events_between(editor.experiment, experiment), bool(command.get("live"))
    session.accept(editor, experiment, events, posted, extends=False)
    if shown and editor.run is None and not _is_shared(name, editor):
        _start_own(state, editor)


def _start_own(state: session.SessionState, editor: Editor) -> None:
    """Start a run of the visitor's own of a changed panel; where that is refused, the change stays and is measured."""
    try:
        session.start(editor, speed=SPEED, baseline=False, paused=False)
    except EngineError as error:
        state.message = ("Not started.", capital(str(error)))


def _repeat(state: session.SessionState, name: str, editor: Editor, change: int) -> None:
    """Stack the panel's unit more or less often; from ten on in steps of five, from fifty on of twenty-five.

    The page starts it once a person presses no further: ten presses are one run.
    """
    count = state.repeats[name]
    stride = 25 if count + (change < 0) * -1 >= 50 else 5 if count + (change < 0) * -1 >= 10 else 1
    state.repeats[name] = max(1, min(presets.MOST_REPEATS[name], count + change * stride))
    editor.unfolded = None
    longer = repeated(name, state.repeats[name])
    session.accept(editor, with_twin(longer.with_network(with_switches_of(longer.network, editor.network))), None)


def _open(editor: Editor, command: dict) -> None:
    """Fold or unfold the repeated unit, or open two blocks of a folded part at a layer."""
    layer = command.get("layer")
    if isinstance(layer, int) and 0 <= layer < editor.network.depth:
        editor.unfolded = (editor.unfolded or frozenset()) | {layer}
    else:
        editor.folded = not editor.folded
        editor.unfolded = None
