"""The cross-entropy of classes of pixels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ...tasks.own import IGNORED
from ..centre import centre


def pixel_loss(outputs: Tensor, truth: Tensor, weight: Tensor | None = None, label_smoothing: float = 0.0) -> Tensor:
    """Return the mean cross-entropy of all pixels that are not ignored, in nats; 0 where all of them are.

    With weights of the classes it is the mean weighted by those of the true ones, as torch's.
    """
    truth = centre(truth, outputs).long()
    total = F.cross_entropy(outputs, truth, weight, ignore_index=IGNORED, reduction="sum", label_smoothing=label_smoothing)
    known = truth != IGNORED
    if weight is None:
        return total / known.sum().clamp(min=1)
    return total / weight[truth[known]].sum().clamp(min=torch.finfo(weight.dtype).tiny)
