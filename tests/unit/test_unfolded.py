"""Branches that are unfolded: golden drawings, and what holds for their boxes and edges in the drawing of any network."""

from __future__ import annotations

import os
import re
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from graphs import graphs
from hypothesis import assume, given, settings
from test_branches import CASES, adapting, case, unet

from skipviz import Network, families
from skipviz.drawing import words
from skipviz.drawing.beside import lay_out_unfolded
from skipviz.drawing.diagram import draw
from skipviz.drawing.fold import boxes
from skipviz.drawing.geometry import STYLES
from skipviz.drawing.rows import plan
from skipviz.web.session_state.editor import unfolded_after

GOLDEN = Path(__file__).parent / "golden"


def vias(network: Network) -> frozenset[str]:
    return frozenset(skip.via for skip in network.skips if skip.via)


def encoding() -> Network:
    return families.transformer(depth=2, encoder=2, width=16, heads=2, vocabulary=10, input=(16,), head=10)


NETWORKS = {
    **{name: lambda name=name: case(name) for name in CASES},
    "SE-ResNet": lambda: families.resnet(8, reduction=4, input=(1, 8, 8)),
    "Attention U-Net": lambda: unet(gates=True, depth=3).network,
    "U-Net++": lambda: unet(nested=True, depth=3).network,
    "encoder and decoder": encoding,
    "merges that adapt": adapting,
}
DRAWINGS = {
    "unfolded-se": lambda: draw(NETWORKS["SE-ResNet"](), height=600, unfolded=["se3.3", "se11.3"]),
    "unfolded-gate": lambda: draw(case("attention gate"), height=400, compact=True, unfolded=["gated"], layers=False),
    "unfolded-encoder": lambda: draw(encoding(), height=600, unfolded=["encoder.2.1.norm"], layers=False),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_an_unfolded_drawing_is_its_golden_one(name):
    svg = DRAWINGS[name]().svg.replace("><", ">\n<") + "\n"
    path = GOLDEN / f"{name}.svg"
    if os.environ.get("SKIPVIZ_RENEW_GOLDEN"):
        path.write_text(svg, encoding="utf-8")
    assert svg == path.read_text(encoding="utf-8")


def holds(network: Network, style: str = "lab") -> None:
    """Fail unless every box and edge of the unfolded branches stands where one can be seen, and lines meet what they join."""
    table = plan(network, boxes(network), unfolded=vias(network))
    g = lay_out_unfolded(table, STYLES[style], 600, [0.0] * len(table.links))
    placed = {name: place for block in g.blocks for name, place in block.places.items()}
    paths = {index: path for block in g.blocks for index, path in block.paths.items()}
    assert placed.keys() == {node.id for node in network.branches if node.id in table.beside}
    assert paths.keys() == {index for index, edge in enumerate(network.edges) if edge.target in placed}
    trunk = [(g.left, top, g.style.box_width, bottom - top) for top, bottom in g.items]
    for one, other in combinations([*placed.values(), *trunk], 2):
        assert not overlap(one, other)
    for left, top, width, height in placed.values():
        assert min(left, top) >= 0
        assert left + width <= g.width
        assert top + height <= g.height
    for one, other in combinations([block.frame for block in g.blocks], 2):
        assert not overlap(one, other)
    for index, path in paths.items():
        edge = network.edges[index]
        assert all(a[0] == b[0] or a[1] == b[1] for a, b in pairwise(path))
        assert on_border(path[-1], placed[edge.target])
        if edge.source in placed:
            assert on_border(path[0], placed[edge.source])
    for index, link in enumerate(table.links):
        if table.is_unfolded(link):
            assert on_border(g.paths[index][0], placed[network.skips[link.skips[0]].via])
            assert all(a[0] == b[0] or a[1] == b[1] for a, b in pairwise(g.paths[index]))


def overlap(one, other) -> bool:
    return all(one[k] < other[k] + other[k + 2] - 0.01 and other[k] < one[k] + one[k + 2] - 0.01 for k in (0, 1))


def on_border(point, place) -> bool:
    (x, y), (left, top, width, height) = point, place
    inside = left - 0.01 <= x <= left + width + 0.01 and top - 0.01 <= y <= top + height + 0.01
    at_side = min(abs(x - left), abs(x - left - width), abs(y - top), abs(y - top - height)) < 0.01
    return inside and at_side


@pytest.mark.parametrize("style", ["lab", "compact lab"])
@pytest.mark.parametrize("name", NETWORKS)
def test_boxes_stand_apart_and_lines_join_them(name, style):
    holds(NETWORKS[name](), style)


@settings(max_examples=60)
@given(graphs())
def test_boxes_of_any_graph_stand_apart_and_lines_join_them(network):
    assume(network.branches)
    holds(network)


def test_what_is_folded_is_one_line_with_a_label_that_says_what_it_does():
    network = NETWORKS["SE-ResNet"]()
    folded, one, every = (draw(network, unfolded=which) for which in ([], ["se3.3"], vias(network)))
    said = lambda drawing: re.findall(r'aria-expanded="(\w+)"', drawing.svg)  # noqa: E731
    assert said(folded) == ["false"] * 3
    assert sorted(said(one)) == ["false", "false", "true"]
    assert said(every) == ["true"] * 3
    assert folded.svg.count("SE ÷4 ⇕</text>") == one.svg.count("SE ÷4 ⇕</text>") == 3
    assert 'data-layer="se3.2"' in one.svg
    assert 'data-layer="se7.2"' not in one.svg
    assert [skip for skip in folded.skips if skip.get("branch")]
    assert not [skip for skip in every.skips if skip.get("branch")]
    assert draw(network, unfolded=["nothing of it"]).svg == folded.svg


def test_what_branches_do_is_said_in_few_letters():
    said = {words.branch(NETWORKS[name](), via) for name in NETWORKS for via in vias(NETWORKS[name]())}
    assert said >= {"SE ÷4", "gate", "nested", "encoder", "1×1·2", "max 3→1×1·2", "3×3·5 BN"}


def test_branches_inside_a_folded_part_stay_folded():
    network = families.resnet(56, reduction=4, input=(1, 8, 8))
    drawing = draw(network, unfolded=vias(network))
    hidden = {skip for group in drawing.collapsed for skip, *_ in group["inside"]}
    open_ = {node.id for node in network.branches if f'data-layer="{node.id}"' in drawing.svg}
    assert hidden
    assert open_
    assert not open_ & {network.skips[index].via for index in hidden}


def test_no_figure_unfolds_branches():
    network = NETWORKS["SE-ResNet"]()
    assert draw(network, page="figure", unfolded=vias(network)).svg == draw(network, page="figure").svg


def test_a_command_opens_branches_and_folds_them_again():
    opened = unfolded_after(frozenset({3}), {"parts": ["se3.3", "se7.3"]})
    assert opened == {3, "se3.3", "se7.3"}
    assert unfolded_after(opened, {"parts": ["se3.3"]}) == {3, "se7.3"}
    assert unfolded_after(opened, {"parts": ["se3.3", "other"]}) == opened | {"other"}
    assert unfolded_after(opened, {"layer": 5}) == opened | {5}
    assert unfolded_after(opened, {"layer": None}) == frozenset()
