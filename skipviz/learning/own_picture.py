"""Pictures of what a network makes of somebody's own data: thumbnails it names, a table of mix-ups, predicted against true."""

from __future__ import annotations

from base64 import b64encode

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ..tasks.data import Data
from ..tasks.own import Own
from .centre import centre
from .metric.mean_iou import mean_iou
from .objective import finite

MASKS_SHOWN = 3
MASK_SIDE = 64
"""Pixels a side that a mask is shown with at most: nine images of a picture then travel in 50 kB."""
THUMBNAILS_SHOWN = 12
THUMBNAIL_SIDE = 40
"""Pixels a side that a picture is shown with at most: twelve in colour then travel in 77 kB."""
ROWS_ASKED = 512
"""Held-out rows whose classes are counted."""
DOTS_SHOWN = 300
MARGIN = 0.06
"""Of the numbers' range, left free around them."""

SHOWN = {"class_masks": MASKS_SHOWN, "thumbnails": THUMBNAILS_SHOWN, "confusion": ROWS_ASKED, "scatter": DOTS_SHOWN}
"""How many held-out samples each picture asks the network for."""


def thumbnails(data: Data, own: Own, outputs: Tensor) -> dict:
    """Return pictures, row by row with their colours last, and what the network takes them for."""
    confidence, predicted = torch.softmax(outputs, 1).max(1)
    images = brightness(data, data.held_out_x[: len(outputs)])
    if images.shape[1] == 2:
        images = images.mean(1, keepdims=True)
    size = [min(side, THUMBNAIL_SIDE) for side in images.shape[2:]]
    images = adaptive_avg_pool2d(torch.from_numpy(images[:, :3]), size).numpy().transpose(0, 2, 3, 1)
    return {
        "kind": "thumbnails",
        "size": size,
        "channels": images.shape[3],
        "count": len(images),
        "images": b64encode(np.round(images * 255).astype(np.uint8).tobytes()).decode(),
        "label": data.held_out_y[: len(outputs)].tolist(),
        "predicted": predicted.tolist(),
        "confidence": [round(value, 2) for value in confidence.tolist()],
    }


def grey(data: Data, images: Tensor) -> Tensor:
    """Return standardised pictures in grey, `(count, 1, height, width)` in 0..1."""
    return torch.from_numpy(brightness(data, images.numpy())).mean(1, keepdim=True)


def class_masks(data: Data, own: Own, outputs: Tensor) -> dict:
    """Return pictures, the true class of every pixel (255: ignored) and the likeliest one, and each picture's mean IoU.

    They are cut to the middle that the network tells; of large ones every second pixel or fewer is shown.
    """
    shown = (torch.from_numpy(part[: len(outputs)]) for part in (data.held_out_x, data.held_out_y))
    images, truth = (centre(part, outputs) for part in shown)
    scores = [finite(mean_iou(*pair)) for pair in zip(outputs.split(1), truth.split(1), strict=True)]
    size = [min(side, MASK_SIDE) for side in images.shape[2:]]
    rows, columns = (np.arange(few) * side // few for few, side in zip(size, images.shape[2:], strict=True))
    picked = {"truth": truth.numpy(), "predicted": outputs.argmax(1).numpy().astype(np.uint8)}
    images = np.round(adaptive_avg_pool2d(grey(data, images), size).numpy() * 255).astype(np.uint8)
    return {
        "kind": "class_masks",
        "size": size,
        "count": len(images),
        "images": b64encode(images.tobytes()).decode(),
        **{name: b64encode(part[:, rows[:, None], columns].tobytes()).decode() for name, part in picked.items()},
        "iou": [None if score is None else round(score, 4) for score in scores],
    }


def brightness(data: Data, images: np.ndarray) -> np.ndarray:
    """Return standardised pictures `(count, channels, height, width)` in 0..1, as they were before; other ranges are stretched."""
    mean, deviation = (np.array(part, dtype=np.float32)[:, None, None] for part in zip(*data.scale, strict=True))
    shown = images * deviation + mean
    low, high = float(shown.min()), float(shown.max())
    if low < -0.01 or high > 1.01:
        shown = (shown - low) / (high - low)
    return np.clip(shown, 0, 1)


def confusion(data: Data, own: Own, outputs: Tensor) -> dict:
    """Return how many held-out rows of each class (row) the network takes for each class (column), row by row."""
    classes = len(own.classes)
    truth = torch.from_numpy(data.held_out_y[: len(outputs)])
    counts = torch.bincount(truth * classes + outputs.argmax(1), minlength=classes * classes)
    return {"kind": "confusion", "size": [classes, classes], "counts": counts.tolist()}


def scatter(data: Data, own: Own, outputs: Tensor) -> dict:
    """Return true numbers and those that the network tells, in the table's own unit, and the range of the true ones."""
    ((mean, deviation),) = data.scale
    truth = data.held_out_y[: len(outputs), 0].astype(float) * deviation + mean
    predicted = outputs[:, 0].double().numpy() * deviation + mean
    low, high = float(truth.min()), float(truth.max())
    margin = MARGIN * (high - low) or 1.0
    extent = [_rounded(low - margin), _rounded(high + margin)]
    return {"kind": "scatter", "extent": extent, "truth": _all_rounded(truth), "predicted": _all_rounded(predicted)}


def _all_rounded(values: np.ndarray) -> list[float]:
    return [_rounded(value) for value in values.tolist()]


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")


PAINTERS = {"class_masks": class_masks, "thumbnails": thumbnails, "confusion": confusion, "scatter": scatter}
