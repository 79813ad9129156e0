"""The plotly figures as templates: styles, axes and fixed ranges; the page's script feeds them numbers.

Plain dicts, because importing plotly costs the server 27 MB; the tests validate every one with plotly's own classes.
Colours come from `colours`, sizes that the script needs stand in `layout.meta`, and what an exported picture says around the plot:
`title`, `axes` (a name with its unit for each axis) and `legend` (a trace's role, the sign for it, what it means). Imports the
standard library only.
"""

from __future__ import annotations

from .colours import COLOURS, PIXEL_CLASSES, RAMP_LENGTH, ramp
from .figure_parts import (
    FONT,
    LABEL,
    TICK,
    TIME_LEGEND,
    axis,
    band_trace,
    base_layout,
    cells_trace,
    config,
    halo,
    history_line,
    points_trace,
    rows_layout,
    time_sides,
    time_traces,
)

ROW_COLUMNS = ("bars", "share", "update")

_FIELD = {"light": ("#F1C27D", "#E9ECE1", "#7ECBC4"), "dark": ("#6A4A1B", "#23252B", "#1E5F5B")}
"""The decision boundary's soft colours: surely class 0, undecided, surely class 1."""


def rows_figure(theme: str = "light", page: str = "lab", columns: tuple[str, ...] = ROW_COLUMNS) -> dict:
    """Return the figure beside the diagram: one y axis in the diagram's px, an x axis each for what `columns` names.

    bars: log₁₀ of a gradient, 10⁻¹²…10 (10⁻⁷…10 on the Figure page and from 100 layers on); share: 0…1 at a fork;
    update: log₁₀ of ‖Δθ‖/‖θ‖, 10⁻⁶…1. Side by side, a deep network's bars have a shallow one's
    axis. Logarithms are taken by the script, so that bars have a foot and 0 a place.
    """
    token = COLOURS[theme]
    columns = tuple(column for column in ROW_COLUMNS if column in columns and (page == "lab" or column == "bars"))
    meta = {
        "kind": "rows",
        "page": page,
        "columns": columns,
        "low": {"shallow": -7 if page == "figure" else -12, "deep": -12 if page == "compare" else -7},
        "high": 1,
        "deep_from": 100,
        "numbers": 56 if page == "figure" else 50,
        "gaps": {"share": 30, "update": 20},
        "widths": {"share": 80, "update": 84},
        "bars_least": 110,
        "axis": 24,
        "bleed": 16,
        "title": "Gradient per layer",
        "axes": {"x": "‖∂L/∂θₖ‖, L2 norm", "x2": "share at fork", "x3": "‖Δθ‖ ÷ ‖θ‖", "y": "layer, the input at the bottom"},
        "legend": _row_legend("the twin without skips" if page == "figure" else "the same weights, all skips off"),
    }
    layout = rows_layout(theme, meta)
    if "share" in columns:
        layout["xaxis2"] = axis(token, showgrid=True, anchor="y", range=[0, 1], tickvals=[0, 0.5, 1], ticktext=["0", "50", "100 %"])
    if "update" in columns:
        ticks = {"tickvals": [-5, -3, -1], "ticktext": ["10⁻⁵", "10⁻³", "0.1"]}
        layout["xaxis3"] = axis(token, showgrid=True, anchor="y", range=[-6, 0], **ticks)
    hollow = "twin without skips" if page == "figure" else "same weights, skips off"
    return {"data": _row_traces(token, columns, hollow), "layout": layout, "config": config()}


def _row_legend(hollow: str) -> list[tuple[str, str, str]]:
    return [
        ("bars", "ramp", "gradient, darker where larger"),
        ("baseline", "hollow", f"hollow: {hollow}"),
        ("theory", "line", "predicted at initialisation"),
        ("before", "tick", "just before the last event"),
        ("envelope", "ramp", "smallest to largest of a block"),
        ("whiskers", "line", "smallest to largest, of one layer 10–90 % of the seeds"),
        ("median", "line", "median"),
        ("share", "ramp", "share at fork: skip (red, left), trunk (blue)"),
        ("update", "dot", "update ÷ weight; dashed: 10⁻³"),
    ]


def _row_traces(token: dict, columns: tuple[str, ...], hollow: str) -> list[dict]:
    """Return the traces; `hollow` is whose gradient the hollow bars are."""
    bars = {"type": "bar", "orientation": "h", "cliponaxis": False, "y": [], "x": [], "base": [], "width": []}
    line = {"type": "scatter", "mode": "lines", "x": [], "y": [], "cliponaxis": False}
    traces = [
        {**bars, "name": "gradient", "meta": "bars", "marker": {"line": {"width": 0}}},
        {
            **line,
            "name": "smallest to largest",
            "meta": "envelope",
            "fill": "toself",
            "fillcolor": token["line"],
            "line": {"width": 0},
        },
        {**line, "name": "smallest to largest", "meta": "whiskers", "line": {"color": token["ink2"], "width": 1.25}},
        {**line, "name": "median", "meta": "median", "line": {"color": token["ink"], "width": 1.25, "dash": "3px,2px"}},
        {**line, "name": "", "meta": "baseline-edge", "line": {"color": token["card"], "width": 3.5}},
        {**line, "name": hollow, "meta": "baseline", "line": {"color": token["ink2"], "width": 1.25}},
        {**line, "name": "theory", "meta": "theory", "line": {"color": token["ink"], "width": 1.5, "dash": "6px,3px"}},
        {**line, "name": "", "meta": "before-edge", "line": {"color": token["card"], "width": 3.5}},
        {**line, "name": "before the last event", "meta": "before", "line": {"color": token["ink3"], "width": 1.5}},
        {
            **{**line, "mode": "text"},
            "name": "numbers",
            "meta": "numbers",
            "text": [],
            "textfont": {"size": LABEL, "color": token["ink2"], "family": FONT, "shadow": halo(token["card"])},
        },
    ]
    if "share" in columns:
        traces.append({**bars, "name": "energy share", "meta": "share", "xaxis": "x2", "marker": {"line": {"width": 0}}})
    if "update" in columns:
        ranges = {**line, "name": "range", "meta": "update-range", "xaxis": "x3", "line": {"color": token["accent"], "width": 1}}
        dots = {**line, "name": "update ÷ weight", "meta": "update", "xaxis": "x3"}
        traces += [
            ranges,
            {**dots, "mode": "markers", "marker": {"size": [], "symbol": [], "color": [], "opacity": 1, "line": {"width": 0}}},
        ]
    return traces


def heatmap_figure(theme: str = "light") -> dict:
    """Return the heatmap layer × step: columns are time from 0 to the last step, colours are the bars'.

    A cell's z is its place 0…1 on the scale 10⁻⁷…10; −0.05 stands for exactly 0 and has the ramp's palest colour.
    """
    token = COLOURS[theme]
    bars = ramp("bars", theme)
    scale = [[0, bars[0]], [0.02, bars[0]]]
    for place in range(17):
        scale.append([0.05 / 1.05 + place / 16 / 1.05, bars[round((len(bars) - 1) * (0.22 + 0.78 * place / 16))]])
    heatmap = cells_trace(zmin=-0.05, zmax=1, colorscale=scale)
    meta = {
        "kind": "heatmap",
        "height": 188,
        "tick_distance": 30,
        "title": "Gradient, layer × step",
        "axes": {"x": "step", "y": "layer"},
        "legend": [("cells", "ramp", "‖∂L/∂θₖ‖, L2 norm: 10⁻⁷ or less (pale) to 10 (dark), logarithmic"), *TIME_LEGEND],
    }
    layout = base_layout(theme, meta, margin={**time_sides(), "t": 6, "b": 22, "pad": 0})
    layout |= {
        "height": meta["height"],
        "xaxis": axis(token, range=[0, 1], ticks="outside", ticklen=4, tickcolor=token["ink3"]),
        "yaxis": axis(token, range=[0.5, 1.5], ticks="outside", ticklen=4, tickcolor=token["ink3"]),
    }
    return {"data": [heatmap, *time_traces(token)], "layout": layout, "config": config()}


def loss_figure(theme: str = "light", metric: str = "accuracy") -> dict:
    """Return loss and `metric` by step, with the heatmap's margins.

    One y axis, the loss's: the script stretches the metric's 0…1 over it and writes the metric's scale at the right.
    """
    token = COLOURS[theme]
    data = [
        band_trace(token, "held-out", f"{metric}, held out", "accuracy"),
        band_trace(token, "smooth", "loss, smoothed", "ink"),
        history_line(token, "metric", f"{metric}, batch", "accuracy", 1, opacity=0.4),
        history_line(token, "loss", "loss, batch", "ink3", 1, opacity=0.5),
        history_line(token, "held-out", f"{metric}, held out", "accuracy", 2),
        history_line(token, "held-out loss", "loss, held out", "ink", 1.5, "2px,2px"),
        history_line(token, "smooth", "loss, smoothed", "ink", 2),
        {
            **points_trace("over", "above the axis", token["over"]),
            "marker": {"symbol": "triangle-up", "size": 7, "color": token["over"]},
        },
        *time_traces(token),
        {
            **points_trace("scale", f"scale of {metric}", token["accuracy"]),
            "mode": "text",
            "text": [],
            "textposition": "middle left",
            "textfont": {"size": TICK, "color": token["accuracy"], "family": FONT, "shadow": halo(token["card"])},
        },
    ]
    meta = {"kind": "loss", "height": 118, "metric": metric, "ceilings": [1, 2, 3, 5, 10], "half_life": 6}
    meta |= {"title": "Loss and held-out metric", "axes": {"x": "step", "y": "loss; metric 0…1"}}
    lines = [
        (trace["meta"], "line", trace["name"])
        for trace in data
        if trace["mode"] == "lines" and trace["meta"] not in ("events", "cursor")
    ]
    meta["legend"] = [*lines, ("over", "mark", "loss above the axis"), *TIME_LEGEND]
    layout = base_layout(theme, meta, margin={**time_sides(), "t": 8, "b": 20, "pad": 0})
    layout |= {
        "height": meta["height"],
        "xaxis": axis(token, range=[0, 1]),
        "yaxis": axis(token, range=[0, 1], showgrid=True, tickvals=[0, 0.5, 1]),
    }
    return {"data": data, "layout": layout, "config": config()}


def total_figure(theme: str = "light") -> dict:
    """Return log₁₀ of the whole gradient's norm by step, with the loss's margins, and the norm at which it is clipped."""
    token = COLOURS[theme]
    data = [
        band_trace(token, "total", "whole gradient", "ink"),
        history_line(token, "threshold", "clipped at", "warning", 1.5, dash="6px,3px"),
        history_line(token, "total", "whole gradient, before clipping", "ink", 1.5),
        *time_traces(token),
    ]
    meta = {"kind": "total", "height": 76, "title": "Whole gradient", "axes": {"x": "step", "y": "L2 norm"}}
    meta["legend"] = [
        ("total", "line", "norm of the whole gradient, before clipping"),
        ("total band", "line", "its 10–90 % of the seeds"),
        ("threshold", "line", "clipped at"),
        *TIME_LEGEND,
    ]
    layout = base_layout(theme, meta, margin={**time_sides(), "t": 8, "b": 20, "pad": 0})
    layout |= {"height": 76, "xaxis": axis(token, range=[0, 1]), "yaxis": axis(token, range=[-1, 1], showgrid=True)}
    return {"data": data, "layout": layout, "config": config()}


def strengths_figure(theme: str = "light") -> dict:
    """Return the map of learned strengths: columns are states that skips leave, rows those that they join.

    The script sets the ends of the colours, as far from 0 below as above: blue is negative, red positive.
    """
    token = COLOURS[theme]
    ramps = (*reversed(ramp("trunk", theme)[:: RAMP_LENGTH // 8]), *ramp("skip", theme)[:: RAMP_LENGTH // 8])
    cells = cells_trace(xgap=1, ygap=1, colorscale=[[place / (len(ramps) - 1), colour] for place, colour in enumerate(ramps)])
    meta = {
        "kind": "strengths",
        "height": 188,
        "tick_distance": 30,
        "title": "Learned strengths, from × into",
        "axes": {"x": "from", "y": "into"},
        "legend": [("cells", "ramp", "learned strength of a skip: blue is negative, red positive")],
    }
    layout = base_layout(theme, meta, margin={**time_sides(), "t": 4, "b": 20, "pad": 0})
    layout |= {"height": meta["height"], "xaxis": axis(token, range=[0, 1]), "yaxis": axis(token, range=[0, 1])}
    return {"data": [cells], "layout": layout, "config": config()}


def picture_figure(theme: str = "light") -> dict:
    """Return the decision boundary's figure; digits and masks take only its colours (`layout.meta.tokens`)."""
    token = COLOURS[theme]
    field = {
        "type": "heatmap",
        "meta": "field",
        "z": [],
        "zmin": 0,
        "zmax": 1,
        "zsmooth": "fast",
        "showscale": False,
        "hoverinfo": "skip",
    }
    field["colorscale"] = [[place / 2, colour] for place, colour in enumerate(_FIELD[theme])]
    level = {
        "type": "contour",
        "meta": "level",
        "z": [],
        "showscale": False,
        "hoverinfo": "skip",
        "autocontour": False,
        "contours": {"start": 0.5, "end": 0.5, "size": 1, "coloring": "none", "showlabels": False},
        "line": {"color": token["ink"], "width": 1.75, "smoothing": 0.6},
    }
    points = {"type": "scatter", "mode": "markers", "x": [], "y": [], "hoverinfo": "skip"}
    data = [field, level]
    for name, symbol, size in (("class0", "circle", 6), ("class1", "diamond", 7)):
        for kind in ("held-out", "trained"):
            marker = {"symbol": symbol, "size": size, "color": token[name], "line": {"color": token["card"], "width": 0.75}}
            if kind == "held-out":
                marker |= {"symbol": f"{symbol}-open", "size": size - 1, "line": {"color": token[name], "width": 1}}
            data.append({**points, "name": f"{name}, {kind}", "meta": f"{name} {kind}", "marker": marker})
    meta = {"kind": "picture", "largest": 200, "classes": list(PIXEL_CLASSES[theme]), "axes": {"x": "x₁", "y": "x₂"}}
    layout = base_layout(theme, meta, margin={"l": 0, "r": 0, "t": 0, "b": 0, "pad": 0})
    hidden = {"visible": False, "fixedrange": True, "zeroline": False, "showgrid": False, "range": [-1, 1]}
    layout |= {"xaxis": dict(hidden), "yaxis": dict(hidden)}
    return {"data": data, "layout": layout, "config": config()}
