"""The pixels of an image file that Pillow has opened.

A script that reads such a file is given this function as it stands here, so that it reads the same pixels.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps


def pixels_of(image, mode, size, method):
    """Return an image in Pillow's `mode`, or as it is ("raw"), cut to its middle and scaled to `size` (width, height)."""
    given = image
    if mode != "raw":
        if image.mode.startswith("I"):  # 16 bits a pixel
            image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        image = image.convert(mode)
    pixels = np.asarray(ImageOps.fit(image, size, Image.Resampling[method]))
    given.close()  # lets go of its own pixels too
    return pixels
