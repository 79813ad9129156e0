"""How streams mix, as a small grid on a skip's line: a row makes a stream of all, a cell is the darker the larger its weight."""

from __future__ import annotations

from collections.abc import Sequence

from ..network.merge import MERGES
from ..network.network import Network
from .svg import Markup, group, rectangle

WIDEST, LARGEST, LEAST, RIM = 26.0, 9.0, 3.0, 2.0
"""px of all cells side by side, of one cell at most and at least, and of the rim around them."""


def side(streams: int) -> float:
    """Return the width of the grid of so many streams, px."""
    return streams * _cell(streams) + 2 * RIM


def side_of(network: Network, skips: Sequence[int]) -> float:
    """Return the width of the grid on a line that stands for one skip of streams, else 0."""
    first = network.skips[skips[0]]
    return side(first.streams) if len(skips) == 1 and MERGES[first.merge].mixes else 0.0


def _cell(streams: int) -> float:
    return round(max(LEAST, min(LARGEST, WIDEST / streams)), 2)


def starts(network: Network) -> dict[int, int]:
    """Return, by the number of a skip, where its matrix begins in a frame's `mixing`."""
    found, place = {}, 0
    for index, skip in enumerate(network.skips):
        if MERGES[skip.merge].mixes:
            found[index] = place
            place += skip.streams**2
    return found


def streams_of(network: Network) -> list[int]:
    """Return of how many streams each state h_0…h_n is known to be: by what made it, reads it, or mixes it; else 1."""
    found = [1] * (network.depth + 1)
    for k, layer in enumerate(network.layers, start=1):
        found[k - 1] = max(found[k - 1], layer.op.reads_streams)
        found[k] = max(found[k], layer.op.gives_streams)
    for skip in network.skips:
        if MERGES[skip.merge].mixes:
            found[skip.target] = skip.streams
    return found


def shade(weight: float) -> float:
    """Return how dark a cell is, 0…1: the root of its weight's magnitude, so that small ones are seen."""
    return round(min(1.0, abs(weight)) ** 0.5, 3)


def grid(x: float, top: float, values: Sequence[float], css: str, **attributes) -> Markup:
    """Return the grid of the matrix `values`, row by row, with its middle at x."""
    streams = round(len(values) ** 0.5)
    cell, width = _cell(streams), side(streams)
    left = x - width / 2
    cells = []
    for place, value in enumerate(values):
        row, column = divmod(place, streams)
        at = left + RIM + column * cell, top + RIM + row * cell
        cells.append(rectangle("cell", *at, cell - 0.5, cell - 0.5, fill_opacity=shade(value)))
    return group(f"mixing {css}".strip(), rectangle("face", left, top, width, width, rx=2), *cells, **attributes)
