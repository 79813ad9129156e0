"""Measures all seeds of a network at once: a size is a row of one table, `(sizes, seeds)`.

What a frame is made of is found out once for all passes in the same memory; a step fills the table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy
import torch
from torch import Tensor

from .frame import VariantFrame
from .frame_text import NUMBER_LISTS, NUMBERS
from .median import Rows
from .norms import COPIED_ELEMENTS, LARGEST, SMALLEST, Sizes, T, norm_array
from .parameters import FlatParameters
from .signals import alike

Measure = Callable[[], numpy.ndarray]
"""Gives rows of the table."""


class NotFiniteError(ArithmeticError):
    """A size of some seed is NaN or infinite."""


@dataclass(frozen=True, slots=True)
class Size:
    """A row of the table times a factor."""

    row: int
    factor: float = 1.0

    def __mul__(self, factor: float) -> Size:
        return Size(self.row, self.factor * factor)

    def __truediv__(self, divisor: float) -> Size:
        return Size(self.row, self.factor / divisor)


class StackedSizes(Sizes):
    """Says where in the table each size will stand, in the place of measuring it."""

    def __init__(self, flat: Tensor, layout: FlatParameters) -> None:
        super().__init__(len(flat))
        self._flat, self._layout = flat, layout
        self._measures: list[Measure] = []
        self._found: list[numpy.ndarray] = []
        self._count = 0
        self._tensors: dict[tuple, tuple[int, Tensor]] = {}
        """By where it lies, each tensor that is measured, and its number."""
        self._copied: list[tuple[list[list[Tensor]], Callable[[Tensor], object]]] = []
        self._copies: list[tuple[list[int], list[Tensor], Callable[[Tensor], object] | None]] = []
        """The tensors of each copy with their numbers, and what is measured of it besides; None: magnitudes."""
        self._norms = self._sums = numpy.empty(0)
        self._others: list = []

    def norms(self, matrices: Sequence[Tensor], tensors: Sequence[Tensor]) -> list[Size]:
        """Take the norms of the rows of all seeds' gradients, and of all their parts of `tensors`."""
        rows = [_rows(self._flat, *run) for run in self._layout.runs]
        found = self.numbers(sum(part.shape[1] for part in rows), lambda: norms_by_seed(rows))
        places = self._places(tensors)
        return found + self.numbers(len(tensors), lambda: self._norms[places])

    def magnitudes(self, matrices: Sequence[Tensor], tensors: Sequence[Tensor]) -> list[Size]:
        """Likewise sums of magnitudes."""
        rows = self._layout.weight_parts(self._flat)
        found = self.numbers(sum(part.shape[1] for part in rows), lambda: _joined([part.abs().sum(2) for part in rows]))
        places = self._places(tensors)
        return found + self.numbers(len(tensors), lambda: self._sums[places])

    def of_copies(self, groups: list[list[Tensor]], measure: Callable[[Tensor], T]) -> Callable[[], list[T]]:
        """Return what gives `measure` of each group, of which no magnitudes are taken; it has its copy with their norms."""
        self._copied = [(group, measure) for group in groups]
        for group in groups:
            self._places(group)
        return lambda: self._others

    def numbers(self, count: int, measure: Measure) -> list[Size]:
        """Take what `measure` gives, `(count, seeds)`."""
        self._measures.append(measure)
        self._count += count
        return [Size(row) for row in range(self._count - count, self._count)]

    def finite(self, value):
        """Return `value`: what is not finite shows when the table is filled."""
        return value

    def total(self, values: Sequence[Size]) -> Size:
        """Take the norm of what has parts of these norms, which are of float32: their squares are no float64's end."""
        rows = [value.row for value in values]
        return self.numbers(1, lambda: numpy.sqrt(numpy.square(self._found[0][rows]).sum(axis=0, keepdims=True)))[0]

    @torch.no_grad()
    def table(self) -> numpy.ndarray:
        """Return all sizes as they are now; raises `NotFiniteError`."""
        self._measure_copies()
        self._found = []
        for measure in self._measures:
            self._found.append(measure())  # the next may read what those before it gave
        found = numpy.concatenate(self._found)
        if not numpy.isfinite(found).all():
            raise NotFiniteError
        return found

    def forget(self) -> None:
        """Let go of what is measured, which else holds its tensors until cycles are collected."""
        for held in (self._measures, self._tensors, self._copied, self._copies, self._others):
            held.clear()

    def _places(self, tensors: Sequence[Tensor]) -> list[int]:
        """Return the numbers of tensors that are measured from now on."""
        return [self._tensors.setdefault(_lies(one), (len(self._tensors), one))[0] for one in tensors]

    def _measure_copies(self) -> None:
        """Measure all tensors, each in one copy that stays in a processor's cache meanwhile."""
        tensors = [one for _, one in self._tensors.values()]
        if not self._copies:
            self._copies = [(self._places(group), group, measure) for group, measure in self._copied]
            left = sorted({*range(len(tensors))}.difference(*(places for places, _, _ in self._copies)))
            for group in alike([tensors[place] for place in left], COPIED_ELEMENTS):
                places = [left[index] for index in group]
                self._copies.append((places, [tensors[place] for place in places], None))
        self._norms, self._sums, self._others = (*numpy.empty((2, len(tensors), self.seeds)), [])
        for places, group, measure in self._copies:
            rows = (copy := self.stacked(group)).view(len(group) * self.seeds, -1)
            self._norms[places] = torch.linalg.vector_norm(rows, dim=1).numpy().reshape(-1, self.seeds)
            if measure:
                self._others.append(measure(copy))
            else:
                self._sums[places] = rows.abs_().sum(1).numpy().reshape(-1, self.seeds)
        doubtful = numpy.flatnonzero(~((self._norms >= SMALLEST) & (self._norms < LARGEST)).all(axis=1))
        if len(doubtful):
            again = norm_array([tensors[place].reshape(self.seeds, -1) for place in doubtful])
            self._norms[doubtful] = again.reshape(-1, self.seeds)


class FrameSizes:
    """The fields of a frame, of which `whole` has sizes, as rows of numbers."""

    def __init__(self, sizes: StackedSizes, whole: VariantFrame) -> None:
        self._sizes, places, self._ends = sizes, [], {}
        for name in (*NUMBERS, *NUMBER_LISTS):
            value = getattr(whole, name)
            values = [value] if name in NUMBERS else value
            if value is not None and values:
                places += values
                self._ends[name] = len(places) - len(values), len(places)
        measured = [one if isinstance(one, Size) else Size(0, 0.0) for one in places]
        known = [0.0 if isinstance(one, Size) else numpy.nan if one is None else one for one in places]
        self._rows = [one.row for one in measured]
        self._factors = numpy.array([[one.factor] for one in measured])
        self._known = numpy.array(known)[:, None]

    def rows(self, again: bool) -> Rows:
        """Return the numbers as they are now; raises `NotFiniteError`. Unless they are wanted `again`, the tensors are let go."""
        try:
            values = self._sizes.table()[self._rows] * self._factors + self._known
        finally:
            if not again:
                self._sizes.forget()
        return {name: values[start:end].T for name, (start, end) in self._ends.items()}


def norms_by_seed(parts: list[Tensor]) -> numpy.ndarray:
    """Return the norms of rows of `parts`, `(seeds, rows, elements)`, as `(rows, seeds)`; of tiny and huge ones `norm_array`'s."""
    found = _joined([torch.linalg.vector_norm(part, dim=2) for part in parts])
    if ((found >= SMALLEST) & (found < LARGEST)).all():
        return found
    return numpy.concatenate([norm_array([part.flatten(0, 1)]).reshape(len(part), -1).T for part in parts])


def _joined(sizes: list[Tensor]) -> numpy.ndarray:
    """Return sizes, `(seeds, rows)` each, as one table of `(rows, seeds)`."""
    return torch.cat(sizes, dim=1).numpy().T.astype(numpy.float64) if sizes else numpy.empty((0, 1))


def update_ratios(before: Tensor, values: Tensor, layout: FlatParameters) -> numpy.ndarray:
    """Return ‖Δθ_k‖/‖θ_k‖, `(seeds, layers)`: NaN where a layer has no parameters or they are 0, ∞ where it is not finite."""
    measure = lambda vectors: norms_by_seed([_rows(vectors, *run) for run in layout.layer_runs])  # noqa: E731
    sizes, moves = measure(before), measure(before.sub_(values))
    found = numpy.full((len(before), len(layout.layers)), numpy.nan)
    with numpy.errstate(divide="ignore", invalid="ignore"):
        ratios = numpy.where(sizes == 0, numpy.nan, numpy.nan_to_num(moves / sizes, nan=numpy.inf))
    found[:, [index for index, (start, end) in enumerate(layout.layers) if end > start]] = ratios.T
    return found


def _rows(vectors: Tensor, start: int, count: int, size: int) -> Tensor:
    """Return some parts of equal size of several flat vectors."""
    return vectors[:, start : start + count * size].view(len(vectors), count, size)


def _lies(tensor: Tensor) -> tuple:
    """Return what two tensors have in common that are one."""
    return tensor.data_ptr(), tensor.shape
