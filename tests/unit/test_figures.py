"""The plotly templates: valid for plotly's own classes, fixed in range, and free of anyone's defaults."""

import json
import subprocess
import sys

import numpy as np
import pytest

from skipviz.drawing import claim_figures, colours, figures, page_figures
from skipviz.tasks.own import MOST_MASK_CLASSES

PAGES = ("lab", "figure", "compare", "sweep", "evidence")
EVERY = [(page, name, theme) for page in PAGES for name in page_figures.figures(page) for theme in colours.THEMES]


def figure_of(page, name, theme):
    return page_figures.figures(page)[name][theme]


@pytest.mark.parametrize(("page", "name", "theme"), EVERY)
def test_a_figure_is_valid_for_plotly(page, name, theme):
    import plotly.graph_objects as go

    figure = figure_of(page, name, theme)
    go.Figure(data=figure["data"], layout=figure["layout"])


@pytest.mark.parametrize(("page", "name", "theme"), EVERY)
def test_a_figure_travels_as_json(page, name, theme):
    figure = figure_of(page, name, theme)
    assert len(json.dumps(figure, allow_nan=False)) < 8000


@pytest.mark.parametrize(("page", "name", "theme"), EVERY)
def test_a_figure_brings_its_own_template(page, name, theme):
    assert figure_of(page, name, theme)["layout"]["template"] == {"layout": {}, "data": {}}


@pytest.mark.parametrize(("page", "name", "theme"), EVERY)
def test_every_trace_says_what_it_is_once(page, name, theme):
    roles = [trace["meta"] for trace in figure_of(page, name, theme)["data"]]
    assert len(roles) == len(set(roles))


def test_rows_have_no_margin_above_that_would_shift_bars_from_boxes():
    assert figures.rows_figure()["layout"]["margin"]["t"] == 0


def test_the_figure_page_has_bars_only():
    assert figures.rows_figure("light", "figure")["layout"]["meta"]["columns"] == ("bars",)


def test_columns_can_be_left_out():
    layout = figures.rows_figure("light", "lab", ("bars", "share"))["layout"]
    assert "xaxis2" in layout
    assert "xaxis3" not in layout


def test_plots_whose_columns_are_time_share_their_margins():
    margins = [figure["layout"]["margin"] for figure in (figures.heatmap_figure(), figures.loss_figure())]
    assert [(margin["l"], margin["r"]) for margin in margins] == [(38, 20), (38, 20)]


def test_the_heatmap_takes_the_bars_colours():
    scale = figures.heatmap_figure("light")["data"][0]["colorscale"]
    assert scale[-1] == [1.0, colours.ramp("bars", "light")[-1]]
    assert scale[2][1] == colours.ramp_colour("bars", 0.22)


def test_the_map_of_strengths_is_palest_at_zero_and_red_above():
    for theme in colours.THEMES:
        scale = figures.strengths_figure(theme)["data"][0]["colorscale"]
        assert [scale[0][1], scale[-1][1]] == [colours.ramp("trunk", theme)[-1], colours.ramp("skip", theme)[-1]]
        middle = [colour for place, colour in scale if abs(place - 0.5) < 0.05]
        assert middle == [colours.ramp("trunk", theme)[0], colours.ramp("skip", theme)[0]]


def test_the_metric_is_named_in_the_loss_plot():
    names = [trace["name"] for trace in figures.loss_figure("light", "iou")["data"]]
    assert "iou, held out" in names


def test_figures_need_no_plotly_in_the_server():
    code = "import sys, skipviz.drawing.page_figures as f; f.figures(); sys.exit('plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("theme", colours.THEMES)
def test_classes_of_pixels_have_colours_apart_for_every_eye_and_none_is_red(theme):
    """Machado et al. 2009: what protanopes and deuteranopes see of linear red, green and blue."""
    seen = {
        "all": np.eye(3),
        "protanope": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
        "deuteranope": [[0.367, 0.861, -0.228], [0.28, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    }
    palette = colours.PIXEL_CLASSES[theme]
    assert len(palette) == len(set(palette)) == MOST_MASK_CLASSES
    linear = np.array([[colours._linear(part) for part in colours._channels(colour)] for colour in palette])
    for eye in seen.values():
        parts = np.clip(linear @ np.array(eye).T, 0, 1)
        shown = np.array(
            [colours._oklab("#" + "".join(f"{round(255 * colours._gamma(part)):02X}" for part in one)) for one in parts]
        )
        apart = np.linalg.norm(shown[:, None] - shown[None], axis=-1) + np.eye(len(palette))
        assert apart.min() > 0.06
        assert apart[:8, :8].min() > 0.1
    for colour in palette:
        _, a, b = colours._oklab(colour)
        assert np.hypot(a, b) < 0.05 or not -25 < np.degrees(np.arctan2(b, a)) < 48


@pytest.mark.parametrize("theme", colours.THEMES)
def test_series_have_colours_apart_from_the_card_and_none_is_red(theme):
    for colour in colours.SERIES[theme]:
        assert colours.contrast(colour, colours.COLOURS[theme]["card"]) >= 3
        _, a, b = colours._oklab(colour)
        assert np.hypot(a, b) < 0.05 or not -25 < np.degrees(np.arctan2(b, a)) < 48
    assert len(set(colours.SERIES[theme])) == len(claim_figures.SYMBOLS)


@pytest.mark.parametrize(("page", "name", "theme"), EVERY)
def test_a_figure_says_what_an_exported_picture_has_around_it(page, name, theme):
    figure = figure_of(page, name, theme)
    meta = figure["layout"]["meta"]
    assert meta["axes"]["x"]
    assert meta["axes"]["y"]
    if name == "picture":  # what stands beside it names it and its marks
        return
    assert meta["title"]
    roles = [role for role, _, words in meta["legend"] if words]
    unnamed = {"baseline-edge", "before-edge", "numbers", "scale", "update-range"}
    drawn = {trace["meta"] for trace in figure["data"]} - unnamed
    assert drawn <= set(roles)
    assert {axis for axis in meta["axes"] if axis != "y"} >= {trace.get("xaxis", "x") for trace in figure["data"]}
