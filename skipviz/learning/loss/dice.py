"""The soft Dice loss."""

from __future__ import annotations

import torch
from torch import Tensor

from ...tasks.own import IGNORED
from ..centre import centre


def dice_loss(outputs: Tensor, truth: Tensor) -> Tensor:
    """Return 1 − 2Σpg / (Σp² + Σg²), the soft Dice loss of V-Net (Milletari et al. 2016); 0 where no pixel is of any class.

    Of a class the sums are over all pixels of the batch that are not ignored, p being the sigmoid of its logit (masks of one
    thing) or the softmax of all of them, g 1 where it is true; the loss is the mean over the classes that occur in the truth.
    """
    truth = centre(truth, outputs)
    if outputs.shape[1] == 1:
        p, g = outputs.sigmoid(), truth
    else:
        classes = torch.arange(outputs.shape[1], device=outputs.device).view(-1, *[1] * (outputs.dim() - 2))
        g = (truth.unsqueeze(1) == classes).to(outputs.dtype)
        p = outputs.softmax(1) * (truth != IGNORED).unsqueeze(1)
    all_pixels = (0, *range(2, outputs.dim()))
    shared, true = (p * g).sum(all_pixels), g.square().sum(all_pixels)
    there = true > 0
    both = torch.where(there, p.square().sum(all_pixels) + true, 1.0)
    return torch.where(there, 1 - 2 * shared / both, 0.0).sum() / there.sum().clamp(min=1)
