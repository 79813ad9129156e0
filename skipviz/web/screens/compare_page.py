"""Side by side: two runs under one time slider, with what sets them apart in words. It only looks."""

from __future__ import annotations

from ...drawing import aligned
from ...drawing.painter import Diagram
from ...engine import get_engine
from ...storage import Run
from ...tasks.apart import apart as networks_apart
from ...tasks.comparison import Difference, differences
from ...tasks.experiment import Experiment
from ...tasks.forms.family_detection import TITLES, recognised
from ...tasks.training_words import recipe_words
from ..component import component, feed, inline_download
from ..component.commands import perform_all
from ..content.file_names import run_stem
from ..content.page_data import shown_network, u_data
from ..session_state import session, view
from ..session_state.editor import layout_named, unfolded_after
from . import opening

KEY = "compare"
HEIGHT = 520
"""px of a diagram where its rows fit into them."""
LONGEST_ID = 64
SIDES = ("left", "right")


def obey() -> None:
    """Do what the page has asked for since the last time."""
    state = session.compare_state()
    perform_all(KEY, state, lambda command: perform(state, command))


def page() -> None:
    """Draw the page of two runs side by side."""
    obey()
    state = session.compare_state()
    wanted = {"runs": ",".join(state.runs)} if state.runs else {}
    view.write_address(wanted)
    message, state.message = state.message, None
    component.mount(
        {
            "page": "compare",
            "done": state.done,
            "message": message,
            "file": inline_download.file(),
            **compared(state),
        },
        KEY,
    )
    if component.wants_feed(KEY):
        feed.draw([text.partition(":")[0] for text in state.runs])


def perform(state: session.Pair, command: dict) -> None:
    """Do one command of the page; raises `ValueError` for what is none."""
    operation = command["op"]
    if view.perform(command) or inline_download.perform(None, command):
        return
    if operation == "go":
        session.go(str(command["page"]))
    elif operation == "open_run":
        opening.open_run(str(command["run"]))
    elif operation == "swap":
        state.runs.reverse()
    elif operation == "variant":
        side = int(command["side"])
        state.runs[side] = f"{state.runs[side].partition(':')[0]}:{command['variant']}"[:LONGEST_ID]
    elif operation == "open":
        state.unfolded = unfolded_after(state.unfolded, command)
    elif operation == "layout":
        state.layout = layout_named(command)
    else:
        raise ValueError(operation)


def compared(state: session.Pair) -> dict:
    """Return both columns, and the differences if both are there; a column without a run says why in a sentence."""
    found = [_found(text) for text in state.runs]
    if len(found) != 2:
        return {"columns": [], "u": None, "problem": "Choose two runs on the page My runs.", "differences": []}
    if None in found:
        reason = (
            "One of these runs is not there: it was deleted, or its time was over."
            if any(found)
            else "These two runs are not there: they were deleted, or their time was over."
        )
        return {"columns": [], "u": None, "problem": reason, "differences": []}
    experiments = [_began(run) for run, _ in found]
    names = [_variant(experiment, name) for experiment, (_, name) in zip(experiments, found, strict=True)]
    networks = [experiment.variants[name] for experiment, name in zip(experiments, names, strict=True)]
    drawings = aligned.draw(networks, height=HEIGHT, unfolded=state.unfolded)
    u = u_data(dict(zip(SIDES, networks, strict=True)), state.layout, compact=True, height=HEIGHT, unfolded=state.unfolded)
    columns = [
        _column(run, experiment, name, drawing)
        for (run, _), experiment, name, drawing in zip(found, experiments, names, drawings, strict=True)
    ]
    families = [_family(experiment, name) for experiment, name in zip(experiments, names, strict=True)]
    apart = [Difference("network", *families)] if families[0] != families[1] else []
    apart += differences(*experiments, (names[0], names[1]))
    unlike = networks_apart(dict(zip(SIDES, networks, strict=True)))
    for side, column in zip(SIDES, columns, strict=True):
        column |= {"unlike": unlike[side]["unlike"], "u": u["drawn"].get(side) if u else None}
    words = [{"what": one.what, "left": one.left, "right": one.right} for one in apart]
    return {"columns": columns, "u": u and {"on": u["on"], "why": u["why"]}, "problem": None, "differences": words}


def _family(experiment: Experiment, name: str) -> str:
    """Return what the network of one variant is called: its family, or that of what was changed by hand."""
    found = recognised(experiment.replaced(variants={name: experiment.variants[name]}))
    near = found.form or found.near
    changed = "" if found.family or not near else ", changed"
    return f"{TITLES[near.family]}{changed}" if near else "one's own"


def _found(text: str) -> tuple[Run, str] | None:
    run_id, _, variant = text.partition(":")
    run = get_engine().run(run_id)
    return None if run is None else (run, variant)


def _began(run: Run) -> Experiment:
    """Return the experiment as the run began with it; what was done since stands among its events."""
    return run.began or run.experiment


def _variant(experiment: Experiment, name: str) -> str:
    return name if name in experiment.variants else next(iter(experiment.variants))


def _column(run: Run, experiment: Experiment, name: str, drawing: Diagram) -> dict:
    return {
        "run": run.id,
        "title": run.title,
        "stem": run_stem(run),
        "mine": run.owner == session.owner(),
        "variant": name,
        "variants": {one: experiment.label(one) for one in experiment.variants},
        "labels": experiment.labels,
        "differs": "",
        "network": shown_network(experiment.variants[name], get_engine().trains(experiment)),
        "diagram": drawing.to_data(),
        "steps": run.steps,
        "recipe": "" if experiment.scripted else recipe_words(experiment.training),
        "task": experiment.task.kind.title.lower(),
        "metric": experiment.task.kind.metric,
    }
