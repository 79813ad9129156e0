"""The lab: the sidebar rebuilds the network, the component shows and steers it."""

from __future__ import annotations

from ...engine import get_engine
from ..component import component, feed, inline_download
from ..component.commands import perform_all
from ..content import kept_documents
from ..content.page_data import editor_data, link_of
from ..document.commands import handle
from ..document.labs import labs
from ..session_state import session, view, watching
from ..session_state.editor import Editor, layout_named, unfolded_after
from ..sidebar import sidebar, suggested_fix_bar
from ..sidebar.hint import hint, next_hint
from .opening import lab_state, open_named, open_text, place_of

KEY = "lab"
MOST_ZOOM = 6.0


def obey() -> None:
    """Do what the page has asked for since the last time."""
    state = lab_state()
    perform_all(KEY, state, lambda command: perform(state, state.editors["lab"], command))


def page() -> None:
    """Draw the lab page."""
    obey()
    state = lab_state()
    editor = state.editors["lab"]
    watching.look_again(state, editor)
    sidebar.draw(state, editor)
    if not watching.is_watching(state, editor):
        has_data = get_engine().has_data(editor.experiment)
        suggested_fix_bar.draw(
            state.suggested_fix,
            editor.experiment,
            has_data,
            lambda experiment: session.accept(state, editor, experiment, ends=True),
        )
    watching.show(state, editor)
    # Before the address, which may be loaded anew from the moment that it names this experiment.
    if not state.follow:
        labs.keep(editor.lab, place_of(editor))
        kept_documents.keep(editor.lab, place_of(editor))
    _address(state, editor)
    data = editor_data(editor, get_engine(), session.owner(), page="lab", compact=state.compact, height=view.room())
    component.mount(
        {
            "page": "lab",
            "done": state.done,
            "lab": {"id": editor.lab.id, "version": editor.document.version},
            "compact": state.compact,
            "speed": editor.lab.speed,
            "message": state.message,
            "file": inline_download.file(),
            "stem": inline_download.stem_of(editor),
            "hint": hint(editor.experiment),
            "next_hint": next_hint(editor.experiment),
            **data,
            **watching.page_fields(state, editor),
        },
        KEY,
    )
    # Only what was handed on is forgotten: a rerun may have cut this one short.
    state.message = editor.select = None
    if component.wants_feed(KEY):
        watch = watching.page_fields(state, editor)["watch"] or {}
        feed.draw([editor.run] if editor.run else [], state.follow, watch.get("version", 0), [editor])


def perform(state: session.SessionState, editor: Editor, command: dict) -> None:
    """Do one command of the page; raises `NetworkError` or `EngineError` with a sentence."""
    operation = command["op"]
    if view.perform(command) or feed.perform(command) or inline_download.perform(editor, command):
        return
    if watching.perform(state, editor, command):
        return
    if operation == "compact":
        state.compact = True
    elif operation == "measure":
        return
    elif operation == "go":
        session.go(command["page"])
    elif operation == "open":
        known = {skip.via for skip in editor.network.skips} | {*range(editor.network.depth)}
        editor.unfolded = unfolded_after(editor.unfolded, command) & known
    elif operation == "open_file":
        open_text(state, editor, str(command["text"]))
    elif operation == "open_experiment":
        open_named(str(command["text"]))
    elif operation == "choose":
        editor.variant = command["variant"] if command["variant"] in editor.experiment.variants else editor.variant
    elif operation == "zoom":
        editor.zoom = min(MOST_ZOOM, max(1.0, float(command["factor"])))
    elif operation == "layout":
        editor.layout = layout_named(command)
    else:
        answer = handle(editor.lab, command, session.address())
        editor.look()
        state.notify(answer.said)
        editor.select = answer.select or editor.select


def _address(state: session.SessionState, editor: Editor) -> None:
    """Keep the address true: the experiment, the run that a reload finds again, the classroom."""
    text = "" if state.follow else link_of(editor.experiment)
    view.write_address({**({"x": text} if text else {}), **watching.address(state, editor)})
