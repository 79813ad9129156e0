"""h = f + s·A."""

from __future__ import annotations

import torch
from torch import Tensor


def function(f: Tensor, carried: Tensor, strength: float) -> Tensor:
    """Return the sum."""
    return torch.add(f, carried, alpha=strength)
