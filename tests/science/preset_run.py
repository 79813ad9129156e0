"""A preset's run as a worker takes it, with what its sentences tell a person to do to it."""

from __future__ import annotations

from base64 import b64decode
from collections import Counter
from collections.abc import Iterable

import torch

from skipviz import Network, Skip, presets
from skipviz.learning.frame import VariantFrame
from skipviz.learning.recording import Recording
from skipviz.learning.trainer import Trainer
from skipviz.learning.variant import Variant
from skipviz.tasks.event import LayerEvent, SkipEvent

MOST_STEPS: Counter[str] = Counter()
"""By preset, the steps of its longest run so far."""
FIRST, RECORDED = 20, 20
"""A run's first steps are all recorded, and then every so many."""
LOOKED = 10
"""Steps between two looks whether a run is where it has to get; who looks more often measures more than it trains."""
FREE = 1_000_000
"""Steps of a run that ends when its test does; its frames are those that the test asks for."""


class PresetRun:
    """One network of a preset in training; every number that is read of it has to be finite."""

    def __init__(self, name: str, network: Network | None = None) -> None:
        self.name, experiment = name, presets.get(name)
        if network is not None:
            experiment = experiment.with_network(network)
        training = experiment.training.replaced(steps=FREE, record_every=FREE, device="cpu")
        self.trainer = Trainer(experiment.replaced(training=training))

    @property
    def network(self) -> Network:
        return self.trainer.experiment.network

    @property
    def variant(self) -> Variant:
        return next(iter(self.trainer._variants.values()))

    def go(self, steps: int) -> VariantFrame:
        """Take steps, the run's first ones and then some recorded; return what the last one measured."""
        for left in range(steps, 0, -1):
            recorded = left == 1 or self.trainer.step < FIRST or self.trainer.step % RECORDED == 0
            frame = self.trainer.advance(record=recorded)
            whole = _whole(frame.variants) if frame else None
        MOST_STEPS[self.name] = max(MOST_STEPS[self.name], self.trainer.step)
        return whole

    def see(self, picture: bool = False) -> VariantFrame:
        """Measure the present weights on the next batch, held-out metric included; nothing changes."""
        return _whole(self.trainer.measure(baseline=False, picture=picture).variants)

    def reach(self, bar: float, within: int) -> None:
        """Take steps until more than `bar` of what is held out is right; fail where that takes more than `within` steps."""
        end = self.trainer.step + within
        while True:
            frame = self.go(min(LOOKED, end - self.trainer.step))
            at_end = self.trainer.step == end
            if (at_end or frame.metric > bar) and self.held_out > bar:
                return
            assert not at_end, f"{self.name} has not got {bar} right within {within} steps"

    @property
    def held_out(self) -> float:
        return held_out_of(self.trainer)

    def switch(self, on: bool, skips: Iterable[Skip] | None = None) -> PresetRun:
        """Switch some skips, or all, between two steps."""
        self.trainer.apply(SkipEvent(ids=[skip.id for skip in skips or self.network.skips], on=on))
        return self

    def shut(self, layer: str) -> None:
        """Shut the valve beside a layer: no gradient goes back through its output."""
        self.trainer.apply(LayerEvent(ids=[layer], gain=0.0))

    def states(self) -> list[torch.Tensor]:
        """Return h_0 … h_n of fifty samples that were held out."""
        recording = Recording()
        self.variant.model.eval()
        self.variant.model(self.trainer.held_out_x[:50], recording=recording)
        self.variant.model.train()
        return recording.states

    def undecided(self) -> float:
        """Return the share of pixels of the painted masks that are called neither shape nor ground: how blurred they are."""
        masks = list(b64decode(self.trainer._painter.paint(self.variant)["predicted"]))
        return sum(0.2 < value / 255 < 0.8 for value in masks) / len(masks)


def _whole(variants: dict[str, VariantFrame]) -> VariantFrame:
    (frame,) = variants.values()
    assert frame.nonfinite == []
    assert frame.loss is not None
    return frame


def held_out_of(trainer: Trainer) -> float:
    """Return the metric that the one network of a trainer has on what is held out, with its present weights."""
    (variant,) = trainer.living().values()
    found = trainer._held_out(variant.evaluate(trainer.held_out_x))["held_out"]
    assert found is not None
    return found


def layer_gradients(frame: VariantFrame) -> list[float]:
    """Return the gradient norms of the layers that have parameters, first layer first."""
    return [value for value in frame.weight_grad if value is not None]


def first_over_last(frame: VariantFrame) -> float:
    gradients = layer_gradients(frame)
    return gradients[0] / gradients[-1]
