"""Gradients per layer and the loss as one plotly figure that stands alone, a plain dict. Imports the standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10

from .colours import COLOURS, ramp_colour, scaled
from .figure_parts import axis, base_layout, history_line

ROW = 22
"""px of a layer's bar and what is between two."""
LEAST = 320
"""px of the lowest figure."""


def run_figure(
    names: Sequence[str], gradients: Sequence[float | None], losses: Sequence[tuple[int, float]], theme: str = "light"
) -> dict:
    """Return bars of `gradients` (L2 norms) by layer, the first at the bottom, on a logarithmic axis; (step, loss) beside."""
    token = COLOURS[theme]
    colours = [ramp_colour("bars", 0.22 + 0.78 * (scaled(value) or 0.0), theme) for value in gradients]
    bars = {
        "type": "bar",
        "orientation": "h",
        "name": "gradient",
        "x": list(gradients),
        "y": list(range(1, len(names) + 1)),
        "customdata": list(names),
        "hovertemplate": "%{customdata}: %{x:.3g}<extra></extra>",
        "marker": {"color": colours},
    }
    steps, values = [step for step, _ in losses], [loss for _, loss in losses]
    curve = {**history_line(token, "loss", "loss", "ink", 2), "x": steps, "y": values, "xaxis": "x2", "yaxis": "y2"}
    layout = base_layout(theme, {}, margin={"l": 60, "r": 20, "t": 40, "b": 50})
    layout |= {
        "autosize": True,
        "height": max(LEAST, ROW * len(names) + 90),
        "hovermode": "closest",
        "paper_bgcolor": token["card"],
    }
    powers = {"type": "log", "exponentformat": "power", "dtick": 1, "showgrid": True, "range": _decades(gradients)}
    free = {"fixedrange": False, "automargin": True}
    layout |= {
        "xaxis": axis(token, **powers, domain=[0, 0.58], title="‖∂L/∂θₖ‖, L2 norm", **free),
        "yaxis": axis(token, title="layer, the input at the bottom", **free),
        "xaxis2": axis(token, domain=[0.68, 1], anchor="y2", title="step", **free),
        "yaxis2": axis(token, showgrid=True, anchor="x2", title="loss", **free),
    }
    return {"data": [bars, curve], "layout": layout}


def _decades(gradients: Sequence[float | None]) -> list[int]:
    """Return log₁₀ of the axis' ends: whole decades around all values but 0, one below the smallest."""
    known = [log10(value) for value in gradients if value]
    return [floor(min(known)) - 1, ceil(max(known))] if known else [-1, 0]
