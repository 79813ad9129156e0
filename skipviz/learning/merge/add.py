"""h = f + s·A."""

from __future__ import annotations

import torch
from torch import Tensor


def shares(*strengths: Tensor | None) -> list[Tensor | float | None]:
    """Return the softmax of 0, which gives a state's own share, and of learned strengths; None stands for a skip that is off."""
    there = [strength for strength in strengths if strength is not None]
    if not there:
        return [1.0] * (1 + len(strengths))
    own, *rest = torch.softmax(torch.stack([torch.zeros_like(there[0]), *there]), 0).unbind()
    left = iter(rest)
    return [own, *(None if strength is None else next(left) for strength in strengths)]


def function(f: Tensor, carried: Tensor, strength: float) -> Tensor:
    """Return the sum."""
    return torch.add(f, carried, alpha=strength)
