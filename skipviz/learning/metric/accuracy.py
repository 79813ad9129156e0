"""The share that is predicted right, and each class's."""

from __future__ import annotations

import torch
from torch import Tensor


def accuracy(outputs: Tensor, truth: Tensor) -> float:
    """Return the share of samples, or of tokens, whose largest output is the true one; outputs `(batch, …, classes)`."""
    return (outputs.argmax(-1) == truth).float().mean().item()


def recalls(outputs: Tensor, truth: Tensor) -> list[float | None]:
    """Return for each class the share of its samples, or tokens, that are predicted right; None for a class without any."""
    classes, truth = outputs.shape[-1], truth.flatten()
    right = outputs.argmax(-1).flatten() == truth
    counts, right_counts = (torch.bincount(part, minlength=classes).tolist() for part in (truth, truth[right]))
    return [good / count if count else None for good, count in zip(right_counts, counts, strict=True)]


def balanced(recall: list[float | None]) -> float | None:
    """Return the mean recall of the classes that have one, the balanced accuracy; None where none has."""
    known = [share for share in recall if share is not None]
    return sum(known) / len(known) if known else None
