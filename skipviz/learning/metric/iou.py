"""The overlap of masks."""

from __future__ import annotations

from torch import Tensor

from ..centre import centre


def iou(outputs: Tensor, truth: Tensor) -> float:
    """Return the shared pixels over all pixels of predicted (logit > 0) and true masks, over the whole batch."""
    predicted, present = outputs > 0, centre(truth, outputs) > 0.5
    union = (predicted | present).sum().item()
    return (predicted & present).sum().item() / union if union else 1.0


def dice(outputs: Tensor, truth: Tensor) -> float:
    """Return twice the shared pixels over the sum of the predicted (logit > 0) and true masks' pixels (Dice 1945)."""
    shared = iou(outputs, truth)
    return 2 * shared / (1 + shared)
