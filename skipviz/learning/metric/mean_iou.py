"""The overlap of classes of pixels."""

from __future__ import annotations

import torch
from torch import Tensor

from ...tasks.own import IGNORED
from ..centre import centre


def mean_iou(outputs: Tensor, truth: Tensor) -> float:
    """Return the mean IoU of the classes that are there or predicted; outputs `(batch, classes, height, width)`.

    Shared pixels over all pixels of a class are taken over the whole batch; ignored pixels count nowhere. NaN without others.
    """
    classes, truth = outputs.shape[1], centre(truth, outputs)
    known = truth != IGNORED
    pairs = truth[known].long() * classes + outputs.argmax(1)[known]
    counts = torch.bincount(pairs, minlength=classes * classes).view(classes, classes)
    shared, union = counts.diagonal(), counts.sum(0) + counts.sum(1) - counts.diagonal()
    there = union > 0
    return (shared[there] / union[there]).mean().item()
