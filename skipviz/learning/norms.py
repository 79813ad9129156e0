"""L2 norms of many tensors in few calls, true also where float32 squares would underflow or overflow."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

SMALLEST = 1e-15
"""A float32 norm below this may have lost elements whose squares underflow (1e-38), so it is taken again in float64."""
STACKED_ELEMENTS = 8192
"""Tensors up to this size are stacked, which costs a copy and saves a call each; larger ones are measured where they lie."""


def norms(matrices: Sequence[Tensor], tensors: Sequence[Tensor]) -> list[float]:
    """Return the L2 norms of every row of the 2-D `matrices` and then of every one of `tensors`.

    There is one synchronisation, and a second one where some norm is tiny or not finite.
    """
    values = _measured(matrices, tensors, None)
    doubtful = [index for index, value in enumerate(values) if not SMALLEST <= value < torch.inf]
    if doubtful:
        rows = sum(len(matrix) for matrix in matrices)
        lines = iter(index for index in doubtful if index < rows)
        chosen = _chosen_rows(matrices, list(lines))
        rest = [tensors[index - rows] for index in doubtful if index >= rows]
        for index, value in zip(doubtful, _measured(chosen, rest, torch.float64), strict=True):
            values[index] = value
    return values


def _measured(matrices: Sequence[Tensor], tensors: Sequence[Tensor], dtype: torch.dtype | None) -> list[float]:
    parts = [torch.linalg.vector_norm(matrix, dim=1, dtype=dtype) for matrix in matrices]
    groups: dict[tuple, list[int]] = {}
    for index, tensor in enumerate(tensors):
        groups.setdefault(tensor.shape, []).append(index)
    order: list[int] = []
    for shape, members in groups.items():
        chosen = [tensors[index] for index in members]
        if len(members) > 1 and shape.numel() <= STACKED_ELEMENTS:
            parts.append(torch.linalg.vector_norm(torch.stack(chosen).view(len(chosen), -1), dim=1, dtype=dtype))
        else:
            parts.append(torch.stack(torch._foreach_norm(chosen, dtype=dtype)))
        order += members
    if not parts:
        return []
    found = torch.cat(parts).tolist()
    rows = len(found) - len(order)
    values = found[:rows] + [0.0] * len(order)
    for place, value in zip(order, found[rows:], strict=True):
        values[rows + place] = value
    return values


def _chosen_rows(matrices: Sequence[Tensor], lines: list[int]) -> list[Tensor]:
    """Return the rows of those numbers, counted over all matrices, as matrices in the same order."""
    chosen, first = [], 0
    for matrix in matrices:
        here = [line - first for line in lines if first <= line < first + len(matrix)]
        if here:
            chosen.append(matrix if len(here) == len(matrix) else matrix[here])
        first += len(matrix)
    return chosen
