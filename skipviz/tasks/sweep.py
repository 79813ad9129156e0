"""A sweep: one experiment with one or two of its fields varied, a cell for every pair of values. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod

from pydantic import Field, ValidationError, model_validator

from ..network.base import Frozen, NetworkError, sentence
from .experiment import Experiment
from .sweep_field import SKIPS, SweepField, Value, fields_of, varied

MOST_CELLS = 400
DEPTHS = (4, 8, 16, 32)
"""Where a family's depth may be any number."""
QUANTITIES = {
    "final_loss": "Loss at the end",
    "held_out": "Held-out metric at the end",
    "first_gradient_init": "First layer's gradient at init",
    "first_gradient_end": "First layer's gradient at the end",
    "ratio_init": "First ÷ last layer's gradient at init",
    "ratio_end": "First ÷ last layer's gradient at the end",
}
"""What a cell is measured by; gradients are ‖∂L/∂θ_k‖ (L2) of the first and the last layer of the trunk with weights."""
LOGARITHMIC = tuple(name for name in QUANTITIES if "gradient" in name or "ratio" in name)
"""Those that differ by powers of ten."""
OUTCOMES = ("state", "reason", "diverged_at", "seconds")
"""What else a row says: finished, diverged, failed or impossible; why, if not finished; the step at which it diverged."""


class Axis(Frozen):
    """A field of `sweep_field.fields_of` and the values that it takes in turn."""

    field: str = Field(min_length=1, max_length=64)
    values: tuple[Value, ...] = Field(min_length=1, max_length=MOST_CELLS)


@dataclass(frozen=True)
class Cell:
    """One pair of values, and the experiment with them, or a sentence that says why there is none."""

    index: int
    at: dict[str, Value]
    experiment: Experiment | None
    reason: str | None = None


class Sweep(Frozen):
    """An experiment of one network, and one or two axes; `cells` go by the first axis, then by the second."""

    base: Experiment
    axes: tuple[Axis, ...] = Field(min_length=1, max_length=2)

    @model_validator(mode="after")
    def _check(self):
        if len(self.base.variants) > 1:
            raise NetworkError(f"a sweep varies one network, and this experiment has {len(self.base.variants)}: choose one")
        if self.base.task.watched:
            raise NetworkError("a sweep trains its network, and this is somebody's own module, which only its script can train")
        known = self.known
        for axis in self.axes:
            if axis.field not in known:
                raise NetworkError(f"{axis.field!r} is nothing that can be varied here; there is {', '.join(known)}")
            values = [known[axis.field].checked(value) for value in axis.values]
            if len({(type(value), value) for value in values}) < len(values):
                raise NetworkError(f"{axis.field} has the same value twice")
        if len({axis.field for axis in self.axes}) < len(self.axes):
            raise NetworkError(f"both axes are {self.axes[0].field}: choose two fields")
        if len(self) > MOST_CELLS:
            raise NetworkError(f"{len(self):,} cells are more than the {MOST_CELLS} that a sweep may have: choose fewer values")
        return self

    def __len__(self) -> int:
        """How many cells there are."""
        return prod(len(axis.values) for axis in self.axes)

    @cached_property
    def known(self) -> dict[str, SweepField]:
        """All that can be varied of the base, by name."""
        return fields_of(self.base)

    @property
    def fields(self) -> tuple[SweepField, ...]:
        """What the axes vary."""
        return tuple(self.known[axis.field] for axis in self.axes)

    def coordinates(self) -> list[dict[str, Value]]:
        """Return each cell's values, by field."""
        names = [axis.field for axis in self.axes]
        return [dict(zip(names, values, strict=True)) for values in product(*(axis.values for axis in self.axes))]

    def cell(self, index: int) -> Cell:
        """Return one cell; one whose experiment cannot exist says why."""
        at = self.coordinates()[index]
        try:
            return Cell(index, at, varied(self.base, at))
        except NetworkError as error:
            return Cell(index, at, None, str(error))

    def columns(self) -> tuple[str, ...]:
        """Return the names of a row's numbers and words, in their order."""
        return ("cell", *(axis.field for axis in self.axes), *QUANTITIES, *OUTCOMES)

    def cells(self) -> Iterator[Cell]:
        """Yield every cell, each made when it is asked for."""
        return map(self.cell, range(len(self)))


def sweep_of(base: Experiment, axes: list[tuple[str, list[str]]]) -> Sweep:
    """Return the sweep of an experiment's first network over fields and their values as text; raises `NetworkError`."""
    first = next(iter(base.variants))
    base = base.replaced(variants={first: base.variants[first]})
    known = fields_of(base)
    for name, _ in axes:
        if name not in known:
            raise NetworkError(f"{name[:64]!r} is nothing that can be varied here; there is {', '.join(known)}")
    try:
        return Sweep(base=base, axes=tuple(Axis(field=name, values=tuple(map(known[name].read, texts))) for name, texts in axes))
    except ValidationError as error:
        raise NetworkError(sentence(error)) from None


def usual_sweep(base: Experiment) -> Sweep:
    """Return the usual sweep of an experiment of one network: over depth and the skips' switch, or what there is of them, else
    over the learning rate; raises `NetworkError`."""
    known, axes = fields_of(base), []
    if "depth" in known:
        axes.append(Axis(field="depth", values=known["depth"].suggested()[:4] if known["depth"].options else DEPTHS))
    if SKIPS in known:
        axes.append(Axis(field=SKIPS, values=(False, True)))
    return Sweep(base=base, axes=tuple(axes or [Axis(field="learning_rate", values=known["learning_rate"].suggested())]))
