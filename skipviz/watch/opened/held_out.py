"""What a person keeps out of training, and how well their module does on it: the loss, and of classes the share that is right."""

from __future__ import annotations

from math import isfinite
from pathlib import Path

import torch

from ...learning.objective import finite
from ...learning.progress import HELD_OUT_SAMPLES
from ..errors import WatchError
from .failure import told
from .files import Loader
from .objective import classes_ahead, told_right
from .spec import MOST_HELD_OUT, Opened, short
from .variant import OpenedVariant

SEED = 0
"""Of a loader that shuffles: whatever the run's seed, what is held out is the same."""


class HeldOut:
    """The first batches of a person's held-out loader, which are the same at every measurement; raises `WatchError`.

    They are read once, up to `HELD_OUT_SAMPLES` samples.
    """

    def __init__(self, opened: Opened, names: set[str], variant: OpenedVariant) -> None:
        self._what, self._path = short(opened.held_out), Path(opened.model.rpartition(":")[0])
        self._batches = Loader(opened.held_out, SEED, names).first(MOST_HELD_OUT, HELD_OUT_SAMPLES)
        self.samples = sum(batch.size for batch in self._batches)
        found = self._evaluated(variant, 0, graph=True)
        self.ahead: int | None = classes_ahead(*found[:2], found[2]) if found else None
        """Where the loss is one of classes, by how many places their indices lie ahead; see `classes_ahead`."""

    def measure(self, variant: OpenedVariant, accuracy: bool) -> dict[str, float | None]:
        """Return a frame's fields, of which nothing in training changes; none where a switch cannot be set in eval mode.

        The loss is the mean over samples of the batches' losses.
        """
        total, right, counted = 0.0, 0, 0
        for place in range(len(self._batches)):
            found = self._evaluated(variant, place)
            if found is None:
                return {}
            output, batch, loss = found
            total += loss.item() * batch.size / self.samples
            if accuracy and self.ahead is not None:
                good, count = told_right(output, batch, self.ahead)
                right, counted = right + good, counted + count
        return {"held_out_loss": finite(total), **({"held_out": right / counted} if counted and isfinite(total) else {})}

    def _evaluated(self, variant: OpenedVariant, place: int, graph: bool = False) -> tuple | None:
        """Return what the module gives of a batch, the batch, and the loss; raises `WatchError` with the batch's number."""
        batch, what = self._batches[place].to(variant.device), f"batch {place + 1} of {self._what}, held out, in eval mode"
        try:
            found = variant.evaluated(batch, graph)
        except WatchError as error:
            raise WatchError(f"{what}: {error}") from error
        except torch.OutOfMemoryError:
            raise
        except Exception as error:
            raise WatchError(f"{what}: the forward pass fails: {told(error, self._path)}") from error
        return found and (found[0], batch, found[1])
