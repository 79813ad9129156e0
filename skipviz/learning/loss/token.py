"""The cross-entropy of tokens."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def token_loss(outputs: Tensor, truth: Tensor, weight: Tensor | None = None, label_smoothing: float = 0.0) -> Tensor:
    """Return the mean cross-entropy of all tokens, in nats; outputs `(batch, length, tokens)`."""
    return F.cross_entropy(outputs.flatten(0, 1), truth.flatten(), weight=weight, label_smoothing=label_smoothing)
