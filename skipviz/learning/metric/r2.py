"""The share of the numbers' spread that is explained."""

from __future__ import annotations

from torch import Tensor


def r2(outputs: Tensor, truth: Tensor) -> float:
    """Return R² = 1 − squared error / squared deviation of the truth from its mean: 1 is perfect, the mean alone gives 0."""
    error, spread = (outputs - truth).square().sum().item(), (truth - truth.mean()).square().sum().item()
    return 1 - error / spread if spread else float("nan")
