"""Losses and metrics by the names that a task gives them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def accuracy(outputs: Tensor, truth: Tensor) -> float:
    """Return the share of samples whose largest output is their class; outputs `(batch, classes)`."""
    return (outputs.argmax(1) == truth).float().mean().item()


def intersection_over_union(outputs: Tensor, truth: Tensor) -> float:
    """Return the shared pixels over all pixels of predicted (logit > 0) and true masks, over the whole batch."""
    predicted, present = outputs > 0, truth > 0.5
    union = (predicted | present).sum().item()
    return (predicted & present).sum().item() / union if union else 1.0


LOSSES = {"cross_entropy": F.cross_entropy, "binary_cross_entropy": F.binary_cross_entropy_with_logits}
METRICS = {"accuracy": accuracy, "iou": intersection_over_union}


def finite(value: float) -> float | None:
    """Return `value`, or None if it is NaN or infinite."""
    return value if abs(value) < torch.inf else None
