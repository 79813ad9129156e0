"""The row table: what stands where, before anything has a pixel; and which layers fold."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skipviz.drawing import fold
from skipviz.drawing.rows import BOX, COLLAPSED, HEAD, JOINT, SIDE, TAP, plan
from skipviz.network import Layer, Linear, Network, Skip, edit, families
from skipviz.network.groups import groups_of, is_stack
from skipviz.tasks.presets import figure, figure_unit


def chain(depth, pairs, merge="add"):
    layers = [Layer(op=Linear(width=8))] * depth
    return Network(input=(8,), layers=layers, skips=[Skip(source=i, target=j, merge=merge) for i, j in pairs])


def ends(table):
    return {table.network.skips[link.skips[0]].id: (link.start.kind, link.end.kind) for link in table.links}


def blocks_of(network):
    return groups_of(network).blocks


def table_of(network):
    return plan(network, fold.boxes(network))


def test_skips_of_the_left_panel_leave_from_the_trunk_and_end_at_boxes():
    assert set(ends(table_of(figure_unit("left"))).values()) == {(TAP, BOX)}


def test_nested_skips_leave_from_the_sides_of_their_boxes():
    assert set(ends(table_of(figure_unit("center"))).values()) == {(SIDE, BOX)}


def test_residual_skips_end_at_joints():
    table = table_of(figure_unit("right"))
    assert set(ends(table).values()) == {(TAP, JOINT)}
    assert sorted(table.joints) == [1, 3]


def test_a_concat_into_the_last_state_ends_at_the_head():
    table = table_of(chain(4, [(1, 4)], "concat"))
    assert ends(table) == {"s1": (TAP, HEAD)}
    assert table.head == (0,)


def test_a_repeated_unit_is_one_set_of_rows_with_every_repeats_layers():
    network = figure("right", 6).network
    table = plan(network, fold.unit_boxes(network, 6), 6)
    assert [item.layers for item in table.items] == [tuple(range(k, 24, 4)) for k in range(4)]
    assert table.gaps[0] == (0, 4, 8, 12, 16, 20)
    assert table.feeds(4) == (4, 8, 12, 16, 20)
    assert [len(link.skips) for link in table.links] == [6, 6]


def test_a_network_with_one_unit_changed_is_no_stack():
    network = figure("right", 3).network
    assert is_stack(network, 3)
    assert not is_stack(edit.remove_skip(network, network.skips[0].id), 3)


@pytest.mark.parametrize(("every", "width_in", "expected"), [(2, 32, (0, 2, 150)), (2, 2, (1, 2, 149)), (3, 32, (0, 3, 100))])
def test_the_repeating_block_of_a_residual_stack_is_found(every, width_in, expected):
    network = families.mlp(depth=300, width=32, skip_every=every, input=(width_in,))
    blocks = blocks_of(network)
    assert (blocks[0].first, blocks[0].last + 1 - blocks[0].first, len(blocks)) == expected


def test_one_more_skip_does_not_change_the_blocks():
    network = families.mlp(depth=300, width=32, skip_every=2, input=(32,))
    assert blocks_of(edit.add_skip(network, 101, 200)) == blocks_of(network)


def test_switching_a_skip_off_does_not_change_the_blocks():
    network = families.mlp(depth=300, width=32, skip_every=2, input=(32,))
    assert blocks_of(edit.set_skip(network, "s10-12", on=False)) == blocks_of(network)


def test_opening_a_layer_opens_its_block_and_the_next():
    network = families.mlp(depth=300, width=32, skip_every=2, input=(32,))
    items = fold.folded(network, blocks_of(network), 1, {136})
    assert [(item.first + 1, item.last + 1, item.blocks) for item in items if item.kind == "collapsed"] == [
        (3, 136, 67),
        (141, 298, 79),
    ]


def test_a_skip_into_a_collapsed_group_is_drawn_to_the_fold_with_its_like():
    network = families.mlp(depth=300, width=32, skip_every=2, input=(32,))
    for source in (101, 121):
        network = edit.add_skip(network, source, 300)
    table = plan(network, fold.folded(network, blocks_of(network), 1))
    link = next(link for link in table.links if link.crosses_fold)
    assert (link.start.kind, link.end.kind, len(link.skips)) == (COLLAPSED, JOINT, 2)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_layer_and_every_skip_is_in_the_table_once(data):
    depth = data.draw(st.integers(1, 70))
    states = st.integers(0, depth)
    pairs = data.draw(st.sets(st.tuples(states, states).filter(lambda pair: pair[0] < pair[1]), max_size=25))
    network = chain(depth, sorted(pairs), data.draw(st.sampled_from(["add", "concat"])))
    opened = data.draw(st.sets(st.integers(0, depth - 1), max_size=2))
    table = plan(network, fold.folded(network, blocks_of(network), 2, opened))
    layers = [layer for item in table.items for layer in item.layers]
    skips = [skip for link in table.links for skip in link.skips] + [skip for inside in table.inside.values() for skip in inside]
    assert layers == list(range(depth))
    assert sorted(skips) == list(range(len(pairs)))
