"""Sides and lanes of skips, on the book's figure and on arbitrary patterns."""

import time
from collections import defaultdict
from itertools import combinations, islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skipviz.drawing.fold import boxes
from skipviz.drawing.lanes import Span, assign
from skipviz.drawing.rows import plan
from skipviz.tasks.presets import figure_unit

spans = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 40)).map(lambda pair: Span(pair[0], pair[0] + pair[1])), min_size=1, max_size=40
)


def lanes_of(panel):
    table = plan(figure_unit(panel), boxes(figure_unit(panel)))
    places = assign([link.span for link in table.links])
    skips = [table.network.skips[link.skips[0]] for link in table.links]
    return {(skip.source, skip.target): (lane.side, lane.index) for skip, lane in zip(skips, places, strict=True)}


@pytest.mark.parametrize(
    ("panel", "expected"),
    [
        ("left", {(1, 3): ("right", 0), (1, 6): ("left", 1), (4, 5): ("left", 0), (5, 7): ("right", 0)}),
        ("center", {(1, 5): ("left", 1), (2, 4): ("left", 0)}),
        ("right", {(0, 2): ("left", 0), (2, 4): ("left", 0)}),
    ],
)
def test_a_panel_of_figure_4_9_has_the_books_sides_and_nesting(panel, expected):
    assert lanes_of(panel) == expected


@given(spans)
def test_two_skips_in_one_lane_never_touch(given_spans):
    lanes = assign(given_spans)
    for (a, lane_a), (b, lane_b) in combinations(zip(given_spans, lanes, strict=True), 2):
        assert lane_a != lane_b or not a.touches(b)


@given(spans)
def test_a_skip_runs_outside_every_shorter_one_that_it_contains(given_spans):
    lanes = assign(given_spans)
    for (a, lane_a), (b, lane_b) in combinations(zip(given_spans, lanes, strict=True), 2):
        if lane_a.side == lane_b.side and a.length != b.length:
            if a.contains(b):
                assert lane_a.index > lane_b.index
            elif b.contains(a):
                assert lane_b.index > lane_a.index


def test_two_skips_that_interleave_run_on_two_sides():
    first, second = assign([Span(0, 10), Span(5, 15)])
    assert {first.side, second.side} == {"left", "right"}


@given(spans, st.integers(0, 90))
def test_a_skip_that_passes_a_collapsed_group_leaves_it_the_innermost_lane(given_spans, place):
    group = Span(place + 0.5, place + 0.5)
    for span, lane in zip(given_spans, assign(given_spans, [group]), strict=True):
        assert lane.index > 0 or not span.touches(group)


def test_a_crowd_of_skips_is_laid_out_at_once_and_two_in_one_lane_never_touch():
    spans = [Span(low, high) for low, high in islice(combinations(range(200), 2), 0, 18_000, 3)]
    began = time.process_time()
    lanes = assign(spans, [Span(5, 5)])
    assert time.process_time() - began < 3, "minutes and gigabytes where each is weighed against every other"
    rows = defaultdict(list)
    for span, lane in zip(spans, lanes, strict=True):
        rows[lane.side, lane.index].append((span.low, span.high))
    for row in rows.values():
        row.sort()
        assert all(one[1] < other[0] for one, other in pairwise(row))
    assert {side for side, _ in rows} == {"left", "right"}
    assert min(index for _, index in rows) == 1, "lane 0 is the collapsed group's"
