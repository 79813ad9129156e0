"""The U by scale: golden drawings, and what holds for any network that goes down in scale and up again.

`SKIPVIZ_RENEW_GOLDEN=1 pytest tests/unit/test_udiagram.py` writes the golden files anew; look at them before they are kept.
"""

import os
import re
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_unfolded import on_border, overlap

from skipviz.drawing import fold
from skipviz.drawing.diagram import draw
from skipviz.drawing.geometry import STYLES
from skipviz.drawing.rows import branch_ends, plan
from skipviz.drawing.udiagram import draw_u, has_u
from skipviz.drawing.ushape import lay_out_u, openable_in_u
from skipviz.network import Group, NetworkError, edit, families
from skipviz.network.groups import groups_of
from skipviz.tasks import presets

GOLDEN = Path(__file__).parent / "golden"
SVG = "{http://www.w3.org/2000/svg}"


def mixed():
    """Return a small U-Net with skips of every kind: straight, between scales, on one side, to the head, off, killed."""
    network = families.unet(2, 8, padded=True, input=(1, 32, 32), head=1)
    for source, target, merge in ((1, network.depth, "concat"), (3, 9, "concat"), (1, 9, "concat"), (6, 8, "add")):
        network = edit.add_skip(network, source, target, merge)
    network = edit.set_skip(network, network.skips[0].id, on=False, strength=0.5)
    return edit.set_layer(network, network.layers[3].id, gain=0.0)


DRAWINGS = {
    "u-shapes": lambda: draw_u(presets.get("unet-shapes").network),
    "u-2015": lambda: draw_u(families.unet()),
    "u-fcn-8s": lambda: draw_u(presets.get("fcn-8s").network),
    "u-figure-center": lambda: draw_u(presets.get("figure-4-9-center").network),
    "u-short-skips": lambda: draw_u(families.unet(3, 8, padded=True, merge="add", short_every=1, input=(1, 32, 32), head=1)),
    "u-gates": lambda: draw_u(families.unet(2, 4, padded=True, gates=True, input=(1, 32, 32), head=1), height=660),
    "u-plus-plus": lambda: draw_u(families.unet(3, 4, padded=True, nested=True, input=(1, 32, 32), head=1), height=660),
    "u-mixed-compact": lambda: draw_u(mixed(), compact=True),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_u_is_its_golden_one(name):
    svg = DRAWINGS[name]().svg.replace("><", ">\n<") + "\n"
    path = GOLDEN / f"{name}.svg"
    if os.environ.get("SKIPVIZ_RENEW_GOLDEN"):
        path.write_text(svg, encoding="utf-8")
    assert svg == path.read_text(encoding="utf-8")


def geometry_of(network, height=660.0):
    return lay_out_u(plan(network, fold.boxes(network)), groups_of(network).scales, STYLES["lab"], height)


@st.composite
def nets(draw_value):
    """U-Nets and FCNs of many sizes, with further skips between any two states."""
    if draw_value(st.booleans()):
        depth, short = draw_value(st.integers(1, 4)), draw_value(st.integers(0, 2))
        network = families.unet(
            depth, 2, convolutions=draw_value(st.integers(max(1, short), 4)), merge=draw_value(st.sampled_from(("add", "concat"))),
            padded=True, short_every=short, long=draw_value(st.booleans()), input=(1, 32, 32), head=1,
        )  # fmt: skip
    else:
        stages = ((2, draw_value(st.integers(1, 3))),) * draw_value(st.integers(3, 5))
        variant = draw_value(st.sampled_from(("32s", "16s", "8s")))
        network = families.fcn(variant, stages, 4, padded=True, input=(1, 32, 32), head=1)
    for _ in range(draw_value(st.integers(0, 5))):
        target = draw_value(st.integers(1, network.depth))
        merge = draw_value(st.sampled_from(("add", "concat", "gate")))
        try:
            network = edit.add_skip(network, draw_value(st.integers(0, target - 1)), target, merge)
        except NetworkError:
            continue
    return network


@settings(max_examples=50, deadline=None)
@given(nets())
def test_equal_scales_stand_on_one_level_and_the_edges_between_run_straight_across(network):
    g = geometry_of(network)
    bounds = [0.0, *g.edges, g.bottom]
    assert bounds == sorted(bounds)
    for index, (top, bottom) in enumerate(g.items):
        level = g.scales.levels[index]  # of the state that the box reads
        assert bounds[level] <= top
        assert bottom <= bounds[level + 1]
    for item, (top, bottom) in g.joints.items():
        level = g.scales.levels[item + 1]
        assert bounds[level] <= top
        assert bottom <= bounds[level + 1]


@settings(max_examples=50, deadline=None)
@given(nets())
def test_no_two_boxes_or_joints_overlap_and_all_stay_in_the_drawing(network):
    g = geometry_of(network)
    half = g.style.box_width / 2
    placed = [(g.trunk_at(k) - half, top, g.trunk_at(k) + half, bottom) for k, (top, bottom) in enumerate(g.items)]
    placed += [
        (g.trunk_at(k) - (bottom - top) / 2, top, g.trunk_at(k) + (bottom - top) / 2, bottom)
        for k, (top, bottom) in g.joints.items()
    ]
    for a, b in combinations(placed, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] + 0.01 or b[3] <= a[1] + 0.01
    for x0, y0, x1, y1 in placed:
        assert x0 >= 0
        assert x1 <= g.width
        assert y0 >= 0
        assert y1 <= g.height


@settings(max_examples=50, deadline=None)
@given(nets())
def test_lines_run_level_or_upright_and_pass_through_no_box(network):
    g = geometry_of(network)
    half = g.style.box_width / 2
    for points in g.paths:
        for (x0, y0), (x1, y1) in pairwise(points):
            assert abs(x0 - x1) < 1e-6 or abs(y0 - y1) < 1e-6
            for k, (top, bottom) in enumerate(g.items):
                left, right = g.trunk_at(k) - half + 0.01, g.trunk_at(k) + half - 0.01
                crosses = min(x0, x1) < right and max(x0, x1) > left and min(y0, y1) < bottom - 0.01 and max(y0, y1) > top + 0.01
                assert not crosses


@st.composite
def gated(draw_value):
    """Attention U-Nets and U-Nets++ with further skips between any two states, and which of their branches are open."""
    beside = draw_value(st.sampled_from(("gates", "nested")))
    depth, convolutions = draw_value(st.integers(1 if beside == "gates" else 2, 4)), draw_value(st.integers(1, 3))
    network = families.unet(depth, 4, convolutions, padded=True, input=(1, 32, 32), head=1, **{beside: True})
    for _ in range(draw_value(st.integers(0, 3))):
        target = draw_value(st.integers(1, network.depth))
        try:
            network = edit.add_skip(network, draw_value(st.integers(0, target - 1)), target, "concat")
        except NetworkError:
            continue
    return network, draw_value(st.sets(st.sampled_from(sorted(branch_ends(network)))))


@settings(max_examples=40, deadline=None)
@given(gated(), st.booleans())
def test_branches_open_between_both_ways_stand_apart_and_are_joined_by_lines_past_all_boxes(network_and_open, compact):
    network, opened = network_and_open
    style, found = STYLES["compact lab" if compact else "lab"], groups_of(network).scales
    can = openable_in_u(plan(network, fold.boxes(network), unfolded=branch_ends(network)), found, style)
    g = lay_out_u(plan(network, fold.boxes(network), unfolded=opened & can), found, style, 660.0, 40.0, compact)
    half = g.style.box_width / 2
    inside = {name: place for block in g.blocks for name, place in block.places.items()}
    assert inside.keys() == g.plan.beside
    boxes = [*inside.values(), *((g.trunk_at(k) - half, top, 2 * half, low - top) for k, (top, low) in enumerate(g.items))]
    for one, other in combinations([*boxes, *(block.frame for block in g.blocks)], 2):
        assert one in inside.values() or not overlap(one, other)
    for one, other in combinations(inside.values(), 2):
        assert not overlap(one, other)
    edges = {index: path for block in g.blocks for index, path in block.paths.items()}
    assert edges.keys() == {index for index, edge in enumerate(network.edges) if edge.target in inside}
    links = [g.paths[index] for index, link in enumerate(g.plan.links) if g.plan.is_unfolded(link)]
    for path in (*edges.values(), *links):
        for (x0, y0), (x1, y1) in pairwise(path):
            assert x0 == x1 or y0 == y1
            leg = (min(x0, x1), min(y0, y1), abs(x0 - x1), abs(y0 - y1))
            assert not [one for one in boxes if overlap(one, leg)]
    for index, path in edges.items():
        assert on_border(path[-1], inside[network.edges[index].target])
        if network.edges[index].source in inside:
            assert on_border(path[0], inside[network.edges[index].source])


def test_a_u_opens_what_changes_one_skip_where_there_is_room_and_what_is_asked_for():
    gates = families.unet(2, 4, padded=True, gates=True, input=(1, 32, 32), head=1)
    ends = [skip.via for skip in gates.skips]
    assert sorted(draw_u(gates, height=660).unfolded) == sorted(ends)
    assert draw_u(gates, height=660, unfolded=[]).unfolded == []
    assert draw_u(gates, height=660, unfolded=ends[:1]).unfolded == ends[:1]
    assert draw_u(gates, height=300).unfolded == []
    assert draw_u(gates, height=660, compact=True).unfolded == []


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_a_u_net_plus_plus_is_the_triangle_of_its_paper(depth):
    """Zhou et al. 2018, Figure 1: X^(i,j) stands between the ends of scale i, in column j."""
    network = families.unet(depth, 4, padded=True, nested=True, input=(1, 32, 32), head=1)
    style, found = STYLES["lab"], groups_of(network).scales
    g = lay_out_u(plan(network, fold.boxes(network), unfolded=branch_ends(network)), found, style, 660.0, 40.0)
    tops = [0.0, *g.edges, g.bottom]
    (block,) = g.blocks
    columns = sorted({left + width / 2 for left, _, width, _ in block.places.values()})
    for name, (left, top, width, height) in block.places.items():
        scale, column = map(int, name.removeprefix("nested").partition(".")[0].split("-"))
        assert tops[scale] < top < top + height < tops[scale + 1]
        assert left + width / 2 == columns[column - 1]
    assert len(columns) == depth - 1
    drawn = draw_u(network, height=660)
    assert bool(drawn.unfolded) == (depth < 4), "of four scales a page has no room unasked"
    assert draw_u(network, height=660, unfolded=[]).unfolded == []
    assert "data-branch" in draw_u(network, height=660, unfolded=[]).svg


@pytest.mark.parametrize("options", [{}, {"merge": "add", "padded": True}, {"depth": 2, "convolutions": 5, "padded": True}])
def test_every_long_skip_of_a_u_net_runs_straight_across_its_level(options):
    network = families.unet(width=4, **options)
    g = geometry_of(network)
    for index, link in enumerate(g.plan.links):
        skip = network.skips[link.skips[0]]
        (x0, y0), *_, (x1, y1) = g.paths[index]
        assert abs(y0 - y1) < 1e-6
        assert x0 < g.down + 2
        assert x1 > g.trunk - g.style.box_width
        bounds = [0.0, *g.edges, g.bottom]
        level = g.scales.levels[skip.source]
        assert bounds[level] < y0 < bounds[level + 1]


@settings(max_examples=30, deadline=None)
@given(nets())
def test_a_u_says_and_names_the_same_parts_as_the_column(network):
    u, column = draw_u(network), draw(network, folded=False)
    assert u.to_data().keys() == column.to_data().keys()
    for name in ("data-skip", "data-layer", "data-valve", "data-state"):
        parts = [
            sorted(str(node.get(name)) for node in ElementTree.fromstring(one.svg).iter() if node.get(name)) for one in (u, column)
        ]
        assert parts[0] == parts[1]
    drawn = [node.get("data-edge") for node in ElementTree.fromstring(u.svg).iter() if node.get("data-edge")]
    assert sorted(drawn) == sorted(edge["id"] for edge in u.edges)
    kinds = [{(edge["kind"], *edge["parts"]) for edge in one.edges if edge["kind"] != "state"} for one in (u, column)]
    assert kinds[0] == kinds[1]


def test_resolutions_are_written_at_each_level_and_on_both_sides_where_a_rim_was_lost():
    written = [re.findall(r'class="resolution[^>]*>([^<]+)<', make().svg) for make in (DRAWINGS["u-shapes"], DRAWINGS["u-2015"])]
    assert written[0] == ["32×32", "16×16", "8×8", "4×4"]
    assert written[1][:4] == ["572×572", "388×388", "284×284", "196×196"]


def test_written_groups_name_the_levels_whose_boxes_they_hold():
    network = families.unet(2, 4, padded=True, input=(1, 16, 16))
    ids = [layer.id for layer in network.layers]
    parts = {"inc": ids[:2], "down1": ids[2:5], "down2": ids[5:8], "up1": ids[8:11], "up2": ids[11:14]}
    named = network.replaced(groups=[Group(name=name, nodes=nodes) for name, nodes in parts.items()])
    written = [re.findall(rf'class="resolution {side}[^>]*>([^<]+)<', draw_u(named, height=660).svg) for side in ("first", "last")]
    assert written == [["inc", "down1", "down2"], ["up2", "up1"]]
    assert "inc" not in draw_u(network, height=660).svg


@pytest.mark.parametrize("name", ["vanishing-plain", "resnet-20-cifar", "transformer-pre-ln", "densenet-bc", "highway-50"])
def test_a_network_that_never_goes_up_in_scale_is_no_u(name):
    assert not has_u(presets.get(name).network)
    with pytest.raises(ValueError, match="goes down in scale"):
        draw_u(presets.get(name).network)


def test_two_us_in_a_row_are_no_u():
    one = families.unet(1, 2, padded=True, input=(1, 8, 8), head=1)
    twice = edit.repeated(one.replaced(input=(2, 8, 8)), 2)
    assert has_u(one)
    assert not has_u(twice)


def test_the_drawing_grows_where_its_densest_rows_need_more_than_the_height():
    deep = families.unet(4, 2, convolutions=12, padded=True, input=(1, 32, 32), head=1)
    assert draw_u(deep, height=400).height > 1000
    assert draw_u(presets.get("unet-shapes").network, height=400).height == 400


def test_a_3d_unet_is_drawn_as_a_u_whose_levels_and_boxes_say_three_axes():
    network = families.unet3d(2, 4, padded=True, input=(1, 16, 16, 16), head=1)
    assert has_u(network)
    root = ElementTree.fromstring(draw_u(network).svg)
    words = [*root.itertext()]
    assert [word for word in words if word in ("16×16×16", "8×8×8", "4×4×4")] == ["16×16×16", "8×8×8", "4×4×4"]
    assert {"3³·4", "3³·32"} <= set(words)
