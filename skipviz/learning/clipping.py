"""Gradient clipping: by value, then by the norm of the whole gradient (Pascanu et al. 2013)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

EPSILON = 1e-6
"""Added to the norm that is divided by; torch's own."""


def clip(pieces: Sequence[Tensor], clip_norm: float | None, clip_value: float | None) -> None:
    """Clip one gradient, given as its pieces, in place, as torch's `clip_grad_value_` and `clip_grad_norm_` do.

    None leaves it out. The norm is summed in float64: where float32 squares overflow it would be infinite, and the clipped
    gradient 0.
    """
    if clip_value is not None:
        for piece in pieces:
            piece.clamp_(-clip_value, clip_value)
    if clip_norm is not None:
        sizes = torch.stack([torch.linalg.vector_norm(piece, dtype=torch.float64) for piece in pieces]).tolist()
        total = math.hypot(*sorted(sizes))
        if clip_norm < total + EPSILON:
            for piece in pieces:
                piece.mul_(clip_norm / (total + EPSILON))
