"""What `python -m skipviz open` opens, as the server and its workers read it. Imports no torch, and nothing of the person's."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ...network.base import written
from ...network.edit import unswitched
from ...tasks.experiment import Experiment
from ..errors import WatchError

ELSEWHERE = "this network is somebody's own module: its recording holds no code, and only its own script can train it"

MOST_HELD_OUT = 8
"""Held-out batches of a measurement, of which a run has some thirty: a few per cent of the time of a thousand steps."""


@dataclass(frozen=True)
class Opened:
    """Where in a person's files the module and its data are: `model`, `data`, `loss`, `held_out`, each as `/path/train.py:name`."""

    model: str
    data: str | None = None
    loss: str | None = None
    held_out: str | None = None
    """Batches that it is not trained on."""
    shape: tuple[int, ...] | None = None
    """Of a random sample, where there is no data."""
    tokens: int | None = None
    """Below this its numbers are, where they are whole."""
    folder: str = "."
    """Where the person was: files that theirs open are named from there."""

    @property
    def title(self) -> str:
        """What is opened, in a person's words."""
        return short(self.model) + ("" if self.data else ", on random data")

    def words(self) -> str:
        """Return on what it is trained, in a sentence or two for a page."""
        if self.data:
            data = f"Batches of {short(self.data)}."
        else:
            what = "numbers" if self.tokens is None else f"tokens below {self.tokens}"
            data = f"Random {what}, {written(self.shape)} a sample: it can only learn them by heart."
        if self.held_out:
            data += f" Held out: {short(self.held_out)}, its first batches, {MOST_HELD_OUT} at most."
        return f"{data} Loss: {short(self.loss) if self.loss else 'its own, or by what the target is'}."


def short(place: str) -> str:
    """Return `/path/train.py:name` without the path."""
    path, _, name = place.rpartition(":")
    return f"{Path(path).name}:{name}"


def write(path: Path, opened: Opened, experiment: Experiment) -> None:
    """Write down what is opened, and the experiment that it was found to be."""
    path.write_text(json.dumps({**asdict(opened), "experiment": experiment.model_dump(mode="json", exclude_defaults=True)}))


def read(path: str | Path) -> tuple[Opened, Experiment]:
    """Return what `write` wrote; raises `WatchError`."""
    try:
        fields = json.loads(Path(path).read_text())
        experiment = Experiment.kept(fields.pop("experiment"))
        shape = fields.pop("shape")
        return Opened(**fields, shape=None if shape is None else tuple(shape)), experiment
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WatchError(f"{path} does not say what is opened: start the lab by python -m skipviz open ({error})") from None


def refusal(experiment: Experiment, opened: Experiment | None) -> str | None:
    """Return in one sentence why this server does not train a watched experiment, or None where it does.

    It trains what it was opened on, its layers and skips switched and scaled in any way, and nothing else.
    """
    if opened is None:
        return ELSEWHERE
    known = unswitched(opened.network)
    for name, network in experiment.variants.items():
        if unswitched(network) != known:
            return f"{name} is not the module that this lab was opened on: it can be switched and scaled, and nothing added"
    if experiment.training.seeds > 1:
        return "one's own module is trained from one seed at a time"
    return None
