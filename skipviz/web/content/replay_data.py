"""A run as a replay's script gets it: its networks, their drawings, the facts beside them. Imports no streamlit."""

from __future__ import annotations

import importlib.metadata
from functools import cache

from ...drawing import aligned, modules, udiagram
from ...drawing.network_data import LAB_HEIGHT, network_data, viewer_data
from ...network.network import Network
from ...sharing import replay
from ...storage import Run
from ...tasks.apart import apart
from ...tasks.event import ids_of, meant
from ...tasks.experiment import OPTIMIZERS, Experiment
from ...tasks.switch_history import SwitchHistory
from ...tasks.training_words import training_words
from ...version import __version__
from . import bundle
from .differences import history
from .page_data import link_of

_ENDINGS = {"diverged": "Diverged", "stopped": "Stopped", "failed": "Failed", "interrupted": "Interrupted"}


def replay_file(run: Run, title: str, lab: str) -> bytes:
    """Return the HTML file of a run, under its own title or else `title`; `lab` is the lab's address.

    Raises `ReplayError` for a run without frames.
    """
    frames = run.frames
    if run.header_json is None or not frames:
        raise replay.ReplayError("this run has no frames yet: there is nothing to replay")
    experiment = run.began or run.experiment
    text = link_of(experiment)
    seed = "" if experiment.task.watched else f", seed {experiment.training.seed}"
    data = {
        "run": run.id,
        "title": run.title or title,
        "made": f"Recorded with skipviz {__version__} and torch {_version('torch')}{seed};",
        "address": f"{lab}?run={run.id}" if experiment.task.watched else f"{lab}?x={text}" if text else lab,
        "words": _ENDINGS.get(run.state, "Recorded"),
        "header": run.header,
        "state": run.state,
        "diverged": run.diverged,
        "switches": SwitchHistory().since(experiment, run.events),
        "steps": run.steps,
        "metric": experiment.task.kind.metric,
        "history": history(run, experiment.variants) if len(experiment.variants) > 1 else [],
        "variants": _variants(experiment, run.events),
        "shared": {name: value for name, value in bundle.shared_data("lab").items() if name != "plotly"},
    }
    return replay.document(f"{run.title or title} · skipviz", data, frames, _parts())


def facts(experiment: Experiment, network: Network) -> list[str]:
    """Return which of an experiment's networks was trained, on what and how, in short phrases."""
    training, skips = experiment.training, len(network.skips)
    size = f"{network.depth} layers, {skips} skip{'' if skips == 1 else 's'}, {network.parameter_count():,} parameters"
    if experiment.scripted:
        return [size, "A torch module, trained by its own script"]
    return [
        size,
        "A torch module of somebody's own, on data of its own"
        if experiment.task.watched
        else f"{experiment.task.kind.title}: {experiment.task.sentence()}",
        f"{OPTIMIZERS[training.optimizer]} {training.learning_rate:g}, batches of {training.batch_size}, {training.steps:,} steps"
        + "".join(f", {words}" for words in training_words(training)),
    ]


def _variants(experiment: Experiment, events: list[dict]) -> dict[str, dict]:
    """Return the networks as they were at first, several side by side, drawn with room for all words that lines ever carry."""
    networks = experiment.variants
    drawn = {name: _with_words(network, events) for name, network in networks.items()}
    if len(networks) == 1:
        shown = {name: viewer_data(network, drawn[name]) for name, network in networks.items()}
    else:
        columns, differing = aligned.draw([*drawn.values()], height=LAB_HEIGHT), apart(networks)
        shown = {name: {"diagram": one.to_data(), **differing[name]} for name, one in zip(drawn, columns, strict=True)}
        us = all(map(udiagram.has_u, drawn.values()))
        for name, one in drawn.items():
            u = udiagram.draw_u(one, compact=True, height=LAB_HEIGHT).to_data() if us else None
            shown[name]["u"] = u and {"diagram": u, "compact": u}
    for name, network in networks.items():
        shown[name] |= {"title": experiment.label(name)}
        shown[name] |= {"facts": facts(experiment, network), "network": network_data(network)}
        shown[name]["events"] = [event for event in events if _is_of(event, name, network)]
    return shown


def _is_of(event: dict, name: str, network: Network) -> bool:
    """Return whether an event was one of this network, or of the training of all."""
    return "ids" not in event or bool(meant(event.get("variant"), event["ids"], {name: ids_of(network, event["kind"])}))


def _with_words(network: Network, events: list[dict]) -> Network:
    """Return `network` with each strength and gain of a skip that an event makes another than 1, so that a line has room for
    every word that it ever carries; the script puts them right."""
    odd: dict[str, dict[str, float]] = {}
    for event in events:
        if event["kind"] == "skip":
            values = {name: event[name] for name in ("strength", "gain") if event.get(name) not in (None, 1)}
            for identifier in event["ids"]:
                odd.setdefault(identifier, {}).update(values)
    skips = tuple(skip.replaced(**odd.get(skip.id, {})) for skip in network.skips)
    return network if skips == network.skips else network.replaced(skips=skips)


@cache
def _parts() -> replay.Parts:
    style = modules.style() + (modules.ASSETS / "replay.css").read_text(encoding="utf-8")
    return replay.Parts(style, modules.script("replay.js"), modules.plotly_file().read_text(encoding="utf-8"))


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package).partition("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return "?"
