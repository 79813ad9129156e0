"""The layered layout: ranks and their order, golden drawings, and what holds for boxes, words and lines of any graph.

`SKIPVIZ_RENEW_GOLDEN=1 pytest tests/unit/test_layered.py` writes the golden files anew; look at them before they are kept.
"""

from __future__ import annotations

import os
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from graphs import graphs
from hypothesis import given, settings
from hypothesis import strategies as st
from test_branches import unet
from test_diagram import rectangles
from test_unfolded import GOLDEN, NETWORKS, on_border, overlap, vias

from skipviz import families
from skipviz.drawing import mixing, words
from skipviz.drawing.channels import Turn, tracks
from skipviz.drawing.diagram import draw, has_layers
from skipviz.drawing.dominance import dominates, share_beside
from skipviz.drawing.edge_labels import branch_on, labelled, size
from skipviz.drawing.fold import boxes
from skipviz.drawing.geometry import STYLES
from skipviz.drawing.layered import lay_out_layered
from skipviz.drawing.ranks import Line, columns, layering, ranks_of, uncross
from skipviz.drawing.rows import HEAD, plan


@st.composite
def layered_graphs(draw):
    """A graph of a few vertices whose first ones are a spine, with lines from any to a later one."""
    count = draw(st.integers(4, 12))
    spine = draw(st.integers(2, count // 2))
    pairs = [(one, other) for one in range(count) for other in range(one + 1, count)]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=16, unique=True))
    order = draw(st.permutations(range(count)))
    trunk = sorted(order[:spine])
    lines = [Line(*pair) for pair in pairwise(trunk)]
    lines += [Line(*pair, length=draw(st.integers(1, 2)), at_side=draw(st.booleans())) for pair in chosen]
    ranks = ranks_of(range(count), lines)
    top = max(ranks.values())
    lines += [Line(trunk[-1], "out"), Line("in", trunk[0])]
    ranks = {"in": 0, **{vertex: rank + 1 for vertex, rank in ranks.items()}, "out": top + 2}
    side = [0] * (spine - 1) + [draw(st.sampled_from((-1, 1))) for _ in chosen] + [0, 0]
    return ranks, lines, side, ["in", *trunk, "out"]


def made(graph):
    ranks, lines, side, spine = graph
    found = layering(ranks, lines, side.__getitem__, spine)
    whole = {*spine, *(vertex for chain, way in zip(found.chains, side, strict=True) if not way for vertex in chain)}
    return found, whole


def crossings_counted(found) -> int:
    """Return how often lines cross between two ranks, by comparing every pair of them."""
    place = {vertex: index for rank in found.ranks for index, vertex in enumerate(rank)}
    pieces = [
        [(place[low], place[high]) for high in rank for low in found.below[high]] for rank in found.ranks
    ]  # fmt: skip
    return sum((a - c) * (b - d) < 0 for rank in pieces for (a, b), (c, d) in combinations(rank, 2))


@given(layered_graphs())
def test_a_rank_is_the_longest_path_that_leads_to_it(graph):
    ranks, lines, *_ = graph
    longest = lambda vertex: max((longest(one.source) + one.length for one in lines if one.target == vertex), default=0)  # noqa: E731
    for vertex in ranks:
        if vertex not in ("in", "out") and longest(vertex) > longest("in"):
            assert ranks[vertex] >= longest(vertex)
    assert all(ranks[line.target] - ranks[line.source] >= line.length for line in lines)


@given(layered_graphs())
def test_uncrossing_makes_no_crossing_more_and_keeps_every_vertex_in_its_rank(graph):
    found, _ = made(graph)
    before, naive = [set(rank) for rank in found.ranks], crossings_counted(found)
    assert found.crossings() == naive
    uncross(found)
    assert [set(rank) for rank in found.ranks] == before
    assert found.crossings() == crossings_counted(found) <= naive
    for vertex, owner in found.owners.items():  # what ends beside a vertex has only the like between it and that
        rank = next(rank for rank in found.ranks if vertex in rank)
        low, high = sorted((rank.index(vertex), rank.index(owner)))
        assert all(found.owners.get(other) == owner for other in rank[low:high] if other != owner)


def test_a_ladder_that_was_crossed_is_uncrossed():
    lines = [Line("in", 0), Line(0, 1), Line(1, "out")]
    lines += [Line("in", f"a{k}") for k in range(4)] + [Line(f"a{k}", f"b{3 - k}") for k in range(4)]
    ranks = {"in": 0, 0: 1, 1: 2, "out": 3, **{f"a{k}": 1 for k in range(4)}, **{f"b{k}": 2 for k in range(4)}}
    found = layering(ranks, lines, lambda number: 0 if number < 3 else 1, ["in", 0, 1, "out"])
    assert found.crossings() == 6
    uncross(found)
    assert found.crossings() == 0


@given(layered_graphs())
def test_columns_keep_the_order_and_the_spine_straight(graph):
    found, spine = made(graph)
    uncross(found)
    x = columns(found, spine, lambda one, other: 10.0)
    assert {x[vertex] for vertex in spine} == {0.0}
    for rank in found.ranks:
        assert all(x[other] - x[one] >= 10 for one, other in pairwise(rank))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda pair: pair[0] != pair[1]), max_size=8))
def test_level_pieces_of_one_channel_never_lie_over_each_other(pairs):
    turns = [Turn(*pair) for pair in pairs]
    found = tracks(turns)
    for (one, its), (other, theirs) in combinations(zip(turns, found, strict=True), 2):
        apart = one.span[1] < other.span[0] or other.span[1] < one.span[0]
        assert apart or its != theirs


def drawn(network, style: str = "lab"):
    table = plan(network, boxes(network), unfolded=vias(network))
    said = [labelled(table, link, branch_on(table, link, vias(network))) for link in table.links]
    sizes = [size(labels, mixing.side_of(network, link.skips)) for labels, link in zip(said, table.links, strict=True)]
    return lay_out_layered(table, STYLES[style], 600, sizes), sizes


def holds(network, style: str = "lab") -> None:
    """Fail unless boxes and words stand apart within the drawing, and lines join what they should past all boxes."""
    g, sizes = drawn(network, style)
    (block,), half = g.blocks, g.style.box_width / 2
    squares = [(g.trunk - (low - top) / 2, top, low - top, low - top) for top, low in g.joints.values()]
    trunk = [(g.trunk - half, top, 2 * half, low - top) for top, low in g.items]
    solid = [*block.places.values(), *trunk, *squares]
    said = [(*g.labels[index], *sizes[index]) for index in g.labels]
    said += [(*block.labels[index], *size(words.branch_edge_labels(network, index), 0)) for index in block.labels]
    said = [(x - width / 2, y - height / 2, width, height) for x, y, width, height in said]
    assert g.labels.keys() == {index for index, (_, height) in enumerate(sizes) if height}
    assert block.places.keys() == {node.id for node in network.branches if node.id in g.plan.beside}
    for one, other in combinations([*solid, *said], 2):
        assert not overlap(one, other)
    for left, top, width, height in [*solid, *said]:
        assert min(left, top) >= 0
        assert left + width <= g.gain
        assert top + height <= g.height
    lines = {**{("link", index): path for index, path in enumerate(g.paths)}, **{("edge", i): p for i, p in block.paths.items()}}
    assert block.paths.keys() == {index for index, edge in enumerate(network.edges) if edge.target in block.places}
    assert len({(network.edges[index].target, path[-1]) for index, path in block.paths.items()}) == len(block.paths)
    for (kind, index), path in lines.items():
        assert all(a[0] == b[0] or a[1] == b[1] for a, b in pairwise(path))
        assert all(a[1] >= b[1] for a, b in pairwise(path))  # it leads upwards only
        for (x0, y0), (x1, y1) in pairwise(path):
            leg = (min(x0, x1), min(y0, y1), abs(x0 - x1), abs(y0 - y1))
            assert not [one for one in solid if overlap(one, leg)], (kind, index)
        if kind == "edge":
            assert on_border(path[-1], block.places[network.edges[index].target])
            continue
        end = g.plan.links[index].end
        target = {"box": g.items, "joint": g.joints}.get(end.kind, {end.index: g.head})[end.index]
        assert target[0] <= path[-1][1] <= target[1]
        assert abs(path[-1][0] - g.trunk) <= (half / 2 if end.kind == HEAD else half)


@pytest.mark.parametrize("style", ["lab", "compact lab"])
@pytest.mark.parametrize("name", NETWORKS)
def test_boxes_and_words_stand_apart_and_lines_join_boxes(name, style):
    holds(NETWORKS[name](), style)


def test_edges_that_name_no_ports_meet_their_merge_apart():
    network = NETWORKS["merges that adapt"]()
    holds(network.replaced(edges=[edge.replaced(port=0) for edge in network.edges]))


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_boxes_and_words_of_any_graph_stand_apart_and_lines_join_boxes(network):
    holds(network)


def alongside(one, other) -> float:
    """Return how many px two level or upright legs run within 1.9 px of each other, 0 where they cross or stand apart."""
    (across, along) = (0, 1) if one[0][0] == one[1][0] else (1, 0)
    if other[0][across] != other[1][across] or abs(one[0][across] - other[0][across]) > 1.9:
        return 0.0
    ends = [sorted(point[along] for point in leg) for leg in (one, other)]
    return max(0.0, min(high for _, high in ends) - max(low for low, _ in ends))


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_no_line_runs_along_that_of_another_state(network):
    g, _ = drawn(network)
    names = ["input", *(layer.id for layer in network.layers)]
    skips = [network.skips[link.skips[0]] for link in g.plan.links]
    lines = [(skip.via or names[skip.source], path) for skip, path in zip(skips, g.paths, strict=True)]
    lines += [(network.edges[index].source, path) for index, path in g.blocks[0].paths.items()]
    for (state, path), (other_state, other) in combinations(lines, 2):
        if state != other_state:
            assert max(alongside(one, its) for one in pairwise(path) for its in pairwise(other)) <= 2


@settings(max_examples=40, deadline=None)
@given(graphs())
def test_boxes_of_the_trunk_stand_one_above_the_other_with_the_gaps_between(network):
    g, _ = drawn(network)
    tops = [top for top, _ in g.items]
    assert tops == sorted(tops, reverse=True)
    for k, (top, bottom) in enumerate(g.gaps):
        assert top < bottom
        assert all(top <= tap <= bottom for tap in g.gap_taps(k))


@settings(max_examples=40, deadline=None)
@given(graphs(), st.booleans())
def test_no_two_lines_are_switched_at_one_place(network, compact):
    places = [(skip["x"], skip["y"]) for skip in draw(network, compact=compact, layers=True).skips]
    assert len(set(places)) == len(places)


@settings(max_examples=40, deadline=None)
@given(graphs(), st.booleans())
def test_words_on_lines_never_cover_each_other_however_branches_are_drawn(network, opened):
    diagram = draw(network, unfolded=vias(network) if opened else [], layers=False)
    for one, other in combinations(rectangles(diagram, "badge"), 2):
        assert min(one[2], other[2]) <= max(one[0], other[0]) or min(one[3], other[3]) <= max(one[1], other[1])


DRAWINGS = {
    "layers-unet-plus-plus": lambda: draw(NETWORKS["U-Net++"](), height=660),
    "layers-encoder": lambda: draw(NETWORKS["encoder and decoder"](), height=660),
    "layers-inception": lambda: draw(NETWORKS["inception under a residual"](), height=400, compact=True, layers=True),
    "layers-adapting": lambda: draw(NETWORKS["merges that adapt"](), height=660, layers=True),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_layered_drawing_is_its_golden_one(name):
    svg = DRAWINGS[name]().svg.replace("><", ">\n<") + "\n"
    path = GOLDEN / f"{name}.svg"
    if os.environ.get("SKIPVIZ_RENEW_GOLDEN"):
        path.write_text(svg, encoding="utf-8")
    assert svg == path.read_text(encoding="utf-8")


def test_what_is_drawn_by_ranks_and_what_opens_by_itself():
    """A grid is drawn by ranks, a gate opens beside the trunk, where there is room and nothing else is asked for."""
    grid, squeezed, gates = (NETWORKS[name]() for name in ("U-Net++", "SE-ResNet", "Attention U-Net"))
    assert [draw(network, height=660).shape for network in (grid, squeezed, gates)] == ["layers", "column", "column"]
    assert draw(squeezed, height=660).unfolded == ["se3.3", "se7.3", "se11.3"]
    assert draw(gates, height=660).unfolded == []  # too many lines would run along them
    assert draw(grid, height=660, compact=True).shape == "column"
    assert draw(grid, height=660, layers=False).shape == "column"
    assert draw(gates, height=660, layers=True).shape == "layers"
    assert draw(squeezed, height=660, compact=True).unfolded == []
    assert draw(squeezed, height=660, unfolded=[]).unfolded == []
    assert draw(grid, page="figure").shape == "column"
    assert not has_layers(families.resnet(20))


def test_a_further_input_has_its_name_beside_its_line_clear_of_the_trunks():
    sizes = {"depth": 1, "encoder": 1, "width": 8, "heads": 2, "vocabulary": 10, "input": (8,), "source": 6, "head": 10}
    diagram = draw(families.transformer(**sizes), height=660)
    words_at = {node.text: node for node in ElementTree.fromstring(diagram.svg).iter() if node.text and "↑" in node.text}
    assert words_at.keys() == {"source ↑", "input ↑ data"}
    assert float(words_at["source ↑"].get("x")) > diagram.trunk_x + 36
    assert words_at["input ↑ data"].get("class") == "word left"  # on the other side


@settings(max_examples=20, deadline=None)
@given(graphs())
def test_layers_name_all_that_the_column_names_when_its_branches_are_open(network):
    ranked, column = draw(network, layers=True), draw(network, unfolded=vias(network), layers=False)
    for name in ("data-skip", "data-layer", "data-valve", "data-state"):
        assert sorted(attributes(ranked, name)) == sorted(attributes(column, name))
    assert sorted(attributes(ranked, "data-edge")) == sorted(edge["id"] for edge in ranked.edges)
    assert {(edge["kind"], *edge["parts"]) for edge in ranked.edges} >= {
        (edge["kind"], *edge["parts"]) for edge in column.edges if edge["kind"] in ("skip", "edge")
    }


def attributes(diagram, name: str) -> list[str]:
    return [node.get(name) for node in ElementTree.fromstring(diagram.svg).iter() if node.get(name)]


def test_each_rank_has_a_row_for_the_trunks_box_and_one_for_those_of_branches_that_lie_apart():
    network = families.unet(3, 4, 1, padded=True, nested=True, input=(1, 32, 32))
    rows = draw(network, layers=True).rows
    ends = sorted((row["y"] - row["h"] / 2, row["y"] + row["h"] / 2) for row in rows if row["kind"] != "joint")
    assert all(one[1] <= other[0] + 0.01 for one, other in pairwise(ends))
    beside = [number for row in rows for number in row.get("beside", ())]
    assert sorted(beside) == [number for number, node in enumerate(network.branches) if not node.is_merge]
    trunk = [layer for row in rows for layer in row["layers"] if row["kind"] == "box"]
    assert sorted(trunk) == [*range(network.depth)]


SHARES = {
    "squeeze-and-excitation": 0.0,
    "inception under a residual": 1 / 3,
    "shortcut of three by three": 0.0,
    "SE-ResNet": 0.0,
    "Attention U-Net": 3 / 26,
    "U-Net++": 9 / 26,
    "encoder and decoder": 10 / 23,
}


@pytest.mark.parametrize("name", SHARES)
def test_what_paths_beside_a_trunk_hold_of_a_network(name):
    assert share_beside(NETWORKS[name]()) == pytest.approx(SHARES[name])
    assert dominates(NETWORKS[name]()) == (SHARES[name] < 0.18)


def test_a_trunk_dominates_chains_gates_and_projections_but_no_grid():
    assert dominates(families.mlp(depth=4))
    assert dominates(families.wavenet())
    assert dominates(families.resnet(20, shortcut="project"))
    assert all(dominates(unet(gates=True, depth=depth).network) for depth in (2, 3, 4))
    assert not any(dominates(unet(nested=True, depth=depth).network) for depth in (2, 3, 4))
