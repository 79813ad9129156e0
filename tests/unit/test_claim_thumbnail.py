"""A claim's small picture: what of its rows is drawn."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from skipviz.drawing.claim_thumbnail import claim_thumbnail


def signs(svg: str, css: str) -> list:
    return [node for node in ElementTree.fromstring(svg).iter() if node.get("class") == css]


def row(x, measured=None, series="a", **more):
    return {"x": x, "series": series, **({} if measured is None else {"measured": measured}), **more}


def test_each_series_is_a_line_over_what_is_predicted_and_its_band():
    rows = [row(k, 2.0**-k, predicted=2.0**-k, low=0.0, high=1.0) for k in range(5)] + [row(k, 1.0, "b") for k in range(5)]
    svg = claim_thumbnail("line", True, rows)
    assert len(signs(svg, "measured")) == 2
    assert len(signs(svg, "predicted")) == len(signs(svg, "band")) == 1
    assert len(signs(svg, "point")) == 10
    numbers = [
        float(number) for number in re.findall(r"[MLHV ]([\d.]+)", "".join(node.get("d") for node in signs(svg, "measured")))
    ]
    assert 0 <= min(numbers) <= max(numbers) <= 280


def test_without_a_measurement_only_the_prediction_is_drawn():
    svg = claim_thumbnail("line", False, [row(k, predicted=float(k)) for k in range(3)])
    assert (len(signs(svg, "predicted")), len(signs(svg, "measured"))) == (1, 0)
    assert claim_thumbnail("line", False, []).startswith("<svg")


def test_zeros_have_no_place_on_a_logarithmic_axis():
    svg = claim_thumbnail("line", True, [row(0, 0.0), row(1, 1.0), row(2, 10.0)])
    assert len(signs(svg, "point")) == 2


def test_bars_stand_beside_each_other_and_are_as_high_as_their_numbers():
    rows = [row(x, value, series) for x, value in (("one", 1.0), ("two", 0.5)) for series in ("a", "b")]
    bars = signs(claim_thumbnail("bars", False, rows), "bar")
    assert len(bars) == 4
    heights = [float(bar.get("height")) for bar in bars]
    assert heights == pytest.approx([120, 60, 120, 60])
    places = sorted((float(bar.get("x")), float(bar.get("width"))) for bar in bars)
    assert all(left + width <= next_left for (left, width), (next_left, _) in pairwise(places))


def test_a_surface_is_a_field_of_squares_the_higher_the_darker():
    rows = [row(x, float(x + y), y=y) for x in range(3) for y in range(3)]
    squares = signs(claim_thumbnail("surface", False, rows), "square")
    opacity = [float(square.get("fill-opacity")) for square in squares]
    assert len(squares) == 9
    assert opacity[0] == min(opacity)
    assert opacity[-1] == max(opacity) == 1
