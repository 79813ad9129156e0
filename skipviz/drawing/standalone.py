"""A diagram that stands alone: style sheet inside, and the values of one frame painted on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from statistics import median
from xml.etree import ElementTree

from .colours import css_variables, ramp_colour, scaled
from .mixing import shade

SVG = "http://www.w3.org/2000/svg"
STYLE_SHEET = Path(__file__).parents[2] / "assets" / "diagram.css"
LEAST_BAND = 1.25
"""px of the wire, and of the band of a gradient at or below 10⁻⁷."""


@cache
def style_sheet() -> str:
    """Return the diagram's style sheet."""
    return STYLE_SHEET.read_text(encoding="utf-8")


def standalone(diagram, theme: str = "light", frame: dict | None = None) -> str:
    """Return the diagram as one SVG file in `theme`; with `frame` (fields of a `VariantFrame`) its bands have values."""
    ElementTree.register_namespace("", SVG)
    root = ElementTree.fromstring(diagram.svg)
    if frame:
        paint(root, diagram, frame, theme)
    style = ElementTree.Element(f"{{{SVG}}}style")
    style.text = f"svg{{{css_variables(theme)}background:var(--sv-card)}}\n{style_sheet()}"
    root.insert(0, style)
    return ElementTree.tostring(root, encoding="unicode")


def band_width(t: float, widest: float) -> float:
    """Return the width in px of a band at t on the scale: 1.25 + (widest − 1.25) · t."""
    return LEAST_BAND + (widest - LEAST_BAND) * t


def middle(values: Sequence[float | None], parts: Sequence[int]) -> float | None:
    """Return the median of the parts that have a value."""
    found = [values[part] for part in parts if part < len(values) and values[part] is not None]
    return median(found) if found else None


def paint_grids(root: ElementTree.Element, weights: Sequence[float | None]) -> None:
    """Shade how streams mix, as the page's script does."""
    for grid in root.iter(f"{{{SVG}}}g"):
        if grid.get("data-mixing"):
            cells = [cell for cell in grid if cell.get("class") == "cell"]
            for cell, weight in zip(cells, weights[int(grid.get("data-mixing")) :], strict=False):
                cell.set("fill-opacity", str(shade(weight or 0.0)))
                cell.set("class", "cell below" if (weight or 0.0) < 0 else "cell")


def paint(root: ElementTree.Element, diagram, frame: dict, theme: str) -> None:
    """Set widths and colours of bands and stripes from a frame, as the page's script does."""
    root.set("class", " ".join(word for word in root.get("class", "").split() if word != "rest"))
    kinds = {edge["id"]: edge for edge in diagram.edges}
    for mark in root.iter(f"{{{SVG}}}g"):
        edge = kinds.get(mark.get("data-edge", ""))
        value = middle(frame.get(f"{edge['kind']}_grad", ()), edge["parts"]) if edge else None
        t = scaled(value)
        band = next((path for path in mark if path.get("class") == "band"), None)
        if t is None or band is None:
            continue
        ramp = "skip" if edge["kind"] == "skip" else "trunk"
        if value > 10:
            mark.set("class", f"{mark.get('class')} over")
        band.set(
            "style",
            f"stroke-width:{band_width(t, edge.get('band', diagram.band_max)):.2f}px"
            + ("" if value > 10 else f";stroke:{ramp_colour(ramp, t, theme)}"),
        )
    paint_grids(root, frame.get("mixing") or ())
    for stripe in root.iter(f"{{{SVG}}}rect"):
        if stripe.get("data-stripe"):
            t = scaled(middle(frame.get("weight_grad", ()), [int(stripe.get("data-stripe"))]))
            if t is not None:
                stripe.set("style", f"fill:{ramp_colour('bars', 0.22 + 0.78 * t, theme)}")
