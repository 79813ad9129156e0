"""Samples of one's own data as a network takes them, standardised by their training part. numpy only."""

from __future__ import annotations

import numpy as np

from .own import Own, UploadError
from .pictures import Pictures
from .table import encoded
from .upload import described
from .uploads import Uploads

FLAT = 1e-12
"""A deviation below it, against the mean's size, is rounding of numbers that are all the same: they stay as they are."""


Scale = tuple[tuple[float, float], ...]


def own_samples(own: Own, uploads: Uploads, split) -> tuple[tuple[np.ndarray, ...], Scale]:
    """Return training x and y and held-out x and y, and the (mean, deviation) by which channels or numbers were standardised.

    `split(y)` gives the places of both parts. Raises `UploadError` where the data is not here or not what `own` says.
    """
    data = uploads.load(own)
    if described(data, own.target, own.kind, **own.choices()).replaced(file=own.file) != own:
        raise UploadError(f"the data of {own.file} is not what this experiment says of it: upload the file again")
    if isinstance(data, Pictures):
        x, y = _pictures(data, own)
        training, kept = split(y)
        scale = _standardise_pictures(x, training)
    else:
        given, wanted, is_number = encoded(data, own)
        y = wanted[:, None] if own.kind == "numbers" else wanted
        training, kept = split(y)
        x = _table_standardised(given, is_number, training)
        scale = ()
        if own.kind == "numbers":
            mean, deviation = mean_and_deviation(wanted[training])
            y, scale = ((y - mean) / deviation).astype(np.float32), ((mean, deviation),)
    return (x[training], y[training], x[kept], y[kept]), scale


def _table_standardised(given: np.ndarray, is_number: np.ndarray, training: np.ndarray) -> np.ndarray:
    """Return float32 inputs: numbers of mean 0 and deviation 1 in the training part, a missing one at the mean."""
    for place in np.flatnonzero(is_number):
        column = given[:, place]
        known = column[training][~np.isnan(column[training])]
        mean, deviation = mean_and_deviation(known) if len(known) else (0.0, 1.0)
        given[:, place] = np.where(np.isnan(column), 0.0, (column - mean) / deviation)
    return given.astype(np.float32)


def mean_and_deviation(values: np.ndarray) -> tuple[float, float]:
    """Return by what numbers are standardised."""
    mean, deviation = (float(found(dtype=np.float64)) for found in (values.mean, values.std))
    return mean, deviation if deviation > FLAT * abs(mean) else 1.0


def _pictures(data: Pictures, own: Own) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures float32, bytes as 0..1, and their targets.

    Labels are int64, masks float32 `(samples, 1, height, width)`, classes of pixels uint8 `(samples, height, width)`.
    """
    x = data.images.astype(np.float32)
    if data.images.dtype == np.uint8:
        x /= 255
    if own.kind == "pixel_classes":
        return x, data.masks
    return x, data.labels.astype(np.int64) if own.kind == "labels" else data.masks[:, None].astype(np.float32)


def _standardise_pictures(x: np.ndarray, training: np.ndarray) -> Scale:
    """Give the pictures, in place, mean 0 and deviation 1 of each channel over the training part; return both as they were."""
    scale = []
    for channel in range(x.shape[1]):
        mean, deviation = mean_and_deviation(x[training, channel])
        x[:, channel] -= np.float32(mean)
        x[:, channel] /= np.float32(deviation)
        scale.append((mean, deviation))
    return tuple(scale)
