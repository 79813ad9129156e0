"""Small files to try one's own data with: a table and pictures, both generated. numpy only."""

from __future__ import annotations

import io
from functools import cache

import numpy as np

PLANTS = 240
SPECIES = {"fern": (34.0, 12.0, 4.0), "moss": (6.0, 2.5, 0.8), "reed": (88.0, 30.0, 2.2)}
"""Mean height in cm, length and width of a leaf in cm."""
SOILS = ("clay", "loam", "sand")
PICTURES, SIDE = 240, 24


@cache
def table_csv() -> bytes:
    """Return plants with their measures: an id, numbers, categories, and values that are missing."""
    generator = np.random.default_rng(7)
    lines = ["plant,height_cm,leaf_length_cm,leaf_width_cm,soil,watered,weight_g,species"]
    for number in range(PLANTS):
        species = list(SPECIES)[generator.integers(len(SPECIES))]
        height, length, width = (mean * generator.lognormal(0, 0.25) for mean in SPECIES[species])
        watered = generator.random() < 0.6
        weight = 0.12 * height * length * width**0.5 * (1.3 if watered else 0.9) * generator.lognormal(0, 0.1)
        soil = SOILS[generator.integers(len(SOILS))]
        measures = [f"{value:.1f}" if generator.random() > 0.04 else "" for value in (height, length, width)]
        lines.append(",".join([f"P{number + 1:03}", *measures, soil, "yes" if watered else "no", f"{weight:.1f}", species]))
    return ("\n".join(lines) + "\n").encode()


@cache
def pictures_npz() -> bytes:
    """Return noisy pictures of a disc, a square or a cross, with labels and with masks."""
    generator = np.random.default_rng(7)
    names = np.array(["cross", "disc", "square"])
    kinds = generator.integers(len(names), size=PICTURES)
    y, x = np.mgrid[:SIDE, :SIDE]
    images, masks = np.empty((PICTURES, SIDE, SIDE), np.uint8), np.empty((PICTURES, SIDE, SIDE), bool)
    for place, kind in enumerate(kinds):
        radius = generator.uniform(4, 7)
        down, across = np.abs(y - generator.uniform(8, SIDE - 9)), np.abs(x - generator.uniform(8, SIDE - 9))
        bars = (np.minimum(down, across) <= radius / 3) & (np.maximum(down, across) <= radius)
        masks[place] = [bars, down**2 + across**2 <= radius**2, np.maximum(down, across) <= 0.85 * radius][kind]
        light = np.where(masks[place], generator.uniform(140, 220), generator.uniform(30, 90))
        images[place] = np.clip(light + generator.normal(0, 25, light.shape), 0, 255)
    file = io.BytesIO()
    np.savez_compressed(file, images=images, labels=names[kinds], masks=masks)
    return file.getvalue()
