"""L2 norms of many tensors in few calls, true also where float32 squares would underflow or overflow."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

import numpy
import torch
from torch import Tensor

from .objective import finite

SMALLEST, LARGEST = 1e-15, 1e18
"""Outside of these a float32 norm may have lost elements whose squares leave 1e-38..1e38, so it is taken again, scaled."""
LIFT, LOWER = 2.0**64, 2.0**-96
"""Factors before squaring: the smallest float32 number, 1e-38, then has a square, and a sum of squares of the largest is
finite; a power of two rounds nothing."""
STACKED_ELEMENTS = 8192
"""Tensors up to this size are stacked, which costs a copy and saves a call each; larger ones are measured where they lie."""


def norms(matrices: Sequence[Tensor], tensors: Sequence[Tensor]) -> list[float]:
    """Return what `norm_array` does as a list."""
    return norm_array(matrices, tensors).tolist()


def norm_array(matrices: Sequence[Tensor], tensors: Sequence[Tensor] = ()) -> numpy.ndarray:
    """Return the L2 norms of every row of the 2-D `matrices` and then of every one of `tensors`.

    There is one synchronisation, and one more where some norms are tiny, and where some are huge or not finite.
    """
    values = _measured(matrices, tensors, 1.0)
    small, large = numpy.flatnonzero(values < SMALLEST), numpy.flatnonzero(~(values < LARGEST))
    for doubtful, scale in ((small.tolist(), LIFT), (large.tolist(), LOWER)):
        if doubtful:
            first = sum(len(matrix) for matrix in matrices)
            chosen = _chosen_rows(matrices, [index for index in doubtful if index < first])
            again = _measured(chosen, [tensors[index - first] for index in doubtful if index >= first], scale)
            values[doubtful] = again / scale
    return values


def magnitudes(matrices: Sequence[Tensor], tensors: Sequence[Tensor]) -> list[float]:
    """Return the sum of the magnitudes of every row's elements and then of every tensor's, in one synchronisation."""
    return _measured(matrices, tensors, 1.0, 1).tolist()


class Sizes:
    """How sizes are measured of gradients and states in which `seeds` networks lie one behind the other."""

    def __init__(self, seeds: int = 1) -> None:
        self.seeds = seeds

    def norms(self, matrices: Sequence[Tensor], tensors: Sequence[Tensor]) -> list[float]:
        """Return what `norms` does."""
        return norms(matrices, tensors)

    def magnitudes(self, matrices: Sequence[Tensor], tensors: Sequence[Tensor]) -> list[float]:
        """Return what `magnitudes` does."""
        return magnitudes(matrices, tensors)

    def numbers(self, table: numpy.ndarray) -> list[float | None]:
        """Return sizes that were measured as `(sizes, seeds)`."""
        values = table[:, 0].tolist()
        return values if numpy.isfinite(table).all() else [finite(value) for value in values]

    def finite(self, value: float) -> float | None:
        """Return a size, or None if it is NaN or infinite."""
        return finite(value)

    def total(self, values: Sequence[float]) -> float:
        """Return the norm of what has parts of these norms."""
        return hypot(*values)


ALONE = Sizes()
"""Of one network."""


def _measured(matrices: Sequence[Tensor], tensors: Sequence[Tensor], scale: float, degree: int = 2) -> numpy.ndarray:
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
            stacked = torch.stack(chosen).reshape(len(chosen), -1)
            parts.append(torch.linalg.vector_norm(stacked if scale == 1 else stacked.mul_(scale), degree, dim=1, dtype=kind))
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
