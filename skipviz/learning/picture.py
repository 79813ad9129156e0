"""Small pictures of what a network computes now: a decision boundary, digits, masks."""

from __future__ import annotations

from base64 import b64encode

import numpy as np
import torch
from torch import Tensor

from ..tasks.data import DIGITS_DEVIATION, DIGITS_MEAN, Data
from ..tasks.task import Task
from .objective import centre, dice

BOUNDARY_SIDE = 48
DIGITS_SHOWN = 24
MASKS_SHOWN = 3
MARGIN = 0.08
"""Of the points' range, left free around them."""


class Painter:
    """Draws always the same held-out samples, or the same grid, of one task."""

    def __init__(self, task: Task, data: Data, device: torch.device) -> None:
        self.kind = task.kind.picture
        self.data = data
        if self.kind == "boundary":
            self.extent = extent_of(data)
            x, y = (np.linspace(*self.extent[i : i + 2], BOUNDARY_SIDE, dtype=np.float32) for i in (0, 2))
            inputs = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        else:
            inputs = data.held_out_x[: DIGITS_SHOWN if self.kind == "digits" else MASKS_SHOWN]
        self.inputs = torch.from_numpy(inputs).to(device)

    def paint(self, outputs: Tensor) -> dict:
        """Return the picture as JSON data for the model's outputs on `self.inputs`."""
        outputs = torch.nan_to_num(outputs.float())
        if self.kind == "boundary":
            share = torch.softmax(outputs, 1)[:, 1].cpu().numpy()
            side = [BOUNDARY_SIDE, BOUNDARY_SIDE]
            return {"kind": "boundary", "size": side, "extent": self.extent, "probability": _bytes(share)}
        if self.kind == "masks":
            return self._masks(outputs)
        images = self.data.held_out_x[: len(outputs)]
        confidence, predicted = torch.softmax(outputs, 1).max(1)
        return {
            "kind": "digits",
            "size": list(images.shape[2:]),
            "count": len(images),
            "images": _bytes(images * DIGITS_DEVIATION + DIGITS_MEAN),
            "label": self.data.held_out_y[: len(images)].tolist(),
            "predicted": predicted.tolist(),
            "confidence": [round(value, 2) for value in confidence.tolist()],
        }

    def _masks(self, outputs: Tensor) -> dict:
        """Return images, masks and predictions, cut to the middle that the network predicts."""
        images, truth = (
            centre(torch.from_numpy(part[: len(outputs)]), outputs) for part in (self.data.held_out_x, self.data.held_out_y)
        )
        outputs = outputs.cpu()
        return {
            "kind": "masks",
            "size": list(images.shape[2:]),
            "count": len(images),
            "images": _bytes(images.numpy()),
            "truth": _bytes(truth.numpy()),
            "predicted": _bytes(torch.sigmoid(outputs).numpy()),
            "dice": [round(dice(*pair), 2) for pair in zip(outputs, truth, strict=True)],
        }


def extent_of(data: Data) -> list[float]:
    """Return `[xmin, xmax, ymin, ymax]` around all points, with a margin."""
    points = np.concatenate([data.x, data.held_out_x])
    low, high = points.min(0), points.max(0)
    low, high = low - MARGIN * (high - low), high + MARGIN * (high - low)
    return [round(float(value), 3) for value in (low[0], high[0], low[1], high[1])]


def _bytes(values: np.ndarray) -> str:
    """Return values from 0..1 as base64 of uint8, row by row."""
    return b64encode(np.round(np.clip(values, 0, 1) * 255).astype(np.uint8).tobytes()).decode()
