"""Figure 4.9, alive: the first page."""

from __future__ import annotations

from ...engine import get_engine
from ...network.edit import with_switches_of
from ...tasks import presets
from ...tasks.twin import TWIN, with_twin
from ..component import component, feed, inline_download
from ..component.commands import perform_all
from ..content.figure_text import INTRO, PANELS, TITLE
from ..content.page_data import editor_data
from ..document.commands import handle
from ..session_state import session, view
from ..session_state.editor import Editor
from ..session_state.figure_rules import is_shared
from ..session_state.shared_demo import REPEATS, SPEED, repeated, shared_demo
from . import opening

KEY = "figure"


def obey() -> None:
    """Do what the page has asked for since the last time."""
    state = session.figure_state()
    perform_all(KEY, state, lambda command: perform(state, command))


def page() -> None:
    """Draw the page of the three panels."""
    obey()
    state = session.figure_state()
    for editor in state.editors.values():
        editor.look()
    view.write_address(_address(state))
    panels = [_panel(state, name, editor) for name, editor in state.editors.items()]
    component.mount(
        {
            "page": "figure",
            "title": TITLE,
            "intro": INTRO,
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
    title, text = PANELS[name]
    facts = {
        "id": name,
        "lab": {"id": editor.lab.id, "version": editor.document.version},
        "stem": inline_download.stem_of(editor),
        "title": title,
        "text": text,
        "repeat": repeat,
        "most": presets.MOST_REPEATS[name],
        "folded": editor.folded,
        "shared": shared_demo.runs(get_engine()).get(name) if is_shared(name, editor.document) else None,
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
    lacks = any(panel["shared"] is None and is_shared(panel["id"], state.editors[panel["id"]].document) for panel in panels)
    return shared_demo.absence(get_engine()) if lacks else None


def perform(state: session.SessionState, command: dict) -> None:
    """Do one command of the page; raises `NetworkError` or `EngineError` with a sentence."""
    operation = command["op"]
    if view.perform(command) or feed.perform(command) or inline_download.perform(state.editors.get(command.get("panel")), command):
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
    if operation == "open_lab":
        opening.open_experiment(editor.experiment)
        return
    if operation == "repeat":
        _repeat(state, name, editor, int(command["change"]))
        return
    answer = handle(editor.lab, {**command, "speed": SPEED}, session.address())
    editor.look()
    state.notify(answer.said)


def _repeat(state: session.SessionState, name: str, editor: Editor, change: int) -> None:
    """Stack the panel's unit more or less often; from ten on in steps of five, from fifty on of twenty-five.

    The page starts it once a person presses no further: ten presses are one run.
    """
    count = state.repeats[name]
    stride = 25 if count + (change < 0) * -1 >= 50 else 5 if count + (change < 0) * -1 >= 10 else 1
    state.repeats[name] = max(1, min(presets.MOST_REPEATS[name], count + change * stride))
    editor.unfolded = None
    longer = repeated(name, state.repeats[name])
    session.accept(state, editor, with_twin(longer.with_network(with_switches_of(longer.network, editor.network))), ends=True)


def _open(editor: Editor, command: dict) -> None:
    """Fold or unfold the repeated unit, or open two blocks of a folded part at a layer."""
    layer = command.get("layer")
    if isinstance(layer, int) and 0 <= layer < editor.network.depth:
        editor.unfolded = (editor.unfolded or frozenset()) | {layer}
    else:
        editor.folded = not editor.folded
        editor.unfolded = None
