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
from .norms import LARGEST, SMALLEST, Sizes, norm_array
from .parameters import FlatParameters
from .signals import alike

COPIED = 2**20
"""Elements of one copy in which states and gradients of all seeds are measured together: 4 MB."""
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
        self._at: dict[tuple, tuple[int, int]] = {}
        """By where a tensor lies, the number of the copy that holds it while its norm is taken, and its place there."""
        self._copies: list[Tensor] = []

    def norms(self, matrices: Sequence[Tensor], tensors: Sequence[Tensor]) -> list[Size]:
        """Take the norms of the rows of all seeds' gradients, and of all their parts of `tensors`."""
        rows = [_rows(self._flat, *run) for run in self._layout.runs]
        return self._of(lambda: norms_by_seed(rows), rows, norm_array, tensors)

    def magnitudes(self, matrices: Sequence[Tensor], tensors: Sequence[Tensor]) -> list[Size]:
        """Likewise sums of magnitudes."""
        rows = self._layout.weight_parts(self._flat)
        return self._of(lambda: _joined([part.abs().sum(2) for part in rows]), rows, _summed, tensors)

    def stacked(self, tensors: Sequence[Tensor]) -> Tensor:
        """Return a copy of tensors, `(tensors, …)`: that of which norms were just taken, where it has them in a row."""
        places = [self._at[_lies(one)] for one in tensors]
        group, first = places[0]
        if self._copies and places == [(group, first + place) for place in range(len(tensors))]:
            return self._copies[group][first : first + len(tensors)]
        return torch.stack(list(tensors))

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
        self._found, self._copies = [], []
        for measure in self._measures:
            self._found.append(measure())  # the next may read what those before it gave
        found, self._copies = numpy.concatenate(self._found), []
        if not numpy.isfinite(found).all():
            raise NotFiniteError
        return found

    def forget(self) -> None:
        """Let go of what is measured, which else holds its tensors until cycles are collected."""
        self._measures.clear()
        self._copies = []

    def _of(self, of_rows: Measure, rows: list[Tensor], measure, tensors: Sequence[Tensor]) -> list[Size]:
        """Take what `of_rows` gives of the parts of the flat gradients, and `measure` of copies of `tensors`."""
        groups = alike(tensors, COPIED)
        chosen = [[tensors[index] for index in group] for group in groups]
        order = [index for group in groups for index in group]
        if not self._at:
            self._at = {_lies(one): (group, row) for group, some in enumerate(chosen) for row, one in enumerate(some)}

        def measured() -> numpy.ndarray:
            copies = [self.stacked(some) for some in chosen]
            self._copies = self._copies or copies
            found = numpy.empty((len(tensors), self.seeds))
            found[order] = measure([copy.view(len(copy) * self.seeds, -1) for copy in copies]).reshape(-1, self.seeds)
            return numpy.concatenate([of_rows(), found])

        return self.numbers(sum(part.shape[1] for part in rows) + len(tensors), measured)


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


def _summed(matrices: Sequence[Tensor]) -> numpy.ndarray:
    """Return what `magnitudes` does, to rounding, of so many elements several times faster."""
    some = lambda matrix: matrix.split(max(1, COPIED // max(1, matrix.shape[1])))  # noqa: E731
    return torch.cat([rows.abs().sum(1) for matrix in matrices for rows in some(matrix)]).numpy().astype(numpy.float64)


def _rows(vectors: Tensor, start: int, count: int, size: int) -> Tensor:
    """Return some parts of equal size of several flat vectors."""
    return vectors[:, start : start + count * size].view(len(vectors), count, size)


def _lies(tensor: Tensor) -> tuple:
    """Return what two tensors have in common that are one."""
    return tensor.data_ptr(), tensor.shape
