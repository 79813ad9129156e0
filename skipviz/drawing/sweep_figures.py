"""The figures of a sweep as templates, as `figures` has those of runs: colours by cell, and lines by row. Plain dicts."""

from __future__ import annotations

from .colours import COLOURS, ramp
from .figure_parts import LABEL, axis, base_layout, cells_trace, config

STEPS = 17
"""Colours between the palest and the darkest."""


def cells_figure(theme: str = "light") -> dict:
    """Return the heatmap of a sweep: columns are the first axis' values, rows the second's, the first at the top.

    A cell's z is its place 0…1 between the smallest and the largest value there is, on a logarithmic scale for gradients; the
    script gives axes their values, and lays a button over each cell.
    """
    token, colours = COLOURS[theme], ramp("bars", theme)
    scale = [[place / (STEPS - 1), colours[round((len(colours) - 1) * place / (STEPS - 1))]] for place in range(STEPS)]
    meta = {
        "kind": "cells",
        "title": "A sweep's cells",
        "row": {"least": 30, "most": 56},
        "axes": {"x": "first field", "y": "second field"},
        "legend": [("cells", "ramp", "smallest (faint) to largest (strong)")],
    }
    layout = base_layout(theme, meta, margin={"l": 44, "r": 12, "t": 4, "b": 26, "pad": 0})
    ticks = {"tickfont": {"size": LABEL, "color": token["ink2"]}, "tickvals": [], "ticktext": [], "range": [-0.5, 0.5]}
    layout |= {"xaxis": axis(token, **ticks), "yaxis": axis(token, **ticks)}
    return {"data": [cells_trace(zmin=0, zmax=1, xgap=2, ygap=2, colorscale=scale)], "layout": layout, "config": config()}


def lines_figure(theme: str = "light") -> dict:
    """Return a line for each of the second axis' values, over the first's, of the same quantity; the script makes the lines."""
    token = COLOURS[theme]
    line = {"type": "scatter", "mode": "lines+markers", "meta": "line", "name": "", "x": [], "y": [], "connectgaps": False}
    line |= {"line": {"color": token["ink"], "width": 2}, "marker": {"size": 6, "color": token["ink"]}, "cliponaxis": False}
    meta = {
        "kind": "lines",
        "height": 200,
        "title": "A sweep's lines",
        "axes": {"x": "first field", "y": "the quantity"},
        "legend": [("line", "line", "one value of the second field")],
    }
    layout = base_layout(theme, meta, margin={"l": 44, "r": 12, "t": 10, "b": 26, "pad": 0})
    ticks = {"tickvals": [], "ticktext": []}
    layout |= {
        "height": meta["height"],
        "xaxis": axis(token, range=[-0.5, 0.5], **ticks),
        "yaxis": axis(token, range=[0, 1], showgrid=True, **ticks),
    }
    return {"data": [line], "layout": layout, "config": config()}
