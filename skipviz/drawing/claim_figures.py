"""A claim's picture as a template, as `figures` has those of runs. Plain dicts; the page's script gives it the rows."""

from __future__ import annotations

from .colours import COLOURS, SERIES
from .figure_parts import LABEL, axis, base_layout, config

SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star", "hexagon", "triangle-down", "pentagon", "bowtie")
"""By series, so that nothing hangs on colour alone."""


def claim_figure(theme: str = "light") -> dict:
    """Return a claim's picture: what was measured as points on a line, what is predicted dashed, the band shaded.

    `data` are the signs of one series, by role in `meta`; the script makes them for every series in `layout.meta.series`' colours.
    """
    token = COLOURS[theme]
    line = {"type": "scatter", "mode": "lines", "name": "", "x": [], "y": [], "connectgaps": False, "hoverinfo": "skip"}
    hover = {"hovertemplate": "%{fullData.name}<br>%{x}: %{y:.3g}<extra></extra>", "hoverinfo": "all"}
    bar = {"type": "bar", "name": "", "x": [], "y": [], "text": [], "marker": {"line": {"width": 0}}, "cliponaxis": False}
    data = [
        {**line, "meta": "band", "line": {"width": 0}, "fill": "toself", "opacity": 0.16},
        {**line, "meta": "predicted", "line": {"width": 1.75, "dash": "5px,4px"}},
        {**line, **hover, "meta": "measured", "mode": "lines+markers", "line": {"width": 1.25}, "marker": {"size": 6}},
        {**bar, **hover, "meta": "bars", "textposition": "outside", "textfont": {"size": LABEL, "color": token["ink2"]}},
        {"type": "surface", "meta": "surface", "name": "", "x": [], "y": [], "z": [], "showscale": False, "hoverinfo": "x+y+z"},
    ]
    meta = {
        "kind": "claim",
        "title": "A claim",
        "height": 420,
        "surface_height": 480,
        "series": list(SERIES[theme]),
        "symbols": list(SYMBOLS),
        "axes": {"x": "the claim's own", "y": "the claim's own"},
        "legend": [
            *((role, "dot", "measured") for role in ("measured", "bars", "surface")),
            ("predicted", "line", "dashed: predicted"),
            ("band", "ramp", "where it is expected"),
        ],
    }
    layout = base_layout(theme, meta, margin={"l": 64, "r": 16, "t": 12, "b": 48, "pad": 0})
    tip = layout["meta"]["tokens"]
    words = {"font": {"size": LABEL, "color": token["ink2"]}, "standoff": 8}
    both = axis(token, showgrid=True, tickfont={"size": LABEL, "color": token["ink2"]}, exponentformat="power", title=words)
    layout |= {
        "height": meta["height"],
        "hovermode": "closest",
        "hoverlabel": {"bgcolor": tip["tip"], "font": {"color": tip["tip_ink"], "size": LABEL}},
        "barmode": "overlay",
        "xaxis": both,
        "yaxis": both,
    }
    return {"data": data, "layout": layout, "config": config() | {"staticPlot": False, "scrollZoom": False}}
