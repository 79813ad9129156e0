"""Small pictures of what a network computes now: a decision boundary, digits, masks, tokens and who attends to whom, a text."""

from __future__ import annotations

from base64 import b64encode

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ..tasks.data import Data
from ..tasks.dataset import digits
from ..tasks.task import Task
from ..tasks.text import text_of, tokens_of
from . import own_picture
from .centre import centre
from .metric.iou import dice
from .own_picture import MASK_SIDE, MASKS_SHOWN
from .seeding import generator
from .variant import Variant

BOUNDARY_SIDE = 48
DIGITS_SHOWN = 24
SEQUENCES_SHOWN = 3
CURVE_POINTS = 161
TEMPERATURE = 0.8
"""Of the characters written: below 1 the likely ones are preferred, so that words show earlier."""
MARGIN = 0.08
"""Of the points' range, left free around them."""


class Painter:
    """Draws always the same held-out samples, or the same grid, of one task."""

    def __init__(self, task: Task, data: Data, device: torch.device) -> None:
        self.kind, self.data, self.seed, self.own = task.kind.picture, data, task.seed, task.own
        self.extent = extent_of(data) if self.kind in ("boundary", "curve") else []
        self._paint = {
            "boundary": self._boundary,
            "digits": self._digits,
            "masks": self._masks,
            "sequences": self._sequences,
            "text": self._text,
            "curve": self._curve,
            **dict.fromkeys(own_picture.PAINTERS, self._own),
        }[self.kind]
        self.inputs = torch.from_numpy(self._inputs()).to(device)

    def paint(self, variant: Variant) -> dict:
        """Return the picture as JSON data for a variant as it stands; nothing of it changes."""
        return self._paint(variant, torch.nan_to_num(variant.evaluate(self.inputs).float()).cpu())

    def _inputs(self) -> np.ndarray:
        if self.kind == "boundary":
            x, y = (np.linspace(*self.extent[i : i + 2], BOUNDARY_SIDE, dtype=np.float32) for i in (0, 2))
            return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        if self.kind == "curve":
            return np.linspace(*self.extent[:2], CURVE_POINTS, dtype=np.float32)[:, None]
        if self.kind == "text":
            return np.full_like(self.data.held_out_x[:1], tokens_of("\n")[0])
        shown = {"digits": DIGITS_SHOWN, "masks": MASKS_SHOWN, "sequences": SEQUENCES_SHOWN, **own_picture.SHOWN}
        return self.data.held_out_x[: shown[self.kind]]

    def _boundary(self, variant: Variant, outputs: Tensor) -> dict:
        share = torch.softmax(outputs, 1)[:, 1].numpy()
        side = [BOUNDARY_SIDE, BOUNDARY_SIDE]
        return {"kind": "boundary", "size": side, "extent": self.extent, "probability": _bytes(share)}

    def _digits(self, variant: Variant, outputs: Tensor) -> dict:
        images = self.data.held_out_x[: len(outputs)]
        confidence, predicted = torch.softmax(outputs, 1).max(1)
        return {
            "kind": "digits",
            "size": list(images.shape[2:]),
            "count": len(images),
            "images": _bytes(images * digits.DEVIATION + digits.MEAN),
            "label": self.data.held_out_y[: len(images)].tolist(),
            "predicted": predicted.tolist(),
            "confidence": [round(value, 2) for value in confidence.tolist()],
        }

    def _masks(self, variant: Variant, outputs: Tensor) -> dict:
        """Return images, masks and predictions, cut to the middle that the network predicts; large ones are shown smaller.

        Of volumes it is the slice in the middle of the depth, and `slice` its number and how many there are; scores are of all.
        """
        images, truth = (
            centre(torch.from_numpy(part[: len(outputs)]), outputs) for part in (self.data.held_out_x, self.data.held_out_y)
        )
        scores = [round(dice(*pair), 4) for pair in zip(outputs, truth, strict=True)]
        predicted, more = torch.sigmoid(outputs), {}
        if outputs.dim() == 5:
            depth, deep = outputs.shape[2], self.data.held_out_x.shape[2]
            more = {"slice": [(deep - depth) // 2 + depth // 2 + 1, deep]}
            images, truth, predicted = (part[:, :, depth // 2] for part in (images, truth, predicted))
        if self.own:
            images = own_picture.grey(self.data, images)
        size = [min(side, MASK_SIDE) for side in images.shape[2:]]
        shown = [adaptive_avg_pool2d(part, size).numpy() for part in (images, truth, predicted)]
        picture = {name: _bytes(part) for name, part in zip(("images", "truth", "predicted"), shown, strict=True)}
        return {"kind": "masks", "size": size, "count": len(images), **picture, **more, "dice": scores}

    def _own(self, variant: Variant, outputs: Tensor) -> dict:
        return own_picture.PAINTERS[self.kind](self.data, self.own, outputs)

    def _sequences(self, variant: Variant, outputs: Tensor) -> dict:
        """Return tokens in (a source's if there is one), wanted and given, and the last attention's weights on the first."""
        count = len(outputs)
        picture = {
            "kind": "sequences",
            "size": [count, outputs.shape[1]],
            "tokens": outputs.shape[2],
            "given": self.data.held_out_x[:count, -outputs.shape[1] :].tolist(),
            "truth": self.data.held_out_y[:count].tolist(),
            "predicted": outputs.argmax(2).tolist(),
        }
        picture |= {"source": True} if variant.network.further else {}
        attention = variant.attention(self.inputs[:1])
        if attention:
            layer, weights = attention
            picture |= {"layer": layer, "heads": weights.shape[1], "attention": _bytes(weights[0].nan_to_num().cpu().numpy())}
        return picture

    def _text(self, variant: Variant, outputs: Tensor) -> dict:
        """Return a paragraph that the network writes, always from the same random numbers; it ends where its window ends."""
        tokens, chance = self.inputs.clone(), generator(self.seed, "sample")
        for place in range(tokens.shape[1] - 1):
            given = variant.evaluate(tokens)[0, place]
            likely = torch.softmax(torch.nan_to_num(given.float()).cpu() / TEMPERATURE, 0)
            tokens[0, place + 1] = torch.multinomial(likely, 1, generator=chance).item()
        return {"kind": "text", "sample": text_of(tokens[0, 1:].tolist())}

    def _curve(self, variant: Variant, outputs: Tensor) -> dict:
        """Return what the network gives for evenly spaced x, from the left edge to the right."""
        fitted = [round(value, 3) for value in outputs[:, 0].tolist()]
        return {"kind": "curve", "size": [CURVE_POINTS], "extent": self.extent, "fitted": fitted}


def extent_of(data: Data) -> list[float]:
    """Return `[xmin, xmax, ymin, ymax]` around all points, with a margin."""
    points = plane(data.x, data.y, data.held_out_x, data.held_out_y)
    low, high = points.min(0), points.max(0)
    low, high = low - MARGIN * (high - low), high + MARGIN * (high - low)
    return [round(float(value), 3) for value in (low[0], high[0], low[1], high[1])]


def plane(x: np.ndarray, y: np.ndarray, *more: np.ndarray) -> np.ndarray:
    """Return points `(samples, 2)`: both coordinates of `x`, or its one and that of `y`; further pairs follow."""
    points = x if x.shape[1] == 2 else np.concatenate([x, y], axis=1)
    return np.concatenate([points, plane(*more)]) if more else points


def _bytes(values: np.ndarray) -> str:
    """Return values from 0..1 as base64 of uint8, row by row."""
    return b64encode(np.round(np.clip(values, 0, 1) * 255).astype(np.uint8).tobytes()).decode()
