"""A person's own pictures as the source of a function `data()` that reads the file as it was read here. numpy only."""

from __future__ import annotations

import hashlib

import numpy as np

from ...tasks.own import Own
from ...tasks.own_samples import FLAT
from ...tasks.pictures import Pictures
from ...tasks.task import Task
from .data import SPLIT
from .own_words import MEAN, Reading, sentence

PICTURES = '''
def data():
    """{sentence}"""
    x, y = pictures()
    training, _, held_out, _ = split(np.arange(len(y)), y, np.random.default_rng([{seed}, 13]))
{standardise}    return x[training], y[training], x[held_out], y[held_out]


def pictures():
    """Return the pictures of the file, {numbers}, and their {target}."""
    if not FILE.is_file():
        sys.exit(f"There is no file {{FILE}}: give the path of {{NAME}} as the first argument.")
    try:
        with np.load(FILE, allow_pickle=False) as arrays:
            images, {target} = arrays["images"], arrays["{target}"]
{images}        y = {y}
    except Exception:  # another file fails in many ways
        sys.exit(OTHER)
    if sha256(x.tobytes() + y.tobytes()).hexdigest() != DIGEST:
        sys.exit(OTHER)
    return {x}, y
'''
CHANNELS = """    for channel in range({channels}):  # mean 0 and deviation 1 in the training part
        mean, deviation = mean_and_deviation(x[training, channel])
        x[:, channel] -= np.float32(mean)
        x[:, channel] /= np.float32(deviation)
"""


def pictures_source(task: Task, pictures: Pictures) -> Reading:
    """Return how a script reads the pictures of `task`."""
    own, (channels, height, width) = task.own, task.own.shape
    is_bytes = pictures.images.dtype == np.uint8
    images = [f"images = images.reshape(-1, 1, {height}, {width})"]
    if channels > 1:
        condition = "" if own.shape == (4, 4, 4) else f"if images.shape[1:] != {own.shape}:  # its channels come last\n            "
        images = [f"{condition}images = images.transpose(0, 3, 1, 2)"]
    if is_bytes and not ((pictures.images != 0) & (pictures.images != 255)).any():
        images.append("if images.dtype == bool:\n            images = images * np.uint8(255)")
    images.append("x = np.ascontiguousarray(images, dtype=np.float32)")
    y = "np.unique(labels, return_inverse=True)[1].ravel()"
    if own.kind == "masks":
        y = f"(masks.reshape(len(x), 1, {height}, {width}) != 0).astype(np.float32)"
    body = PICTURES.format(
        sentence=sentence(task),
        seed=task.seed,
        standardise=CHANNELS.format(channels=channels),
        numbers="0 to 1" if is_bytes else "as they are",
        target=own.kind,
        images="".join(f"        {line}\n" for line in images),
        y=y,
        x="x / 255" if is_bytes else "x",
    )
    return Reading((), f"{body}{MEAN.format(flat=FLAT)}\n{SPLIT}", _pictures_digest(pictures, own))


def _pictures_digest(pictures: Pictures, own: Own) -> str:
    """Return the digest picture by picture: all of them as floats take much memory."""
    found = hashlib.sha256()
    for image in pictures.images:
        found.update(image.astype(np.float32).tobytes())
    if own.kind == "labels":
        found.update(pictures.labels.astype(np.int64).tobytes())
    else:
        for mask in pictures.masks:
            found.update(mask.astype(np.float32).tobytes())
    return found.hexdigest()
