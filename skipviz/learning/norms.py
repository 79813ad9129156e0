"""L2 norms of many tensors in few calls, true also where float32 squares would underflow or overflow."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

SMALLEST = 1e-15
"""A float32 norm below this may have lost elements whose squares underflow (1e-38), so it is taken again in float64."""


def norms(tensors: Sequence[Tensor]) -> list[float]:
    """Return the L2 norm of each tensor, with one synchronisation (two where some are tiny or not finite)."""
    if not tensors:
        return []
    values = torch.stack(torch._foreach_norm(tensors)).tolist()
    doubtful = [index for index, value in enumerate(values) if not SMALLEST <= value < torch.inf]
    if doubtful:
        exact = torch._foreach_norm([tensors[index] for index in doubtful], dtype=torch.float64)
        for index, value in zip(doubtful, torch.stack(exact).tolist(), strict=True):
            values[index] = value
    return values
