"""A person's pictures with labels or masks, as they were read. numpy only."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

import numpy as np

from .own import Own, UploadError


@dataclass(frozen=True)
class Pictures:
    """Pictures that were read, with labels, masks or both.

    `images` uint8 or float32 `(samples, channels, height, width)`; `labels` int32 places in `classes`; `masks`
    `(samples, height, width)`, bool or uint8 places in `mask_classes` with 255 where a pixel is ignored.
    """

    file: str
    images: np.ndarray
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    masks: np.ndarray | None = None
    mask_classes: tuple[str, ...] = ()
    """Names of the classes of pixels; none where a mask marks one thing."""
    source: dict = field(default_factory=dict)
    """How the file was read, as JSON data (`read_pictures`): a script reads it the same way."""
    notes: tuple[str, ...] = ()
    """What was understood of the file and could be understood otherwise, a sentence each."""

    def digest(self) -> str:
        """Return the SHA-256 of what was read: equal for equal pictures, whatever the file's name and compression."""
        parts = [part for part in (self.images, self.labels, self.masks) if part is not None]
        heads = [[part.dtype.str, list(part.shape)] for part in parts]
        named = [list(self.classes), *([list(self.mask_classes)] if self.mask_classes else [])]
        found = hashlib.sha256(json.dumps([heads, *named], separators=(",", ":")).encode())
        for part in parts:
            found.update(np.ascontiguousarray(part).view(np.uint8).data)
        return found.hexdigest()

    def targets(self) -> list[str]:
        """Return the pictures' targets: masks, labels or both."""
        return [name for name in ("masks", "labels") if getattr(self, name) is not None]

    def likely_target(self) -> str:
        """Return the likely target."""
        return self.targets()[0]


def described(pictures: Pictures, target: str) -> Own:
    """Return the description of the task of telling the pictures' masks or labels; raises `UploadError`."""
    if target not in pictures.targets():
        raise UploadError(f"{pictures.file} has no {target}")
    classes = pictures.classes if target == "labels" else pictures.mask_classes
    kind = "pixel_classes" if target == "masks" and classes else target
    return Own.of(pictures, kind, target, len(pictures.images), pictures.images.shape[1:], classes)
