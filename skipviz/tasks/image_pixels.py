"""The pixels of an image file, by Pillow.

A script that reads such a file is given this function as it stands here, so that it reads the same pixels.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageOps

IMAGE_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")


def pixels_of(content, mode, size, method):
    """Return an image file in Pillow's `mode`, or as it is ("raw"), cut to the middle and scaled to `size` (width, height)."""
    with Image.open(BytesIO(content), formats=IMAGE_FORMATS) as image:
        if mode != "raw":
            if image.mode.startswith("I"):  # 16 bits a pixel
                image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
            image = image.convert(mode)
        return np.asarray(ImageOps.fit(image, size, method))
