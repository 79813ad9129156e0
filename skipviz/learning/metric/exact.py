"""The share of sequences without a wrong token."""

from __future__ import annotations

from torch import Tensor


def exact(outputs: Tensor, truth: Tensor) -> float:
    """Return the share of sequences without any wrong token; outputs `(batch, length, tokens)`."""
    return (outputs.argmax(-1) == truth).all(-1).float().mean().item()
