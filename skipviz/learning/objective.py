"""Losses and metrics by the names that a task gives them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from ..tasks.experiment import Experiment
from ..tasks.own import IGNORED


def accuracy(outputs: Tensor, truth: Tensor) -> float:
    """Return the share of samples, or of tokens, whose largest output is the true one; outputs `(batch, …, classes)`."""
    return (outputs.argmax(-1) == truth).float().mean().item()


def recalls(outputs: Tensor, truth: Tensor) -> list[float | None]:
    """Return for each class the share of its samples, or tokens, that are told right; None for a class without any."""
    classes, truth = outputs.shape[-1], truth.flatten()
    right = outputs.argmax(-1).flatten() == truth
    counts, told = (torch.bincount(part, minlength=classes).tolist() for part in (truth, truth[right]))
    return [good / count if count else None for good, count in zip(told, counts, strict=True)]


def balanced(recall: list[float | None]) -> float | None:
    """Return the mean recall of the classes that have one, the balanced accuracy; None where none has."""
    known = [share for share in recall if share is not None]
    return sum(known) / len(known) if known else None


def exact_match(outputs: Tensor, truth: Tensor) -> float:
    """Return the share of sequences without any wrong token; outputs `(batch, length, tokens)`."""
    return (outputs.argmax(-1) == truth).all(-1).float().mean().item()


def token_loss(outputs: Tensor, truth: Tensor, weight: Tensor | None = None, label_smoothing: float = 0.0) -> Tensor:
    """Return the mean cross-entropy of all tokens, in nats; outputs `(batch, length, tokens)`."""
    return F.cross_entropy(outputs.flatten(0, 1), truth.flatten(), weight=weight, label_smoothing=label_smoothing)


def explained(outputs: Tensor, truth: Tensor) -> float:
    """Return R² = 1 − squared error / squared deviation of the truth from its mean: 1 is perfect, the mean alone gives 0."""
    error, spread = (outputs - truth).square().sum().item(), (truth - truth.mean()).square().sum().item()
    return 1 - error / spread if spread else float("nan")


def intersection_over_union(outputs: Tensor, truth: Tensor) -> float:
    """Return the shared pixels over all pixels of predicted (logit > 0) and true masks, over the whole batch."""
    predicted, present = outputs > 0, centre(truth, outputs) > 0.5
    union = (predicted | present).sum().item()
    return (predicted & present).sum().item() / union if union else 1.0


def mean_intersection_over_union(outputs: Tensor, truth: Tensor) -> float:
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


def dice(outputs: Tensor, truth: Tensor) -> float:
    """Return twice the shared pixels over the sum of the predicted (logit > 0) and true masks' pixels (Dice 1945)."""
    shared = intersection_over_union(outputs, truth)
    return 2 * shared / (1 + shared)


def mask_loss(outputs: Tensor, truth: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return the binary cross-entropy of each pixel's logit, over the mask's centre where the outputs are smaller.

    With weights of (outside, inside) it is the mean weighted by them, as torch's of two classes.
    """
    truth = centre(truth, outputs)
    if weight is None:
        return F.binary_cross_entropy_with_logits(outputs, truth)
    weights = torch.where(truth > 0.5, weight[1], weight[0])
    return F.binary_cross_entropy_with_logits(outputs, truth, weights, reduction="sum") / weights.sum()


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


def dice_loss(outputs: Tensor, truth: Tensor) -> Tensor:
    """Return 1 − 2Σpg / (Σp² + Σg²), the soft Dice loss of V-Net (Milletari et al. 2016); 0 where no pixel is of any class.

    Of a class the sums are over all pixels of the batch that are not ignored, p being the sigmoid of its logit (masks of one
    thing) or the softmax of all of them, g 1 where it is true; the loss is the mean over the classes that occur in the truth.
    """
    truth = centre(truth, outputs)
    if outputs.shape[1] == 1:
        p, g = outputs.sigmoid(), truth
    else:
        classes = torch.arange(outputs.shape[1], device=outputs.device).view(-1, 1, 1)
        g = (truth.unsqueeze(1) == classes).to(outputs.dtype)
        p = outputs.softmax(1) * (truth != IGNORED).unsqueeze(1)
    shared, true = (p * g).sum((0, 2, 3)), g.square().sum((0, 2, 3))
    there = true > 0
    both = torch.where(there, p.square().sum((0, 2, 3)) + true, 1.0)
    return torch.where(there, 1 - 2 * shared / both, 0.0).sum() / there.sum().clamp(min=1)


def balanced_weights(truth: Tensor, classes: int) -> Tensor:
    """Return n / (k · n_c) for each of k classes that occur n_c times among n, 0 for others (King and Zeng 2001)."""
    labels = (truth > 0.5).long() if truth.is_floating_point() else truth.long()
    counts = torch.bincount(labels[labels != IGNORED], minlength=classes).double()
    return torch.where(counts > 0, counts.sum() / ((counts > 0).sum() * counts), 0.0).float()


def objective(experiment: Experiment, truth: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the loss of a batch as a function of (outputs, truth); `truth` here is that of all training samples.

    Where a step takes several batches its loss is the mean of theirs: of weighted means and of Dice, which are no means over
    samples, that is another number than the one of all their samples together.
    """
    task, training = experiment.task, experiment.training
    options = {}
    if training.class_weights == "balanced":
        options["weight"] = balanced_weights(truth, max(2, task.output_shape()[-1 if task.gives_tokens else 0]))
    if training.label_smoothing:
        options["label_smoothing"] = training.label_smoothing
    own = partial(LOSSES[task.kind.loss], **options) if options else LOSSES[task.kind.loss]
    if training.loss == "auto":
        return own
    return dice_loss if training.loss == "dice" else lambda outputs, truth: own(outputs, truth) + dice_loss(outputs, truth)


def centre(images: Tensor, like: Tensor) -> Tensor:
    """Return the middle of images `(…, height, width)` that is as large as `like`, or all of them."""
    if images.shape[-2:] == like.shape[-2:]:
        return images
    (height, width), (rows, columns) = images.shape[-2:], like.shape[-2:]
    top, left = (height - rows) // 2, (width - columns) // 2
    return images[..., top : top + rows, left : left + columns]


LOSSES = {
    "cross_entropy": F.cross_entropy,
    "binary_cross_entropy": mask_loss,
    "pixel_cross_entropy": pixel_loss,
    "token_cross_entropy": token_loss,
    "squared_error": F.mse_loss,
}
METRICS = {
    "accuracy": accuracy,
    "iou": intersection_over_union,
    "mean_iou": mean_intersection_over_union,
    "exact": exact_match,
    "r2": explained,
}


def finite(value: float) -> float | None:
    """Return `value`, or None if it is NaN or infinite."""
    return value if abs(value) < torch.inf else None
