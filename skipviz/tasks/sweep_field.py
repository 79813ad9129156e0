"""The fields that a sweep may vary: a family's settings, those of the training and the data, and those of all parts of a kind.

Each is read from where it is described: the family's form, `Training`, `Task`, `Layer`, `Skip`, the operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..network import edit
from ..network.base import NetworkError
from ..network.layer import Layer
from ..network.merge import MERGES
from ..network.network import Network
from ..network.scalar_fields import ScalarField, scalar_fields
from ..network.skip import Skip
from .experiment import Experiment, Training
from .forms import FORMS
from .forms.family_detection import recognised
from .forms.form import Setting
from .task import Task

FAMILY, DATA, TRAINING, PARTS = "the family", "the data", "training", "all parts of a kind"
"""Where a field is from, in the order in which values act."""
SKIPS = "skips"
"""The name of all skips' switch."""
OF_LAYERS = (
    "activation", "norm", "order", "init", "init_factor", "dropout", "drop_path", "scale", "gain",
)  # fmt: skip
OF_SKIPS = ("merge", "strength", "gain", "learned", "rate")
"""Of all skips, whatever their merge."""
NOT_OF_TRAINING = ("record_every", "device")
"""They change nothing of what is learned."""
SWITCH = {"on": True, "off": False}

Value = bool | int | float | str | None
Put = Callable[[Network, Value], Network]


@dataclass(frozen=True)
class SweepField:
    """A field with its bounds; `put` sets it in a network where it is of parts."""

    name: str
    words: str
    group: str
    value: Any
    """What it is in the experiment that is varied; None also where its parts differ."""
    options: tuple = ()
    """Choices, with their words; none for a number."""
    shown: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    whole: bool = False
    none: bool = False
    """Whether it may be left empty."""
    says: str = ""
    put: Put | None = None

    def read(self, text: str) -> Value:
        """Return the value that `text` writes; raises `NetworkError`."""
        text = text.strip()
        for option, words in zip(self.options, self.shown, strict=True):
            if text in (str(option), words):
                return option
        if self.none and text in ("", "none"):
            return None
        for kind in () if self.options and not self.is_number else (int, float):
            try:
                return kind(text)
            except ValueError:
                continue
        raise NetworkError(f"{self.name} is {self.bounds()}, not {text[:32]!r}")

    @property
    def is_number(self) -> bool:
        """Whether numbers beside its options are taken too."""
        return not self.options or all(type(option) in (int, float) for option in self.options)

    def checked(self, value: Value) -> Value:
        """Return `value` if the field takes it, whatever else varies; raises `NetworkError`."""
        if value is None and self.none:
            return value
        known = any(value == option and type(value) is type(option) for option in self.options)
        number = self.is_number and type(value) in (int, float) and not (self.whole and value != int(value))
        inside = number and (self.low is None or value >= self.low) and (self.high is None or value <= self.high)
        if not (known or inside):
            raise NetworkError(f"{self.name} is {self.bounds()}, not {self.said(value)}")
        return value

    def bounds(self) -> str:
        """Return in words what it takes."""
        if self.options and not self.is_number:
            return f"one of {', '.join(map(self.said, self.options))}" + " or none" * self.none
        ends = "" if self.low is None or self.high is None else f" from {_bound(self.low)} to {_bound(self.high)}"
        return f"a {'whole ' if self.whole else ''}number{ends}" + " or none" * self.none

    def said(self, value: Value) -> str:
        """Return a value as a command line writes it."""
        if value is None:
            return "none"
        if isinstance(value, bool):
            return "on" if value else "off"
        return f"{value:g}" if isinstance(value, float) else str(value)[:64]

    def suggested(self) -> tuple[Value, ...]:
        """Return a few values that may be worth a look."""
        if self.options:
            return self.options[:6]
        if type(self.value) not in (int, float):
            return tuple(dict.fromkeys(end for end in (self.low, self.high) if end is not None))
        around = [self.value * factor for factor in ((0.25, 0.5, 1, 2, 4) if self.whole else (0.1, 0.3, 1, 3, 10))]
        if not self.value:
            around = [0, 1, 2, 3] if self.whole else [0, 0.1, 0.2, 0.5]
        low, high = self.low if self.low is not None else min(around), self.high if self.high is not None else max(around)
        held = (min(high, max(low, one)) for one in around)
        return tuple(dict.fromkeys(round(one) if self.whole else float(f"{one:.1g}") for one in held))


def _bound(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


def fields_of(experiment: Experiment) -> dict[str, SweepField]:
    """Return by name all that can be varied of an experiment of one network."""
    network = experiment.network
    found = [*_of_the_family(experiment), *_of_the_data(experiment.task), *_of_the_training(experiment.training)]
    return {field.name: field for field in (*found, *_of_parts(network))}


def varied(experiment: Experiment, values: dict[str, Value]) -> Experiment:
    """Return the experiment with other values of some of its fields; raises `NetworkError` where there is none."""
    known = fields_of(experiment)
    by_group = {group: {n: v for n, v in values.items() if known[n].group == group} for group in (FAMILY, DATA, TRAINING, PARTS)}
    task = experiment.task.replaced(**{_TASK_NAMES.get(name, name): value for name, value in by_group[DATA].items()})
    if by_group[FAMILY]:
        experiment = _with_family(experiment, by_group[FAMILY], task)
    elif task != experiment.task:
        experiment = experiment.on(task)
    if by_group[TRAINING]:
        experiment = experiment.replaced(training=experiment.training.replaced(**by_group[TRAINING]))
    network = experiment.network
    for name, value in by_group[PARTS].items():
        network = known[name].put(network, value)
    return experiment if network is experiment.network else experiment.with_network(network)


def _with_family(experiment: Experiment, values: dict[str, Value], task: Task) -> Experiment:
    from .forms.architecture import with_values

    form = recognised(experiment).form.followed(experiment.task, task).changed(**values)
    now = form.settings()
    for setting in FORMS[form.family].settings:
        if setting.name in values and not setting.takes(now):
            offered = setting.options(now) if callable(setting.options) else ()
            instead = f": choose {', '.join(map(setting.shown, offered))}" if offered else ""
            raise NetworkError(f"{setting.name} {now[setting.name]} does not go with the rest{instead}")
    return with_values(experiment, form, task, keep=True)


def _of_the_family(experiment: Experiment) -> Iterator[SweepField]:
    form = recognised(experiment).form
    if form is None:
        return
    values = form.settings()
    for setting in FORMS[form.family].settings:
        yield _of_setting(setting, values)


def _of_setting(setting: Setting, values: dict) -> SweepField:
    options = tuple(setting.choices(values))
    number = not isinstance(setting.default, str)
    ends = (setting.low, setting.high) if number and not options else (None, None)
    if number and callable(setting.options):  # what is offered beside other values may be more
        ends = (0, 1e9)
    elif number and options:
        ends = (min(options), max(options))
    return SweepField(
        setting.name, setting.label or setting.name.capitalize(), FAMILY, values[setting.name], options,
        tuple(map(setting.shown, options)), *ends, whole=isinstance(setting.default, int), says=setting.help or "",
    )  # fmt: skip


_TASK_NAMES = {"data_seed": "seed"}
"""A sweep's names of a task's fields that a training has too."""


def _of_the_data(task: Task) -> Iterator[SweepField]:
    if task.own:
        return
    fields = scalar_fields(Task)
    for name in (*task.kind.settings, "data_seed"):
        field = fields[_TASK_NAMES.get(name, name)]
        yield _of_scalar(field, DATA, getattr(task, field.name), name, name.replace("_", " ").capitalize())


def _of_the_training(training: Training) -> Iterator[SweepField]:
    for name, field in scalar_fields(Training).items():
        if name not in NOT_OF_TRAINING:
            yield _of_scalar(field, TRAINING, getattr(training, name), name, field.words.capitalize())


def _of_parts(network: Network) -> Iterator[SweepField]:
    """Return the fields of layers, skips and operations, each for all parts that have it."""
    if network.skips:
        switch = {skip.on for skip in network.skips}
        value = switch.pop() if len(switch) == 1 else None
        yield SweepField(SKIPS, "Skips", PARTS, value, (False, True), ("off", "on"), says="all of them", put=edit.switch_all)
    for name in OF_LAYERS:
        if parts := _layers_with(network, name):
            put = partial(_put_layers, name=name)
            yield _of_all(scalar_fields(Layer)[name], "layer", (getattr(layer, name) for layer in parts), put)
    for name, field in scalar_fields(Skip).items():
        if parts := _skips_with(network, name):
            yield _of_all(field, "skip", (getattr(skip, name) for skip in parts), partial(_put_skips, name=name))
    for kind, operation in {layer.op.kind: type(layer.op) for layer in network.layers}.items():
        for name, field in scalar_fields(operation).items():
            if name != "kind":
                values = (getattr(layer.op, name) for layer in network.layers if layer.op.kind == kind)
                yield _of_all(field, kind, values, partial(_put_operations, kind=kind, name=name))


def _of_all(field: ScalarField, owner: str, values: Iterator[Value], put: Put) -> SweepField:
    """Return a field of all parts of a kind."""
    different = set(values)
    value = different.pop() if len(different) == 1 else None
    return _of_scalar(field, PARTS, value, f"{owner}.{field.name}", f"{field.words.capitalize()} of every {owner}", put)


def _of_scalar(field: ScalarField, group: str, value: Value, name: str, words: str, put: Put | None = None) -> SweepField:
    options: tuple = (False, True) if field.type == "boolean" else field.options
    shown = ("off", "on") if field.type == "boolean" else options
    return SweepField(
        name, words, group, value, options, shown, field.low, field.high, field.type == "integer", field.none, field.says, put
    )


def _layers_with(network: Network, name: str) -> list[Layer]:
    """Return the layers that a field acts on: those with weights; those that have a norm or an activation, if some have; of the
    branch scale those behind which a sum lands."""
    if name == "scale":
        ends = {skip.target for skip in network.skips if MERGES[skip.merge].sums}
        return [layer for k, layer in enumerate(network.layers, start=1) if k in ends]
    having = [layer for layer in network.layers if name in ("activation", "norm") and getattr(layer, name) != "none"]
    return having or list(network.weighted)


def _skips_with(network: Network, name: str) -> list[Skip]:
    return [skip for skip in network.skips if name in OF_SKIPS or name in MERGES[skip.merge].fields]


def _put_layers(network: Network, value: Value, name: str) -> Network:
    return edit.set_layers(network, [layer.id for layer in _layers_with(network, name)], **{name: value})


def _put_skips(network: Network, value: Value, name: str) -> Network:
    return edit.set_skips(network, [skip.id for skip in _skips_with(network, name)], **{name: value})


def _put_operations(network: Network, value: Value, kind: str, name: str) -> Network:
    layers = (layer.replaced(op=layer.op.replaced(**{name: value})) if layer.op.kind == kind else layer for layer in network.layers)
    return edit.changed(network, layers=tuple(layers))
