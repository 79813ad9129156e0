"""What a replay's script is told of a run: its networks, their drawings, the facts beside them. Imports no streamlit."""

from __future__ import annotations

import importlib.metadata
from functools import cache

from ..drawing import diagram, udiagram
from ..network.network import Network
from ..sharing import replay
from ..storage import Run
from ..tasks.experiment import Experiment
from ..version import __version__
from . import bundle
from .page_data import LAB_HEIGHT, link_of, network_data

_ENDINGS = {"diverged": "Diverged", "stopped": "Stopped", "failed": "Failed", "interrupted": "Interrupted"}


def replay_file(run: Run, title: str, lab: str) -> bytes:
    """Return the HTML file of a run, under its own title or else `title`; `lab` is the lab's address.

    Raises `ReplayError` for a run without frames.
    """
    frames = run.frames
    if run.header_json is None or not frames:
        raise replay.ReplayError("this run has no frames yet: there is nothing to replay")
    header = run.header
    experiment = Experiment.model_validate(header["experiment"])
    text = link_of(experiment)
    data = {
        "run": run.id,
        "title": run.title or title,
        "facts": facts(experiment),
        "made": f"Recorded with skipviz {__version__} and torch {_version('torch')}, seed {experiment.training.seed};",
        "address": f"{lab}?x={text}" if text else lab,
        "words": _ENDINGS.get(run.state, "Recorded"),
        "header": header,
        "state": run.state,
        "diverged": run.diverged,
        "steps": experiment.training.steps,
        "metric": experiment.task.kind.metric,
        "variants": {name: _variant_data(network) for name, network in experiment.variants.items()},
        "shared": {name: value for name, value in bundle.shared_data("lab").items() if name != "plotly"},
    }
    return replay.document(f"{run.title or title} · skipviz", data, frames, _parts())


def facts(experiment: Experiment) -> list[str]:
    """Return what was trained, on what and how, in short phrases."""
    network, training = experiment.network, experiment.training
    skips = len(network.skips)
    return [
        f"{network.depth} layers, {skips} skip{'' if skips == 1 else 's'}, {network.parameter_count():,} parameters",
        f"{experiment.task.kind.title}: {experiment.task.sentence()}",
        f"{training.optimizer} {training.learning_rate:g}, batches of {training.batch_size}, {training.steps:,} steps",
    ]


def _variant_data(network: Network) -> dict:
    drawings = {
        name: diagram.draw(network, page="lab", compact=compact, height=LAB_HEIGHT).to_data()
        for name, compact in (("diagram", False), ("compact", True))
    }
    u = None
    if udiagram.has_u(network):
        u = {"on": False, "diagram": udiagram.draw_u(network, compact=False, height=LAB_HEIGHT).to_data()}
    return {"network": network_data(network), "u": u, **drawings}


@cache
def _parts() -> replay.Parts:
    style = bundle.style() + (bundle.ASSETS / "replay.css").read_text(encoding="utf-8")
    return replay.Parts(style, bundle.script("replay.js"), bundle.plotly_file().read_text(encoding="utf-8"))


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package).partition("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return "?"
