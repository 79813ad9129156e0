"""The diagram: golden drawings, and what holds for the drawing of any network.

`SKIPVIZ_RENEW_GOLDEN=1 pytest tests/unit/test_diagram.py` writes the golden files anew; look at them before they are kept.
"""

import json
import os
from itertools import combinations, pairwise, product
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skipviz.drawing import colours, words
from skipviz.drawing.diagram import draw
from skipviz.drawing.thumbnail import thumbnail
from skipviz.network import Convolution, Identity, Layer, Linear, Network, Pool, Skip, edit, families
from skipviz.tasks.presets import figure, figure_unit, vanishing

GOLDEN = Path(__file__).parent / "golden"
SVG = "{http://www.w3.org/2000/svg}"


def mixed():
    network = families.mlp(depth=12, width=64, input=(64,))
    network = edit.add_skip(network, 0, 2)
    network = edit.add_skip(network, 3, 6, "concat", adapter={"channels": "project", "width": 32})
    network = edit.add_skip(network, 1, 9, "concat", on=False)
    network = edit.add_skip(network, 4, 11, strength=0.5, gain=0.25)
    network = edit.add_skip(network, 5, 7, "gate")
    network = edit.add_skip(network, 8, 12, "concat")
    network = edit.set_layer(network, "f5", gain=0.0)
    network = edit.set_layer(network, "f10", gain=0.3)
    return edit.set_layer(network, "f2", on=False)


def dense():
    network = families.mlp(depth=7, width=8, skip_every=5, pattern="dense", input=(8,))
    return edit.set_skip(network, network.skips[3].id, on=False)


def deep():
    network = families.mlp(depth=120, width=8, skip_every=2, input=(8,))
    return edit.add_skip(edit.set_skip(network, "s10-12", on=False), 31, 118)


DRAWINGS = {
    "figure-left": lambda: draw(figure_unit("left"), page="figure"),
    "figure-center": lambda: draw(figure_unit("center"), page="figure"),
    "figure-right": lambda: draw(figure_unit("right"), page="figure"),
    "figure-right-six-times": lambda: draw(figure("right", 6).network, page="figure", repeat=6),
    "figure-right-unfolded": lambda: draw(figure("right", 6).network, page="figure", repeat=6, folded=False),
    "lab-vanishing-off": lambda: draw(vanishing(on=False).network),
    "lab-mixed": lambda: draw(mixed()),
    "lab-mixed-compact": lambda: draw(mixed(), compact=True),
    "lab-dense": lambda: draw(dense()),
    "lab-deep": lambda: draw(deep()),
    "lab-deep-opened": lambda: draw(deep(), unfolded={60}),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_its_golden_one(name):
    svg = DRAWINGS[name]().svg.replace("><", ">\n<") + "\n"
    path = GOLDEN / f"{name}.svg"
    if os.environ.get("SKIPVIZ_RENEW_GOLDEN"):
        path.write_text(svg, encoding="utf-8")
    assert svg == path.read_text(encoding="utf-8")


def test_a_box_without_weights_says_what_it_does_and_one_with_weights_nothing():
    rows = [row for row in draw(families.fcn()).rows if row["kind"] == "box"]
    network = families.fcn()
    without = [layer.parameters == 0 for layer in network.shapes.layers]
    assert any(without)
    assert not all(without)
    for row in rows:
        alone = without[row["layers"][0]]
        assert bool(row["weightless"]) == alone
        assert not alone or row["weightless"].startswith(("max pool", "crop "))


def test_a_box_that_learns_nothing_but_its_scale_says_so():
    network = families.transformer(depth=2, width=8, heads=2, averaged=True, input=(8, 8))
    drawing = draw(network)
    scaled = [row for row in drawing.rows if row["kind"] == "box" and row["scaled"]]
    assert scaled
    assert all(row["weightless"] for row in scaled)
    assert drawing.svg.count("only a learned scale") == len(scaled)


def test_a_negative_strength_has_a_minus_sign_in_words_and_on_its_line():
    network = families.mlp(depth=4, width=8, skip_every=2)
    svg = draw(edit.set_skips(network, ["s1-3"], strength=-0.5)).svg
    assert "×−0.5<" in svg
    assert "strength −0.5," in svg


def test_a_state_tells_its_shape():
    network = families.fcn()
    assert {state["k"]: state["shape"] for state in draw(network).states}.items() <= {
        k: "×".join(map(str, shape)) for k, shape in enumerate(network.shapes.states)
    }.items()


@st.composite
def networks(draw_value):
    depth = draw_value(st.integers(1, 14))
    states = st.integers(0, depth)
    pairs = draw_value(st.sets(st.tuples(states, states).filter(lambda pair: pair[0] < pair[1]), max_size=20))
    merges = [draw_value(st.sampled_from(["add", "concat"])) for _ in pairs]
    skips = [
        Skip(source=i, target=j, merge=merge, on=draw_value(st.booleans()))
        for (i, j), merge in zip(sorted(pairs), merges, strict=True)
    ]
    return Network(input=(8,), layers=[Layer(op=Linear(width=8))] * depth, skips=skips)


@settings(max_examples=60, deadline=None)
@given(networks(), st.sampled_from(["lab", "figure"]), st.booleans())
def test_rows_never_overlap_and_stay_in_the_drawing(network, page, compact):
    diagram = draw(network, page=page, compact=compact)
    assert diagram.rows[0]["y"] - diagram.rows[0]["h"] / 2 >= 0
    assert diagram.rows[-1]["y"] + diagram.rows[-1]["h"] / 2 <= diagram.height
    for upper, lower in pairwise(diagram.rows):
        assert upper["y"] + upper["h"] / 2 <= lower["y"] - lower["h"] / 2 + 0.01


@settings(max_examples=60, deadline=None)
@given(networks())
def test_layers_stand_from_the_bottom_to_the_top_in_their_order(network):
    boxes = [row for row in draw(network).rows if row["kind"] == "box"]
    assert [row["layers"] for row in boxes] == [[k] for k in reversed(range(network.depth))]


@settings(max_examples=60, deadline=None)
@given(networks())
def test_every_skip_is_a_red_line_that_can_be_focused(network):
    diagram = draw(network)
    root = ElementTree.fromstring(diagram.svg)
    lines = {node.get("data-skip"): node for node in root.iter(f"{SVG}g") if node.get("data-skip")}
    assert set(lines) == {skip.id for skip in network.skips}
    for skip in network.skips:
        line = lines[skip.id]
        assert ("off" in line.get("class").split()) == (not skip.on)
        assert line.get("role") == "button"
        assert line.get("aria-label")


@settings(max_examples=60, deadline=None)
@given(networks())
def test_edges_of_the_data_are_those_of_the_drawing(network):
    diagram = draw(network)
    root = ElementTree.fromstring(diagram.svg)
    drawn = [node.get("data-edge") for node in root.iter() if node.get("data-edge")]
    assert sorted(drawn) == sorted(edge["id"] for edge in diagram.edges)


@settings(max_examples=60, deadline=None)
@given(networks())
def test_every_fork_has_a_bar_and_names_all_parts(network):
    forks = {fork["state"][0]: fork for fork in draw(network).forks}
    assert set(forks) == {skip.source for skip in network.skips}
    for state, fork in forks.items():
        assert sorted(fork["skips"]) == [index for index, skip in enumerate(network.skips) if skip.source == state]
        assert fork["trunk"] == [state]


def test_a_gap_without_a_fork_carries_its_states_gradient():
    diagram = draw(figure_unit("right"), page="figure")
    parts = [(edge["kind"], edge["parts"]) for edge in diagram.edges if edge["kind"] != "skip"]
    assert parts == [
        ("state", [0]),
        ("trunk", [0]),
        ("state", [1]),
        ("state", [2]),
        ("state", [2]),
        ("trunk", [2]),
        ("state", [3]),
        ("state", [4]),
        ("state", [4]),
    ]


def test_24_layers_with_12_joints_fit_into_688_px():
    network = families.mlp(depth=24, width=64, skip_every=2, input=(64,))
    diagram = draw(network)
    assert diagram.height == 688
    assert min(row["h"] for row in diagram.rows if row["kind"] == "box") >= 15.5


def test_a_deep_network_folds_and_a_click_opens_two_blocks():
    network = families.mlp(depth=300, width=8, skip_every=2, input=(8,))
    assert [(group["first"], group["last"], group["count"]) for group in draw(network).collapsed] == [(5, 296, 146)]
    assert [group["count"] for group in draw(network, unfolded={136}).collapsed] == [67, 79]


def test_a_collapsed_group_has_a_stripe_for_every_layer():
    root = ElementTree.fromstring(draw(families.mlp(depth=300, width=8)).svg)
    stripes = [int(node.get("data-stripe")) for node in root.iter() if node.get("data-stripe")]
    assert stripes == list(range(2, 298))


@pytest.mark.parametrize(
    ("shares", "label", "said"), [((0.1,), "p .1", "dropout 0.1"), ((0.3, 0.1), "p .1–.3", "dropout 0.1 or 0.3")]
)
def test_a_collapsed_group_tells_its_layers_dropout(shares, label, said):
    network = families.mlp(depth=60, width=8)
    for place, share in enumerate(shares):
        network = edit.set_layers(network, [f"f{k}" for k in range(1 + place, 61, len(shares))], dropout=share)
    svg = draw(network).svg
    assert f">{label}</text>" in svg
    assert f"{said}, f(" in svg
    assert "dropout" not in draw(families.mlp(depth=60, width=8)).svg


@pytest.mark.parametrize("page", ["lab", "figure"])
def test_a_click_on_a_collapsed_group_opens_two_blocks_there(page):
    network = families.mlp(depth=120, width=8, skip_every=2, input=(8,))
    boxes = {row["layers"][0] for row in draw(network, page=page, unfolded={60}).rows if row["kind"] == "box"}
    assert {60, 61} <= boxes
    assert not {60, 61} & {row["layers"][0] for row in draw(network, page=page).rows if row["kind"] == "box"}


def test_a_network_drawn_in_full_grows():
    diagram = draw(families.mlp(depth=60, width=8), folded=False)
    assert diagram.height > 60 * 15.5
    assert diagram.collapsed == []


def test_many_nested_skips_keep_the_width_bounded():
    network = families.mlp(depth=13, width=8, pattern="dense", skip_every=12)
    assert len(network.skips) == 66
    assert draw(network).width < 400


@settings(max_examples=60, deadline=None)
@given(networks(), st.booleans())
def test_no_two_skips_are_marked_at_one_place(network, compact):
    places = [(skip["x"], skip["y"]) for skip in draw(network, compact=compact).skips]
    assert len(set(places)) == len(places)


def streamed(depth: int, streams: int = 4) -> Network:
    return families.transformer(depth=depth, width=8, heads=2, norm="pre", streams=streams, mix="sinkhorn", input=(8, 8))


WORDED = {
    "squeezed": lambda: families.resnet(depth=20, reduction=4, input=(1, 28, 28), head=10),
    "gated": lambda: families.unet(3, 8, padded=True, gates=True, input=(1, 32, 32), head=1),
    "nested": lambda: families.unet(3, 8, padded=True, nested=True, input=(1, 32, 32), head=1),
    "cropped": families.unet,
    "averaged": lambda: families.transformer(depth=4, width=8, heads=2, averaged=True, input=(8, 8)),
    "mixed": mixed,
    "streams": lambda: streamed(2),
    "streams with words": lambda: edit.set_skips(streamed(3), ["s2-5", "s5-9"], strength=-0.25, gain=0.5),
    "sixteen streams": lambda: streamed(2, 16),
    "deep": lambda: edit.set_skips(deep(), ["s31-118", "s2-4"], strength=-0.25),
}


@pytest.mark.parametrize("name", WORDED)
@pytest.mark.parametrize("folded", [True, False])
@pytest.mark.parametrize("compact", [True, False])
def test_words_on_a_line_cover_no_box_nor_each_other_and_stay_in_the_drawing(name, folded, compact):
    diagram = draw(WORDED[name](), folded=folded, compact=compact, unfolded=[], layers=False)
    labels, boxes = rectangles(diagram, "badge") + rectangles(diagram, "mixing"), rectangles(diagram, "box")
    assert labels
    for label in labels:
        assert label[0] >= 0
        assert label[2] <= diagram.width
    for one, other in (*combinations(labels, 2), *product(labels, boxes)):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def rectangles(diagram, kind):
    """Return left, top, right and bottom of the faces of all marks of a kind."""
    marks = [node for node in ElementTree.fromstring(diagram.svg).iter(f"{SVG}g") if kind in (node.get("class") or "").split()]
    faces = [next(part for part in mark if part.get("class") == "face") for mark in marks]
    places = [[float(face.get(name)) for name in ("x", "y", "width", "height")] for face in faces]
    return [(x, y, x + width, y + height) for x, y, width, height in places]


def test_diagram_data_is_json():
    data = draw(mixed()).to_data()
    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_a_standalone_drawing_holds_its_style_and_its_values():
    diagram = draw(figure_unit("right"), page="figure")
    frame = {"state_grad": [1.0] * 5, "trunk_grad": [0.1] * 4, "skip_grad": [0.5, 100.0], "weight_grad": [1.0] * 4}
    root = ElementTree.fromstring(diagram.standalone_svg("dark", frame))
    assert colours.COLOURS["dark"]["skip"] in root.find(f"{SVG}style").text
    assert "rest" not in root.get("class").split()
    over = [node for node in root.iter(f"{SVG}g") if "over" in (node.get("class") or "").split()]
    assert [node.get("data-skip") for node in over] == ["s2"]


def test_streams_are_parallel_lines_of_the_trunk_with_their_matrix_at_each_skip():
    net = streamed(2)
    diagram = draw(net)
    root = ElementTree.fromstring(diagram.svg)
    trunk = [node for node in root.iter(f"{SVG}g") if "trunk" in node.get("class", "").split()]
    wires = [node.find(f"{SVG}path[@class='wire']").get("d") for node in trunk]
    assert {wire.count("M") for wire in wires} == {1, 4}
    grids = [node for node in root.iter(f"{SVG}g") if "mixing" in node.get("class", "").split()]
    assert [int(grid.get("data-mixing")) for grid in grids] == [0, 16, 32, 48]
    shades = [float(cell.get("fill-opacity")) for cell in grids[0] if cell.get("class") == "cell"]
    assert [shade > 0.9 for shade in shades] == [row == column for row in range(4) for column in range(4)]
    off = draw(edit.set_skips(net, [net.skips[0].id], on=False))
    assert off.svg.count('class="mixing off"') == 1
    assert 'class="mixing' not in draw(edit.set_skips(net, [skip.id for skip in net.skips], merge="add")).svg


def test_a_standalone_drawing_shades_the_matrix_of_its_frame():
    net = streamed(1, 2)
    frame = {"skip_grad": [1.0, 1.0], "mixing": [1.0, -0.25, 0.0, 4.0, None, None, None, None]}
    root = ElementTree.fromstring(draw(net).standalone_svg("light", frame))
    cells = [cell for cell in root.iter(f"{SVG}rect") if "cell" in (cell.get("class") or "").split()]
    assert [float(cell.get("fill-opacity")) for cell in cells] == [1, 0.5, 0, 1, 0, 0, 0, 0]
    assert [cell.get("class") for cell in cells[:4]] == ["cell", "cell below", "cell", "cell"]


def test_no_mark_names_a_colour():
    for make in DRAWINGS.values():
        svg = make().svg
        assert "#" not in svg
        assert "style=" not in svg
        assert "fill=" not in svg


@pytest.mark.parametrize("depth", [1, 3, 24, 300])
def test_a_thumbnail_is_small_and_valid(depth):
    svg = thumbnail(families.mlp(depth=depth, width=8, skip_every=2, input=(8,)))
    root = ElementTree.fromstring(svg)
    assert root.get("viewBox") == "0 0 56 72"
    assert len(svg) < 4000


def test_ramps_run_from_their_first_stop_to_their_last():
    for theme in colours.THEMES:
        for name, stops in colours.RAMP_STOPS[theme].items():
            ramp = colours.ramp(name, theme)
            assert (len(ramp), ramp[0], ramp[32], ramp[-1]) == (65, stops[0], stops[2], stops[4])


@pytest.mark.parametrize("theme", colours.THEMES)
def test_ink_and_wires_are_legible_on_the_card_and_on_what_is_tinted(theme):
    tokens = colours.COLOURS[theme]
    for name, least in {
        "ink": 7,
        "ink2": 7,
        "ink3": 4.5,
        "skip": 4.5,
        "trunk": 7,
        "skip-off": 3,
        "accent": 4.5,
        "warning": 4.5,
    }.items():
        assert colours.contrast(tokens[name], tokens["card"]) >= least, name
        assert colours.contrast(tokens[name], tokens["unlike"]) >= least, name
    assert 1.1 <= colours.contrast(tokens["unlike"], tokens["card"]) <= 1.4


def test_the_scale_runs_over_eight_decades():
    assert [colours.scaled(value) for value in (None, 0.0, 1e-9, 1e-7, 1e-3, 10.0, 1e5)] == [None, 0.0, 0.0, 0.0, 0.5, 1.0, 1.0]


BOXES = {
    "3×3·64": Layer(op=Convolution(width=64), norm="batch"),
    "lin 64": Layer(op=Linear(width=64)),
    "max 2": Layer(op=Pool()),
    "ReLU": Layer(op=Identity(), activation="relu"),
    "BN ReLU": Layer(op=Identity(), norm="batch", activation="relu"),
    "RMS": Layer(op=Identity(), norm="rms"),
    "scale": Layer(op=Identity(), scale=1.0, scale_learned=True),
    "": Layer(op=Identity()),
}


@pytest.mark.parametrize("said", BOXES)
def test_a_box_says_what_it_does_in_few_letters(said):
    assert words.short(BOXES[said]) == said
    assert len(said) <= 9


def test_boxes_of_several_operations_say_what_they_do_in_the_lab_alone():
    several = Network(input=(1, 8, 8), layers=[BOXES["3×3·64"], BOXES["max 2"], BOXES["ReLU"]])
    svg = draw(several, page="lab", height=500).svg
    assert svg.count('class="says"') == 3
    assert all(f">{said}</tspan>" in svg for said in ("3×3·64", "max 2", "ReLU"))
    assert svg.count("bare") >= 2
    assert svg.count('class="label"') == 3, "the label stands by, for who wants it"
    assert "says" not in draw(several, page="figure", height=500).svg
    assert "says" not in draw(Network(layers=[BOXES["lin 64"]] * 3), page="lab", height=500).svg
