"""An experiment: one to four named networks on one task, and how they are trained in lockstep."""

from __future__ import annotations

import json
import re
from typing import Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from ..network.base import Frozen, Identifier, NetworkError, sentence
from ..network.network import Network
from .loss import LossName
from .objective import ClassWeights, fitted_loss, problem
from .schedule import Schedule
from .suggested_fix import fitted, fix_words
from .task import Task

MOST_STEPS = 1_000_000
"""Of a run."""
MOST_SEEDS = 32
"""Of a run."""
LONGEST_LABEL = 32
"""Characters of a network's label."""
_LABEL = re.compile(rf'[^\W_][^,"\\]{{0,{LONGEST_LABEL - 1}}}')
"""What tables, scripts and spreadsheets take as it is: none of the signs that they part, escape or reckon with."""
OPTIMIZERS = {"sgd": "SGD", "momentum": "Momentum", "adam": "Adam", "adamw": "AdamW"}
"""The optimizers' names as they are written."""


class MismatchError(NetworkError):
    """Networks that do not fit their task, and what can be done about it."""

    def __init__(self, text: str, variants: dict[str, Network], task: Task, training: Training) -> None:
        super().__init__(text)
        self.task, self.training, self._variants = task, training, variants

    def words(self) -> str:
        """Return in an imperative what `mended` does, for a button."""
        return fix_words(self.task, len(self._variants))

    def mended(self) -> Experiment:
        """Return the experiment with inputs and heads that fit its task; raises `NetworkError` where that is not enough."""
        variants = {name: fitted(network, self.task) for name, network in self._variants.items()}
        return Experiment(variants=variants, task=self.task, training=fitted_loss(self.task, self.training))


class ExperimentError(ValueError):
    """Text or data that is not an experiment; one sentence that names the field.

    `mismatch` is there where all that is wrong is a network that does not fit its task.
    """

    mismatch: MismatchError | None = None


def mismatch_in(error: ValidationError) -> MismatchError | None:
    """Return the mismatch of network and task that a pydantic error tells of, or None."""
    cause = error.errors(include_url=False)[0].get("ctx", {}).get("error")
    return cause if isinstance(cause, MismatchError) else None


class Training(Frozen):
    """How the variants are trained. Batch t is a pure function of (seed, t)."""

    optimizer: Literal["sgd", "momentum", "adam", "adamw"] = "adam"
    learning_rate: float = Field(0.001, ge=0, le=10, description="0: measure only")
    momentum: float = Field(0.0, ge=0, lt=1, description="of sgd and momentum; momentum takes 0.9 for 0")
    batch_size: int = Field(64, ge=1, le=4096, description="samples; never more than the training set has")
    weight_decay: float = Field(0.0, ge=0, le=1)
    steps: int = Field(500, ge=1, le=MOST_STEPS)
    seed: int = Field(0, ge=0, le=2**31 - 1, description="of weights and batches")
    record_every: int | None = Field(None, ge=1, le=1_000_000, description="steps; None: max(1, steps // 400)")
    device: Literal["auto", "cpu", "cuda"] = "auto"
    schedule: Schedule = Field("constant", description="of the learning rate, which is its largest (`tasks.schedule`)")
    warmup_steps: int = Field(0, ge=0, le=1_000_000, description="steps in which the learning rate rises to its largest")
    accumulation: int = Field(
        1, ge=1, le=256, description="batches whose mean gradient one step takes; a frame measures all of them"
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="of the passes: bfloat16 is torch's autocast, parameters and updates staying float32"
    )
    clip_norm: float | None = Field(None, gt=0, le=1e6, description="longest L2 norm of the whole gradient; None: any")
    clip_value: float | None = Field(
        None, gt=0, le=1e6, description="largest magnitude of an element of the gradient, before clip_norm; None: any"
    )
    loss: LossName = Field("auto", description="in place of the task's own, or added; auto: the task's own")
    class_weights: ClassWeights = Field(
        "none", description="in the cross-entropy; balanced: samples / (classes × samples of the class), of the training split"
    )
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="share of a class's target spread evenly over all classes")
    seeds: int = Field(1, ge=1, le=MOST_SEEDS, description="trained beside each other, from `seed` on; a frame has their medians")

    def member(self, place: int) -> Training:
        """Return the training of one of the seeds alone, 0 being the first; after the largest number comes 0."""
        return self.model_copy(update={"seed": (self.seed + place) % 2**31, "seeds": 1})

    @property
    def effective_momentum(self) -> float:
        """The momentum of the updates: 0 for Adam, and `momentum`'s own where none is set."""
        return {"sgd": self.momentum, "momentum": self.momentum or 0.9}.get(self.optimizer, 0.0)

    def record_interval(self) -> int:
        """Return the steps between two scheduled frames."""
        return self.record_every or max(1, self.steps // 400)


LABELS = (
    f"a network's name begins with a letter or a digit and has at most {LONGEST_LABEL} characters, none of them a comma, "
    "a quotation mark or a backslash"
)


def is_label(text: str) -> bool:
    """Return whether a network may be called so: one plain line that every table holds."""
    return bool(_LABEL.fullmatch(text)) and text.isprintable() and text == " ".join(text.split())


class Experiment(Frozen):
    """One to four named networks (variants) on one task: same seed, same batches, same step.

    A variant's name is its key in frames, events and files and never changes; `labels` has what people call it, where that is
    something else. Labels of networks that are not there go.
    """

    variants: dict[Identifier, Network] = Field(min_length=1, max_length=4)
    task: Task = Task()
    training: Training = Training()
    labels: dict[Identifier, str] = {}

    @field_validator("labels")
    @classmethod
    def _labels_are_apart(cls, labels, info):
        variants = info.data.get("variants", {})
        for label in labels.values():
            if not is_label(label):
                raise ValueError(LABELS)
        kept = {name: labels[name] for name in variants if labels.get(name, name) != name}
        shown = [kept.get(name, name) for name in variants]
        if twice := next((label for label in shown if shown.count(label) > 1), None):
            raise NetworkError(f"another network is called {twice} already")
        return kept

    @field_validator("variants", mode="before")
    @classmethod
    def _variants_are_named(cls, value):
        if not isinstance(value, dict):
            raise ValueError("give a table of named networks")
        return value

    @model_validator(mode="after")
    def _check(self):
        for name, network in self.variants.items():
            mismatch = self.task.mismatch(network)
            if mismatch:
                raise MismatchError(f"{self.label(name)}: {mismatch}", self.variants, self.task, self.training)
            if not network.parameter_count():
                raise NetworkError(f"{self.label(name)}: no layer, skip or head has a parameter, so there is nothing to learn")
        if without_use := problem(self.task, self.training):
            raise NetworkError(without_use)
        return self

    def on(self, task: Task) -> Experiment:
        """Return this experiment on another task, inputs and heads following it; raises `NetworkError` where they cannot.

        Settings of the loss that the task has no use for go.
        """
        variants = {name: fitted(network, task) for name, network in self.variants.items()}
        return self.replaced(variants=variants, task=task, training=fitted_loss(task, self.training))

    def with_network(self, network: Network, variant: str | None = None) -> Experiment:
        """Return this experiment with one variant's network replaced (the first one by default)."""
        variant = variant or next(iter(self.variants))
        return self.replaced(variants={**self.variants, variant: network})

    def alone(self, variant: str) -> Experiment:
        """Return the experiment of one of its variants."""
        return self if len(self.variants) == 1 else self.replaced(variants={variant: self.variants[variant]})

    def label(self, variant: str) -> str:
        """Return what people call one of the networks."""
        return self.labels.get(variant, variant)

    def labelled(self, labels: dict[str, str]) -> Experiment:
        """Return the experiment with the labels of another one of these networks; nothing else differs."""
        return self.model_copy(update={"labels": labels})

    def named(self, text: str) -> str | None:
        """Return the name of the network that `text` is the label or the name of, or None."""
        found = (name for name in self.variants if self.label(name) == text)
        return next(found, text if text in self.variants else None)

    @property
    def scripted(self) -> bool:
        """Whether a script of its own trains it, which alone knows how: `training` says nothing of that."""
        return self.task.watched and self.training.learning_rate == 0

    @property
    def network(self) -> Network:
        """The first variant's network."""
        return next(iter(self.variants.values()))

    def trained(self) -> dict:
        """Return JSON data, without defaults, of all that a run follows from: neither what made the networks nor their labels."""
        without = {"variants": {"__all__": {"origin"}}, "labels": True}
        return self.model_dump(mode="json", exclude_defaults=True, exclude=without)

    def to_json(self) -> str:
        """Return the experiment as compact JSON without its defaults."""
        return json.dumps(self.model_dump(mode="json", exclude_defaults=True), separators=(",", ":"))


MAX_JSON = 4_000_000
"""Characters of an experiment's JSON; a 2,500-layer network written out in full has about 1,000,000."""


def experiment_from_json(text: str | bytes) -> Experiment:
    """Return the experiment that `text` holds; raises `ExperimentError` with one sentence."""
    if len(text) > MAX_JSON:
        raise ExperimentError(f"an experiment has at most {MAX_JSON:,} characters")
    try:
        return Experiment.kept(text)
    except ValidationError as error:
        refused = ExperimentError(sentence(error))
        refused.mismatch = mismatch_in(error)
        raise refused from None
    except (NetworkError, RecursionError, ValueError) as error:
        raise ExperimentError(str(error)[:300]) from None
