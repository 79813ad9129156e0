"""Groups: named sets of nodes, nested, written with a network and kept through links, files and edits."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skipviz import (
    Experiment,
    Group,
    Join,
    Layer,
    Linear,
    Network,
    NetworkError,
    Node,
    Skip,
    edit,
    experiment_from_json,
    families,
    link,
)
from skipviz.description import network_described
from skipviz.drawing.diagram import draw
from skipviz.network.group import MAX_NESTED
from skipviz.network.groups import groups_of
from skipviz.sharing.packing import PackingError, packed, unpacked


def stack(depth=6, groups=(), **fields):
    return Network(layers=[Layer(op=Linear(width=4))] * depth, groups=groups, **fields)


def names(network):
    return {group.name: group.nodes for group in network.groups}


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ([("a", ("f1", "f9"))], "group a: there is no layer or branch's box 'f9'"),
        ([("a", ("f1", "f2")), ("b", ("f2", "f3"))], "groups a and b overlap, and neither holds the other"),
        ([("a", ("f1", "f2", "f3")), ("b", ("f1",)), ("c", ("f1", "f2", "f4"))], "groups a and c overlap"),
        ([("a", ("f1", "f2", "f3")), ("b", ("f1", "f2")), ("c", ("f2", "f3"))], "groups b and c overlap"),
        ([("a", ("f1", "f1"))], "group a has a node twice"),
        ([("a", ())], "group a has no nodes"),
        ([("a", ("f1",)), ("a", ("f2",))], "two groups have the same name"),
        ([("down", ("f1", "f2")), ("down/1", ("f2", "f3", "f1"))], "group down/1 is down's by its name, and that does not hold"),
        ([("", ("f1",))], "a group's name has 1 to 64 letters"),
        ([("a//b", ("f1",))], "a group's name has 1 to 64 letters"),
        ([("x" * 65, ("f1",))], "a group's name has 1 to 64 letters"),
        ([("a", ("f" * 33,))], "at most 32 characters"),
        ([(f"a{k}", ("f1",)) for k in range(MAX_NESTED + 1)], f"nest at most {MAX_NESTED} deep"),
        ([(f"a{k}", ("f1",)) for k in range(2501)], "2501 values, and it takes at most 2500"),
    ],
)
def test_groups_that_cannot_be_are_refused_with_a_sentence(groups, words):
    with pytest.raises(NetworkError, match=words):
        stack().replaced(groups=[{"name": name, "nodes": nodes} for name, nodes in groups])


def test_groups_nest_by_the_nodes_that_they_hold_and_by_their_paths():
    nested = [
        ("down", ("f1", "f2", "f3")),
        ("down/2", ("f2", "f3")),
        ("down/2/first", ("f2",)),
        ("up", ("f5", "f4")),
        ("last", ("f6",)),
    ]
    network = stack(groups=[Group(name=name, nodes=nodes) for name, nodes in nested])
    assert names(network) == dict(nested)


@given(st.data())
def test_groups_travel_in_a_link_and_in_a_file(data):
    parts = [f"f{k}" for k in range(1, 10)]
    cuts = sorted(data.draw(st.sets(st.integers(1, 9), min_size=1)))
    groups = [
        Group(name=f"scale.{low}/block-{high}", nodes=parts[low:high])
        for low, high in zip([0, *cuts], cuts, strict=False)
        if low < high
    ]
    groups += [Group(name="all", nodes=data.draw(st.permutations(parts)))]
    experiment = Experiment(variants={"net": stack(9, groups)})
    for opened in (link.decode(link.encode(experiment)), experiment_from_json(experiment.model_dump_json())):
        assert opened.network.groups == tuple(groups)
        assert opened == experiment


def test_a_network_without_groups_has_the_link_and_the_file_that_it_had():
    text = "2.mQLzv6tWKlOyio5WSlTSqVbKATGrlfKVrKqVspWslHIy81ITi5R0lMqVrExqa2N1og10jGNja2NjwUJKRnqGxnoGSrUA"
    whole = (
        '{"variants":{"a":{"layers":[' + ",".join(f'{{"id":"f{k}","op":{{"kind":"linear","width":4}}}}' for k in (1, 2, 3)) + "]}}}"
    )
    experiment = Experiment(variants={"a": stack(3)})
    assert link.decode(text) == experiment
    assert packed(json.loads(whole)) == {"v": [["a", {"l": [[{"o": {"k": "linear", "w": 4}}], [0, 3]]}]]}
    assert experiment.model_dump_json(exclude_defaults=True) == whole


def test_a_group_of_blocks_costs_a_link_little():
    network = families.mlp(depth=300, width=8, skip_every=2)
    blocks = [Group(name=f"block{k}", nodes=(f"f{2 * k - 1}", f"f{2 * k}")) for k in range(1, 151)]
    grouped = network.replaced(groups=blocks)
    assert len(link.encode(Experiment(variants={"a": grouped}))) < len(link.encode(Experiment(variants={"a": network}))) + 80


def test_a_link_keeps_the_letter_of_groups():
    """Packed as names, node counts and places among the boxes as differences; written once, opened for ever."""
    network = stack(4, [Group(name="low", nodes=("f1", "f2")), Group(name="high", nodes=("f3",))])
    data = json.loads(Experiment(variants={"a": network}).model_dump_json(exclude_defaults=True))
    short = packed(data)
    assert short["v"][0][1]["g"] == [[["low", "high"], [0, 1, 1, 1], [[], []]], [2, 1, 1, 1], [0, 1, 1, 2]]
    assert unpacked(short) == data


@pytest.mark.parametrize(
    "short",
    [
        [[["low"], [0, 1], [[]]], [2, 1], [0, 1]],
        [[["low"], [0, 1], [[]]], [1, 1], [0, 2]],
        [[["low"], [0, 1], [[]]], [-1, 1], []],
        [[["low"], [0, 1], [[]]], [1, 1], [9, 1]],
        [[["low"], [0, 2], [[]]], [1, 1], [0, 1]],
        [[["<b>"], [0, 1], [[]]], [1, 1], [0, 1]],
        [],
    ],
)
def test_a_link_of_damaged_groups_is_refused(short):
    whole = packed(json.loads(Experiment(variants={"a": stack(4)}).model_dump_json(exclude_defaults=True)))
    whole["v"][0][1]["g"] = short
    with pytest.raises(PackingError):
        unpacked(whole)


def test_a_layer_added_inside_a_group_belongs_to_it_and_one_at_its_edge_does_not():
    network = stack(4, [Group(name="all", nodes=("f1", "f2", "f3", "f4")), Group(name="low", nodes=("f1", "f2"))])
    assert names(edit.insert_layer(network, 1)) == {"all": ("f1", "f5", "f2", "f3", "f4"), "low": ("f1", "f5", "f2")}
    assert names(edit.insert_layer(network, 2)) == {"all": ("f1", "f2", "f5", "f3", "f4"), "low": ("f1", "f2")}
    for end in (0, 4):
        assert names(edit.insert_layer(network, end)) == names(network)


def test_a_layer_removed_leaves_its_groups_and_a_group_without_nodes_goes():
    network = stack(4, [Group(name="low", nodes=("f1", "f2")), Group(name="low/1", nodes=("f2",))])
    assert names(edit.remove_layer(network, "f2")) == {"low": ("f1",)}
    assert edit.remove_layers(network, ("f1", "f2")).groups == ()
    assert names(edit.set_layer(network, "f2", activation="tanh")) == names(network)


def test_a_branch_that_goes_with_its_skip_leaves_its_groups():
    network = families.resnet(depth=20, shortcut="pad", reduction=4)
    branch, other = network.branches[0].id, network.branches[-1].id
    skip = next(skip.id for skip in network.skips if skip.via.split(".")[0] == branch.split(".")[0])
    grouped = network.replaced(groups=[Group(name="squeeze", nodes=(branch,)), Group(name="squeezes", nodes=(branch, other))])
    assert names(edit.remove_skip(grouped, skip)) == {"squeezes": (other,)}


def test_a_repeated_unit_repeats_its_groups():
    unit = stack(2, [Group(name="unit/half", nodes=("f2",)), Group(name="unit", nodes=("f1", "f2"))])
    assert names(edit.repeated(unit, 2)) == {
        "u1.unit/half": ("u1.f2",),
        "u1.unit": ("u1.f1", "u1.f2"),
        "u2.unit/half": ("u2.f2",),
        "u2.unit": ("u2.f1", "u2.f2"),
    }


def test_a_graphs_groups_name_its_nodes_and_a_merge_that_is_no_box_of_its_own_leaves_them():
    nodes = [Node(id=name, op=Linear(width=2)) for name in ("a", "b")] + [Node(id="sum", op=Join(kind="add"))]
    edges = [{"source": s, "target": t, "port": p} for s, t, p in (("x", "a", 0), ("a", "b", 0), ("b", "sum", 0), ("a", "sum", 1))]
    groups = [Group(name="block", nodes=("b", "sum")), Group(name="merges", nodes=("sum",))]
    network = Network(inputs={"x": (2,)}, nodes=nodes, edges=edges, output="sum", groups=groups)
    assert network.skips
    assert names(network) == {"block": ("b",)}
    with pytest.raises(ValueError, match="group block: there is no layer or branch's box 'c'"):
        Network(inputs={"x": (2,)}, nodes=nodes, edges=edges, output="sum", groups=[Group(name="block", nodes=("c",))])


def test_a_skip_is_no_node_of_a_group():
    with pytest.raises(ValueError, match="there is no layer or branch's box 's1'"):
        stack(2, [Group(name="a", nodes=("s1",))], skips=[Skip(source=0, target=2, merge="add")])


def stages(*sizes, named="stage{stage}/block{block}"):
    """Return a network of stages of two-layer residual blocks, each stage and each block a group."""
    layers, skips, groups = [], [], []
    for stage, blocks in enumerate(sizes, 1):
        start = len(layers)
        for block in range(1, blocks + 1):
            skips.append(Skip(source=len(layers), target=len(layers) + 2, merge="add"))
            layers += [Layer(op=Linear(width=4 * stage))] * 2
            nodes = (f"f{len(layers) - 1}", f"f{len(layers)}")
            groups.append(Group(name=named.format(stage=stage, block=block), nodes=nodes))
        groups.append(Group(name=f"stage{stage}", nodes=tuple(f"f{k}" for k in range(start + 1, len(layers) + 1))))
    return Network(input=(2,), layers=layers, skips=skips, groups=groups)


def rows(network, unfolded=()):
    """Return the folded rows of a diagram, lowest first: the first and last layer of each, and what its sentence calls it."""
    diagram = draw(network, unfolded=unfolded)
    said = re.findall(r'data-collapsed="p(\d+)" aria-label="([^":]*):', diagram.svg)
    name = {int(first): words for first, words in said}
    return [
        (row["first"], row["last"], name.get(row["first"], "")) for row in sorted(diagram.collapsed, key=lambda row: row["first"])
    ]


def test_written_stages_fold_by_name_and_a_click_opens_the_way_down_to_a_block():
    network = stages(10, 10, 10, 2)
    assert rows(network) == [(1, 20, "stage1"), (21, 40, "stage2"), (41, 60, "stage3")]
    assert rows(network, {28}) == [
        (1, 20, "stage1"),
        (23, 28, "stage2/block2–4"),
        (33, 38, "stage2/block7–9"),
        (41, 60, "stage3"),
    ]


def test_equal_written_blocks_fold_together_and_the_row_says_the_first_and_the_last():
    network = families.mlp(depth=80, width=8, skip_every=4, input=(8,))
    groups = [Group(name=f"h.{k}", nodes=tuple(f"f{j}" for j in range(4 * k + 1, 4 * k + 5))) for k in range(20)]
    (row,) = rows(network.replaced(groups=groups))
    assert row == (5, 76, "h.1–18")
    assert ">h.1–18<" in draw(network.replaced(groups=groups)).svg


def test_a_written_group_that_fits_is_drawn_open():
    network = stages(2, 2)
    assert draw(network).svg == draw(network.replaced(groups=())).svg


def test_groups_that_are_no_stretch_of_the_trunk_fold_as_what_they_hold():
    scattered = Group(name="odd", nodes=tuple(f"f{k}" for k in range(1, 61, 2)))
    network = families.mlp(depth=60, width=8, skip_every=2, input=(8,))
    assert groups_of(network.replaced(groups=[scattered])).blocks == groups_of(network).blocks
    held = [
        Group(name="low", nodes=tuple(f"f{k}" for k in range(1, 21))),
        Group(name="ends", nodes=(*(f"f{k}" for k in range(1, 21)), "f60")),
    ]
    (block,) = groups_of(network.replaced(groups=held)).blocks
    assert (block.first, block.last, block.name) == (0, 19, "low")


def test_written_groups_too_small_to_fold_leave_what_the_structure_shows():
    network = families.mlp(depth=60, width=8, skip_every=2, input=(8,))
    pair = network.replaced(groups=[Group(name="pair", nodes=("f3", "f4"))])
    assert groups_of(pair).blocks == groups_of(network).blocks


def test_a_long_name_is_shortened_on_its_row_and_whole_in_its_sentence():
    network = families.mlp(depth=60, width=8, skip_every=0, input=(8,))
    name = "encoder/scale-four/residual.blocks"
    svg = draw(network.replaced(groups=[Group(name=name, nodes=tuple(f"f{k}" for k in range(1, 51)))])).svg
    assert f"{name}: 50 layers, f(1) to f(50), folded" in svg
    assert ">…dual.blocks<" in svg


def test_a_description_lists_the_groups():
    said = network_described("net", stack(4, [Group(name="low/first", nodes=("f1", "f2", "f3"))]))
    assert any(line.split() == ["low/first", "f1", "f3", "3"] for line in said.splitlines())
