"""A measured step as one picture that needs no script: the diagram, a bar a row beside it, and the loss up to there."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from xml.etree import ElementTree

from .colours import COLOURS, ramp_colour, scaled
from .painter import Diagram
from .standalone import SVG, middle, standalone
from .svg import Markup, number, rectangle, tag, text

HEAD, AXIS, MARGIN = 52, 26, 20
"""px over and under the rows, and around all."""
BARS, NUMBERS, LOSS, LOSS_HEIGHT = 250, 60, 300, 150
"""Widths of bars, of the numbers at their ends and of the loss; its height."""
LOW, DEEP_LOW, HIGH, DEEP = -12, -7, 1, 100
"""log₁₀ of the bars' axis, which begins later from so many layers on, as in the lab."""
MOST_POINTS = 300
"""Of the loss."""
_FONT = "font-family:'Source Sans 3','Source Sans Pro','Source Sans',system-ui,sans-serif"


def still(diagram: Diagram, frame: dict, losses: Sequence[tuple[int, float]], title: str, theme: str = "light") -> str:
    """Return the SVG of a frame (fields of a `VariantFrame`) under its title; `losses` are (step, loss)."""
    beside = diagram.width + MARGIN
    width, height = beside + BARS + NUMBERS + LOSS + 2 * MARGIN, HEAD + diagram.height + AXIS
    token = COLOURS[theme]
    drawn = [
        rectangle("", 0, 0, width, height, style=f"fill:{token['card']};stroke:none"),
        _said(MARGIN, 24, title, f"font-size:15px;font-weight:600;fill:{token['ink']}"),
        _inside(standalone(diagram, theme, frame), 0, HEAD),
        tag("g", {"transform": f"translate({number(beside)} {HEAD})"}, *_bars(diagram, frame.get("weight_grad") or (), theme)),
    ]
    if len(losses) > 1:
        place = {"transform": f"translate({number(beside + BARS + NUMBERS + MARGIN)} {HEAD})"}
        drawn.append(tag("g", place, *_loss(losses, token)))
    size = {"viewBox": f"0 0 {number(width)} {number(height)}", "width": float(width), "height": float(height)}
    return str(tag("svg", {"xmlns": SVG, **size, "role": "img", "style": _FONT}, *drawn))


def _inside(svg: str, x: float, y: float) -> Markup:
    root = ElementTree.fromstring(svg)
    root.set("x", number(x))
    root.set("y", number(y))
    for valve in root.iter(f"{{{SVG}}}g"):
        if valve.get("data-valve") and "open" in valve.get("class", "").split():
            valve.set("display", "none")  # nothing can be turned here
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _said(x: float, y: float, words: str, style: str, **more) -> Markup:
    return text(None, x, y, words, style=style, **more)


def _bars(diagram: Diagram, gradients: Sequence[float | None], theme: str) -> list[Markup]:
    """Return a bar a row of the gradient of its weights, the median of a folded one, on a logarithmic axis."""
    token, low = COLOURS[theme], DEEP_LOW if len(gradients) >= DEEP else LOW
    unit = BARS / (HIGH - low)
    small = f"font-size:11px;fill:{token['ink2']}"
    drawn = [_said(0, -6, "‖∂L/∂θₖ‖, gradient of each layer's weights", small)]
    for decade in range(low, HIGH + 1):
        if decade % 3 == 1:
            x = (decade - low) * unit
            drawn.append(_line(x, 0, x, diagram.height, token["line"]))
            drawn.append(_said(x, diagram.height + 16, f"1e{decade}", small, text_anchor="middle"))
    for row in diagram.rows:
        value = middle(gradients, row["layers"]) if row["kind"] != "joint" else None
        if value is None:
            continue
        reach = min(max(log10(value), low), HIGH) - low if value > 0 else 0
        fill = token["over"] if value > 10 else ramp_colour("bars", 0.22 + 0.78 * scaled(value), theme)
        height = min(row["h"] * 0.7, 16)
        drawn.append(rectangle(None, 0, row["y"] - height / 2, max(reach * unit, 1.5), height, style=f"fill:{fill}"))
        drawn.append(_said(max(reach * unit, 1.5) + 5, row["y"] + 4, f"{value:.2g}", small))
    return drawn


def _loss(losses: Sequence[tuple[int, float]], token: dict) -> list[Markup]:
    """Return the curve of the loss, linear, from 0 or the smallest below it."""
    every = -(-len(losses) // MOST_POINTS)
    losses = [*losses[:-1:every], losses[-1]]
    first, last = losses[0][0], losses[-1][0]
    found = [loss for _, loss in losses]
    low, high = min(0.0, *found), max(found)
    span = high - low or 1.0
    points = [(LOSS * (step - first) / (last - first or 1), LOSS_HEIGHT * (high - loss) / span) for step, loss in losses]
    line = "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)
    small = f"font-size:11px;fill:{token['ink2']}"
    return [
        _said(0, -6, f"Loss: {found[-1]:.3g} at last, {high:.3g} at most", small),
        _line(0, LOSS_HEIGHT, LOSS, LOSS_HEIGHT, token["line"]),
        tag("path", {"d": line, "style": f"fill:none;stroke:{token['ink']};stroke-width:1.5"}),
        _said(0, LOSS_HEIGHT + 16, f"step {first}", small),
        _said(LOSS, LOSS_HEIGHT + 16, str(last), small, text_anchor="end"),
    ]


def _line(x: float, y: float, to_x: float, to_y: float, colour: str) -> Markup:
    ends = {"x1": float(x), "y1": float(y), "x2": float(to_x), "y2": float(to_y)}
    return tag("line", {**ends, "style": f"stroke:{colour};stroke-width:1"})
