"""L2 norms of many tensors in few calls, true also where float32 squares would underflow or overflow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import hypot
from typing import TypeVar

import numpy
import torch
from torch import Tensor

from .objective import finite

T = TypeVar("T")
SMALLEST, LARGEST = 1e-15, 1e18
"""Outside of these a float32 norm may have lost elements whose squares leave 1e-38..1e38, so it is taken again, scaled."""
LIFT, LOWER = 2.0**64, 2.0**-96
"""Factors before squaring: the smallest float32 number, 1e-38, then has a square, and a sum of squares of the largest is
finite; a power of two rounds nothing."""
STACKED_ELEMENTS = 8192
"""Tensors up to this size are stacked, which costs a copy and saves a call each; larger ones are measured where they lie."""
COPIED_ELEMENTS = 2**17
"""Elements of a copy in which tensors are measured together: it stays in a processor's cache."""


Stacked = Callable[[list[Tensor]], Tensor]
"""Lays tensors of one shape one behind the other in a copy."""


def norms(matrices: Sequence[Tensor], tensors: Sequence[Tensor], stacked: Stacked = torch.stack) -> list[float]:
    """Return what `norm_array` does as a list."""
    return norm_array(matrices, tensors, stacked).tolist()


def norm_array(matrices: Sequence[Tensor], tensors: Sequence[Tensor] = (), stacked: Stacked = torch.stack) -> numpy.ndarray:
    """Return the L2 norms of every row of the 2-D `matrices` and then of every one of `tensors`.

    There is one synchronisation, and one more where some norms are tiny, and where some are huge or not finite.
    """
    values = _measured(matrices, tensors, 1.0, stacked)
    small, large = numpy.flatnonzero(values < SMALLEST), numpy.flatnonzero(~(values < LARGEST))
    for doubtful, scale in ((small.tolist(), LIFT), (large.tolist(), LOWER)):
        if doubtful:
            first = sum(len(matrix) for matrix in matrices)
            chosen = _chosen_rows(matrices, [index for index in doubtful if index < first])
            again = _measured(chosen, [tensors[index - first] for index in doubtful if index >= first], scale, stacked)
            values[doubtful] = again / scale
    return values


def magnitudes(matrices: Sequence[Tensor], tensors: Sequence[Tensor], stacked: Stacked = torch.stack) -> list[float]:
    """Return the sum of the magnitudes of every row's elements and then of every tensor's, in one synchronisation."""
    return _measured(matrices, tensors, 1.0, stacked, 1).tolist()


class Sizes:
    """How sizes are measured of gradients and states in which `seeds` networks lie one behind the other."""

    def __init__(self, seeds: int = 1) -> None:
        self.seeds = seeds
        self._copy = torch.empty(0, dtype=torch.uint8)

    @torch.no_grad()
    def stacked(self, tensors: Sequence[Tensor]) -> Tensor:
        """Return what `torch.stack` does, on a CPU in the same memory each time: it holds until the next.

        Of memory that is asked for again and again glibc cuts little pieces off, so that ever more of it does not fit.
        """
        first = tensors[0]
        if first.device.type != "cpu":
            return torch.stack(tensors)
        size = len(tensors) * first.nbytes
        if size > len(self._copy):
            self._copy = torch.empty(size, dtype=torch.uint8)
        return torch.stack(tensors, out=self._copy[:size].view(first.dtype).view(len(tensors), *first.shape))

    def norms(self, matrices: Sequence[Tensor], tensors: Sequence[Tensor]) -> list[float]:
        """Return what `norms` does."""
        return norms(matrices, tensors, self.stacked)

    def magnitudes(self, matrices: Sequence[Tensor], tensors: Sequence[Tensor]) -> list[float]:
        """Return what `magnitudes` does."""
        return magnitudes(matrices, tensors, self.stacked)

    def of_copies(self, groups: list[list[Tensor]], measure: Callable[[Tensor], T]) -> Callable[[], list[T]]:
        """Return what gives `measure` of a copy of each group of tensors, which it may change."""
        return lambda: [measure(self.stacked(group)) for group in groups]

    def numbers(self, count: int, measure: Callable[[], numpy.ndarray]) -> list[float | None]:
        """Return the sizes that `measure` gives as `(count, seeds)`."""
        values = (table := measure())[:, 0].tolist()
        return values if numpy.isfinite(table).all() else [finite(value) for value in values]

    def finite(self, value: float) -> float | None:
        """Return a size, or None if it is NaN or infinite."""
        return finite(value)

    def total(self, values: Sequence[float]) -> float:
        """Return the norm of what has parts of these norms."""
        return hypot(*values)


ALONE = Sizes()
"""Of one network."""


def _measured(
    matrices: Sequence[Tensor], tensors: Sequence[Tensor], scale: float, stacked: Stacked, degree: int = 2
) -> numpy.ndarray:
    """Return the norms of that degree of rows and tensors, all multiplied by `scale` before."""
    parts = [torch.linalg.vector_norm(matrix if scale == 1 else matrix * scale, degree, dim=1) for matrix in matrices]
    groups: dict[tuple[torch.Size, torch.dtype], list[int]] = {}
    for index, tensor in enumerate(tensors):
        groups.setdefault((tensor.shape, tensor.dtype), []).append(index)
    order: list[int] = []
    for (shape, kind), members in groups.items():
        chosen = [tensors[index] for index in members]
        kind = torch.float32 if kind == torch.bfloat16 else None  # a sum of bfloat16 has three digits
        if len(members) > 1 and shape.numel() <= STACKED_ELEMENTS:
            for piece in _in_pieces(chosen, COPIED_ELEMENTS // max(1, shape.numel())):
                copy = stacked(piece).reshape(len(piece), -1)  # channels may lie last
                parts.append(torch.linalg.vector_norm(copy if scale == 1 else copy.mul_(scale), degree, dim=1, dtype=kind))
        else:
            parts.append(
                torch.stack(torch._foreach_norm(chosen if scale == 1 else torch._foreach_mul(chosen, scale), degree, kind))
            )
        order += members
    if not parts:
        return numpy.zeros(0)
    values = torch.cat(parts).numpy(force=True).astype(numpy.float64)
    rows = len(values) - len(order)
    values[rows:][order] = values[rows:].copy()
    return values


def _in_pieces(tensors: list[Tensor], most: int) -> list[list[Tensor]]:
    """Return tensors in pieces of about one length, `most` or fewer."""
    count = -(-len(tensors) // most)
    return [tensors[len(tensors) * piece // count : len(tensors) * (piece + 1) // count] for piece in range(count)]


def _chosen_rows(matrices: Sequence[Tensor], lines: list[int]) -> list[Tensor]:
    """Return the rows of those ascending numbers, counted over all matrices, as matrices without a copy."""
    chosen, first, position = [], 0, 0
    for matrix in matrices:
        end = first + len(matrix)
        while position < len(lines) and lines[position] < end:
            start = position
            while position + 1 < len(lines) and lines[position + 1] == lines[position] + 1 < end:
                position += 1
            chosen.append(matrix[lines[start] - first : lines[position] - first + 1])
            position += 1
        first = end
    return chosen
