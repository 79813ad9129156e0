"""The cross-entropy of masks of one thing."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..centre import centre


def mask_loss(outputs: Tensor, truth: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return the binary cross-entropy of each pixel's logit, over the mask's centre where the outputs are smaller.

    With weights of (outside, inside) it is the mean weighted by them, as torch's of two classes.
    """
    truth = centre(truth, outputs)
    if weight is None:
        return F.binary_cross_entropy_with_logits(outputs, truth)
    weights = torch.where(truth > 0.5, weight[1], weight[0])
    return F.binary_cross_entropy_with_logits(outputs, truth, weights, reduction="sum") / weights.sum()
