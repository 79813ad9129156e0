"""Gradient clipping: by value, then by the norm of the whole gradient (Pascanu et al. 2013)."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

import torch
from torch import Tensor

from ..tasks.experiment import Training

EPSILON = 1e-6
"""Added to the norm that is divided by; torch's own."""


def clip(pieces: Sequence[Tensor], training: Training) -> None:
    """Clip one gradient, given as its pieces, in place, as torch's `clip_grad_value_` and `clip_grad_norm_` do.

    The norm is summed in float64: where float32 squares overflow it would be infinite, and the clipped gradient 0.
    """
    if training.clip_value is not None:
        for piece in pieces:
            piece.clamp_(-training.clip_value, training.clip_value)
    if training.clip_norm is not None:
        sizes = torch.stack([torch.linalg.vector_norm(piece, dtype=torch.float64) for piece in pieces]).tolist()
        total = hypot(*sorted(sizes))
        if training.clip_norm < total + EPSILON:
            for piece in pieces:
                piece.mul_(training.clip_norm / (total + EPSILON))
