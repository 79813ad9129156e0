"""The data of the browser's part: the network, its drawing, its gradient at initialisation, its run."""

from __future__ import annotations

from ...drawing import aligned, diagram, udiagram
from ...drawing.colours import VARIANTS
from ...drawing.network_data import LAB_HEIGHT, network_data
from ...engine.capacity.duration import shape_of, step_seconds
from ...engine.capacity.limits import memory_mb
from ...evidence.theory import predicted
from ...network.base import NetworkError
from ...network.network import Network
from ...network.remembered import remembered
from ...sharing import link
from ...storage import Run
from ...tasks.apart import apart
from ...tasks.cautions import cautions
from ...tasks.experiment import Experiment
from ...tasks.training_words import recipe_words, schedule_words
from ...tasks.variants import usual_words
from ..session_state.editor import Editor
from .differences import history

FIGURE_HEIGHT = 440
PROBE_SECONDS = 1.5
"""Longest wait for the gradient at initialisation; a page that has to do without asks again."""
COLD_SECONDS = 0.05
"""Likewise while the server has just begun and nothing can be measured yet: the page is drawn first."""


def editor_data(
    editor: Editor,
    engine,
    owner: str,
    *,
    page: str,
    compact: bool,
    repeat: int = 1,
    height: int | None = None,
    asker: str | None = None,
) -> dict:
    """Return all that one panel or the lab shows of `editor`; the probe waits a bounded time.

    `height` is what a projector's screen leaves for the lab's diagram, px; `asker` names whoever's turn the measurement at
    initialisation is, the editor by default.
    """
    experiment, network = editor.experiment, editor.network
    trains = not network.watched or engine.trains(experiment)
    run = engine.run(editor.run) if editor.run else None
    seconds = PROBE_SECONDS if engine.warm else COLD_SECONDS
    # An editor keeps its place in memory as long as its page is there, and asks again only as long.
    probe = None if editor.run else engine.probe(experiment, timeout=seconds, page=asker or f"editor {id(editor)}")
    unmeasured = probe.get("problem") if probe else None
    probe = None if unmeasured else probe
    screen = height is not None
    height = round((height or LAB_HEIGHT) * editor.zoom) if page == "lab" else FIGURE_HEIGHT
    several = page == "lab" and len(experiment.variants) > 1
    seen = {"page": page, "height": height, "unfolded": editor.unfolded, "folded": editor.folded, "screen": screen}
    if several:
        drawings = dict(zip(experiment.variants, aligned.draw([*experiment.variants.values()], **seen), strict=True))
        drawing = drawings[editor.variant]
    else:
        layers = None if editor.layout is None else editor.layout == "layers"
        drawing = diagram.draw(network, compact=compact, repeat=repeat, layers=layers, **seen)
    drawn = {"compact": compact or several, "height": height, "unfolded": editor.unfolded}
    shown = experiment.variants if several else {editor.variant: network}
    u = u_data(shown, editor.layout, **drawn) if page == "lab" else None
    opened = u["drawn"][editor.variant]["unfolded"] if u and u["on"] else drawing.unfolded
    return {
        "variant": editor.variant,
        "labels": experiment.labels,
        "beside": usual_words(network) if trains and (not network.watched or network.skips) else "",
        "columns": _columns(experiment, drawings, u, trains) if several else [],
        "history": history(run, experiment.variants) if several else [],
        "network": shown_network(network, trains),
        "diagram": drawing.to_data(),
        "u": u and {"on": u["on"], "why": u["why"], "diagram": u["drawn"].get(editor.variant)},
        "layers": {"on": drawing.shape == "layers"} if page == "lab" and not several and diagram.has_layers(network) else None,
        "probe": probe,
        "cautions": cautions(experiment) if page == "lab" and not network.watched else [],
        "theory": _theory(network) if page == "lab" else None,
        "estimate": None if network.watched else _estimate(experiment, probe, engine),
        "pending": probe is None and unmeasured is None and editor.run is None and engine.has_data(experiment),
        "unmeasured": unmeasured,
        "run": editor.run,
        "mine": trains and (run is None or run.owner == owner),
        "steps": run.steps if run is not None and not trains else experiment.training.steps,
        "learning_rate": experiment.training.learning_rate,
        "schedule": schedule_words(experiment.training),
        "recipe": "" if experiment.scripted else recipe_words(experiment.training),
        "task": experiment.task.kind.title.lower(),
        "metric": experiment.task.kind.metric,
        "link": link_of(experiment),
        "began": _began(run, experiment),
        "zoom": editor.zoom,
        "unfolded": sorted(opened if editor.unfolded is None else editor.unfolded, key=str),
        "undo": len(editor.document.undo),
        "redo": len(editor.document.redo),
        "select": editor.select,
    }


def shown_network(network: Network, trains: bool) -> dict:
    """Return the parts of a network, and whether it is a module of somebody's own: `watched` only, or `opened` and trained here."""
    return {**network_data(network), "watched": network.watched and not trains, "opened": network.watched and trains}


def _columns(experiment: Experiment, drawings: dict[str, diagram.Diagram], u: dict | None, trains: bool) -> list[dict]:
    """Return the networks of a comparison in order, and how each differs from the others."""
    found = apart(experiment.variants)
    return [
        {
            "variant": name,
            "title": experiment.label(name),
            "network": shown_network(network, trains),
            "diagram": drawings[name].to_data(),
            "u": u["drawn"].get(name) if u else None,
            **found[name],
            "theory": _theory(network),
        }
        for name, network in experiment.variants.items()
    ]


def u_data(networks: dict[str, Network], layout: str | None, **draw) -> dict | None:
    """Return of networks that are shown whether they are as a U (`on`) and then how (`drawn`), or None where none has one.

    `why` says in a sentence that they cannot be, as where some have none; `draw` is what `draw_u` takes.
    """
    without = [VARIANTS[place] for place, network in enumerate(networks.values()) if not udiagram.has_u(network)]
    if len(without) == len(networks):
        return None
    on, do = layout == "u" and not without, "does" if len(without) == 1 else "do"
    return {
        "on": on,
        "why": f"{' and '.join(without)} {do} not go down in scale and up again" if without else "",
        "drawn": {name: udiagram.draw_u(network, **draw).to_data() for name, network in networks.items()} if on else {},
    }


def _estimate(experiment: Experiment, probe: dict | None, engine) -> dict:
    """Return about how long a step takes, in seconds, whether it was measured in a run, and how much memory one takes, in MB."""
    took = engine.step_took(_shape(experiment))
    if took is not None:
        return {"seconds": round(took, 6), "measured": True, "memory_mb": _memory_mb(experiment)}
    seconds = step_seconds(experiment, probe["frame"].get("seconds") if probe else None)
    return {"seconds": round(seconds, 5), "memory_mb": _memory_mb(experiment)}


@remembered
def _theory(network: Network) -> dict:
    """Return what theory predicts of each state's gradient, as a multiple of the last one's, or the reason why nothing."""
    found = predicted(network)
    return {"gradients": [finite and round(finite, 12) for finite in found.gradients], "reason": found.reason}


@remembered
def _shape(experiment: Experiment) -> str:
    return shape_of(experiment)


@remembered
def _memory_mb(experiment: Experiment) -> int:
    return round(memory_mb(experiment))


def _began(run: Run | None, experiment: Experiment) -> str:
    """Return what the run began with as a link's text; nothing where that is what is shown, or where no link holds it."""
    began = run.began if run is not None else None
    return "" if began is None or began == experiment else link_of(began)


@remembered
def link_of(experiment: Experiment) -> str:
    """Return the experiment as a link's text, or nothing for one that no link holds."""
    try:
        return link.encode(experiment)
    except (link.LinkError, NetworkError):
        return ""
