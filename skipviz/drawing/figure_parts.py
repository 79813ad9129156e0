"""What the plotly figures are made of: lines, axes, layouts. Imports the standard library only."""

from __future__ import annotations

from copy import deepcopy

from .colours import COLOURS, ramp

FONT = '"Source Sans", "Source Sans 3", "Source Sans Pro", sans-serif'
TICK, LABEL = 11, 12
"""Sizes of type in px."""

TIME_MARGIN = {"left": 38, "right": 20}
"""px beside the plots whose columns are time; the timeline above them keeps the same."""

TIME_LEGEND = (("events", "line", "an event"), ("cursor", "line", "the step shown"))

_TIP = {"light": {"tip": "#16161D", "tip_ink": "#FFFFFF"}, "dark": {"tip": "#3A3A48", "tip_ink": "#EDEDF4"}}


def history_line(token: dict, role: str, name: str, colour: str, width: float, dash: str = "solid", **more) -> dict:
    """Return a line of the run's history."""
    style = {"color": token[colour], "width": width, "dash": dash}
    return {"type": "scatter", "mode": "lines", "meta": role, "name": name, "x": [], "y": [], "line": style, **more}


def band_trace(token: dict, role: str, name: str, colour: str) -> dict:
    """Return the area between the 10 % and the 90 % quantile of several seeds, at 18 % of its line's colour."""
    red, green, blue = (int(token[colour][place : place + 2], 16) for place in (1, 3, 5))
    fill = {"fill": "toself", "fillcolor": f"rgba({red},{green},{blue},0.18)"}
    return history_line(token, f"{role} band", f"{name}, 10–90 % of the seeds", colour, 0, **fill)


def cells_trace(**options) -> dict:
    """Return a heatmap whose cells the script fills in."""
    return {"type": "heatmap", "meta": "cells", "z": [], "zsmooth": False, "showscale": False, "hoverinfo": "skip", **options}


def time_traces(token: dict) -> list[dict]:
    """Return the stems of events and the line at the step that is shown."""
    line = {"type": "scatter", "mode": "lines", "x": [], "y": [], "hoverinfo": "skip"}
    return [
        {**line, "name": "events", "meta": "events", "line": {"color": token["ink"], "width": 1.25, "dash": "2px,2px"}},
        {**line, "name": "step shown", "meta": "cursor", "line": {"color": token["accent"], "width": 2}, "cliponaxis": False},
    ]


def points_trace(role: str, name: str, colour: str) -> dict:
    """Return markers."""
    trace = {"type": "scatter", "mode": "markers", "meta": role, "name": name, "x": [], "y": [], "cliponaxis": False}
    return {**trace, "marker": {"color": colour}}


def time_sides() -> dict[str, int]:
    """Return the side margins of plots whose columns are time."""
    return {"l": TIME_MARGIN["left"], "r": TIME_MARGIN["right"]}


def base_layout(theme: str, meta: dict, margin: dict) -> dict:
    """Return what every figure's layout has: an empty template of its own, so that no host's default shows through."""
    token = COLOURS[theme]
    tokens = {name: token[name] for name in token} | _TIP[theme]
    return {
        "template": {"layout": {}, "data": {}},
        "meta": {**meta, "theme": theme, "font": FONT, "tokens": tokens, "skip_ramp_end": ramp("skip", theme)[-1]},
        "margin": margin,
        "autosize": False,
        "font": {"family": FONT, "size": TICK, "color": token["ink2"]},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": False,
        "hovermode": False,
        "dragmode": False,
    }


def axis(token: dict, **changes) -> dict:
    """Return a linear axis that nobody moves, with `changes`."""
    axis = {
        "type": "linear",
        "fixedrange": True,
        "zeroline": False,
        "showgrid": False,
        "showline": False,
        "ticks": "",
        "tickfont": {"size": TICK, "color": token["ink2"]},
        "tickangle": 0,
        "ticklabeloverflow": "allow",
        "automargin": False,
        "gridcolor": token["line"],
        "gridwidth": 1,
    }
    return {**axis, **deepcopy(changes)}


def halo(colour: str) -> str:
    """Return a shadow that keeps words apart from what they stand on."""
    return ", ".join(f"{x}px {y}px 2px {colour}" for x in (-1, 1) for y in (-1, 1))


def config() -> dict:
    """Return plotly's settings: nothing is dragged, no tools."""
    return {"staticPlot": True, "displayModeBar": False, "responsive": False}


def rows_layout(theme: str, meta: dict) -> dict:
    """Return the layout of bars on a diagram's own rows: y is its px, downwards, without a margin above."""
    layout = base_layout(theme, meta, margin={"l": 16, "r": 16, "t": 0, "b": 24, "pad": 0})
    return layout | {
        "barmode": "overlay",
        "bargap": 0,
        "yaxis": {"visible": False, "fixedrange": True, "range": [1, 0], "zeroline": False},
        "xaxis": axis(COLOURS[theme], showgrid=True, anchor="y"),
        "shapes": [],
    }
