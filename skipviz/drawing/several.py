"""The plotly figures of several networks or runs. Imports the standard library only."""

from __future__ import annotations

from .colours import COLOURS, VARIANTS
from .figure_parts import (
    FONT,
    LABEL,
    TIME_LEGEND,
    axis,
    band_trace,
    base_layout,
    config,
    halo,
    history_line,
    rows_layout,
    time_sides,
    time_traces,
)
from .figures import loss_figure, rows_figure

DASHES = ("solid", "7px,3px", "2px,2px", "8px,3px,2px,3px")
"""Of the variants' lines: what tells them apart without colours."""


def twin_figure(theme: str = "light") -> dict:
    """Return the loss figure of a network and of its twin without skips, whose line is thin."""
    token = COLOURS[theme]
    figure = loss_figure(theme)
    thin = history_line(token, "smooth 1", "loss, smoothed, of the twin without skips", "ink2", 1)
    kept = [trace for trace in figure["data"] if trace["meta"] in ("smooth", "over", "events", "cursor")]
    legend = [
        ("smooth", "line", "loss, smoothed"),
        ("smooth 1", "line", thin["name"]),
        ("over", "mark", "above the axis"),
        *TIME_LEGEND,
    ]
    meta = {**figure["layout"]["meta"], "height": 84, "title": "Loss", "axes": {"x": "step", "y": "loss"}, "legend": legend}
    return {**figure, "data": [thin, *kept], "layout": {**figure["layout"], "height": 84, "meta": meta}}


def columns_figure(theme: str = "light") -> dict:
    """Return the bars of up to four networks on the rows of their diagrams, with the columns of `rows_figure` beside them.

    x is log₁₀ of a gradient above the axis' low end: of two networks the first one's to the left of a spine, the second one's to
    its right, else all to the right, a row's bars one above the other.
    """
    token = COLOURS[theme]
    bars = {"type": "bar", "orientation": "h", "cliponaxis": False, "y": [], "x": [], "base": [], "width": []}
    line = {"type": "scatter", "mode": "lines", "x": [], "y": [], "cliponaxis": False}
    dots = {"mode": "markers", "marker": {"opacity": 1, "line": {"width": 0}}}
    data = []
    for index, name in enumerate(VARIANTS):
        colour = token[f"variant-{name}"]
        outlined = {"line": {"width": 1.25, "color": colour}}
        dashed = {"color": colour, "width": 1.5, "dash": "6px,3px"}
        data += [
            {**bars, "name": name, "meta": f"bars {index}", "marker": outlined},
            {**bars, "name": f"share {name}", "meta": f"share {index}", "xaxis": "x2", "marker": outlined},
            {**line, **dots, "name": f"update {name}", "meta": f"update {index}", "xaxis": "x3"},
            {**line, "name": f"theory {name}", "meta": f"theory {index}", "line": dashed},
        ]
    thin = {**line, "line": {"color": token["ink2"], "width": 1}}
    data.append({**thin, "name": "10–90 % of the seeds", "meta": "whiskers"})
    data.append({**thin, "name": "smallest to largest", "meta": "update-range", "xaxis": "x3"})
    text = {"size": LABEL, "color": token["ink2"], "family": FONT, "shadow": halo(token["card"])}
    data.append({"type": "scatter", "mode": "text", "name": "numbers", "meta": "numbers", "x": [], "y": [], "text": [],
                 "textfont": text, "cliponaxis": False})  # fmt: skip
    rows = rows_figure(theme, columns=("share", "update"))["layout"]
    meta = {name: rows["meta"][name] for name in ("low", "high", "deep_from", "axis", "bleed", "bars_least", "columns")}
    meta |= {"kind": "columns", "page": "lab", "numbers": 0}
    meta |= {"gaps": {"share": 18, "update": 18}, "widths": {"share": 62, "update": 66}}
    said_of_each = [
        ("bars", "ramp", ""),
        ("theory", "line", ": predicted at initialisation"),
        ("share", "ramp", ": share at fork, skip (red, left) and trunk (blue)"),
        ("update", "dot", ": update ÷ weight; dashed: 10⁻³"),
    ]
    meta |= {
        "title": "Gradient per layer, side by side",
        "axes": rows["meta"]["axes"],
        "legend": [
            *(
                (f"{role} {index}", sign, f"{name}{said}")
                for role, sign, said in said_of_each
                for index, name in enumerate(VARIANTS)
            ),
            ("whiskers", "line", "10–90 % of the seeds"),
        ],
    }
    layout = rows_layout(theme, meta) | {axis: rows[axis] for axis in ("xaxis2", "xaxis3")}
    return {"data": data, "layout": layout, "config": config()}


def losses_figure(theme: str = "light") -> dict:
    """Return the smoothed losses of up to four networks by step, with the heatmap's margins."""
    figure = _curves(theme, "smooth", "loss, smoothed")
    token, meta = COLOURS[theme], figure["layout"]["meta"]
    held_out = [
        history_line(token, "held-out loss" + (f" {index}" if index else ""), f"loss, held out, {name}", f"variant-{name}", 1, dash)
        for index, (name, dash) in enumerate(zip(VARIANTS, DASHES, strict=True))
    ]
    figure["data"][:0] = held_out
    legend = [*((trace["meta"], "line", trace["name"]) for trace in held_out), *meta["legend"]]
    meta |= {"title": "Losses", "axes": {"x": "step", "y": "loss"}, "ceilings": [1, 2, 3, 5, 10], "legend": legend}
    return figure


def metrics_figure(theme: str = "light") -> dict:
    """Return the held-out metrics of up to four networks by step, with the heatmap's margins."""
    figure = _curves(theme, "held-out", "metric, held out")
    figure["layout"]["meta"] |= {"title": "Held-out metrics", "axes": {"x": "step", "y": "metric 0…1"}, "ceilings": [1]}
    return figure


def _curves(theme: str, role: str, words: str) -> dict:
    token = COLOURS[theme]
    lines = [
        history_line(token, role + (f" {index}" if index else ""), f"{words}, {name}", f"variant-{name}", 2, dash=dash)
        for index, (name, dash) in enumerate(zip(VARIANTS, DASHES, strict=True))
    ]
    bands = [band_trace(token, line["meta"], line["name"], f"variant-{name}") for line, name in zip(lines, VARIANTS, strict=True)]
    meta = {"kind": "loss", "height": 104, "metric": "accuracy", "half_life": 6}
    meta["legend"] = [*((trace["meta"], "line", trace["name"]) for trace in (*lines, *bands)), *TIME_LEGEND]
    layout = base_layout(theme, meta, margin={**time_sides(), "t": 8, "b": 20, "pad": 0})
    layout |= {
        "height": meta["height"],
        "xaxis": axis(token, range=[0, 1]),
        "yaxis": axis(token, range=[0, 1], showgrid=True, tickvals=[0, 0.5, 1]),
    }
    return {"data": [*bands, *reversed(lines), *time_traces(token)], "layout": layout, "config": config()}
