"""Switchboards: a dense block's skips share their lines, and each is still a mark of its own."""

from itertools import combinations, pairwise

import pytest

from skipviz.drawing import fold
from skipviz.drawing.board_paths import own_piece, pale_lines
from skipviz.drawing.boards import boards
from skipviz.drawing.column import lay_out
from skipviz.drawing.diagram import draw
from skipviz.drawing.geometry import STYLES
from skipviz.drawing.rows import plan
from skipviz.network import edit, families
from skipviz.network.groups import groups_of
from skipviz.tasks.presets import figure_unit, get, names

APART = 8
"""px between two marks that a finger or a pointer tells apart."""


def dense(block: int, depth: int | None = None):
    return families.mlp(depth=depth or block, width=8, skip_every=block, pattern="dense", input=(8,))


def table_of(network):
    return plan(network, fold.boxes(network))


def geometry_of(network):
    return lay_out(table_of(network), STYLES["lab"], 688)


def test_each_block_of_a_densenet_is_one_board():
    table = table_of(get("densenet-bc").network)
    assert [len(board) for board in boards(table)] == [21, 21, 21]


@pytest.mark.parametrize("network", [figure_unit("left"), figure_unit("center"), figure_unit("right"), dense(3)])
def test_a_few_skips_keep_lines_of_their_own(network):
    assert boards(table_of(network)) == []


def test_a_board_has_a_lane_for_each_source_and_a_row_for_each_reader():
    network = dense(6)
    geometry = geometry_of(network)
    lanes, rows = {}, {}
    for index, link in enumerate(geometry.plan.links):
        lanes.setdefault(link.start, set()).add(geometry.lanes[index])
        rows.setdefault(link.end, set()).add(geometry.paths[index][-1])
    assert all(len(found) == 1 for found in (*lanes.values(), *rows.values()))
    assert len({lane for found in lanes.values() for lane in found}) == len(lanes)
    assert len(pale_lines(geometry, 0)) == len(lanes) + len(rows)


def test_every_piece_of_a_boards_lines_belongs_to_one_skip():
    geometry = geometry_of(dense(6))
    pieces = [own_piece(geometry, index) for index in range(len(geometry.plan.links))]
    legs = [tuple(sorted(leg)) for piece in pieces for leg in pairwise(piece)]
    for (a, b), (c, d) in combinations(legs, 2):
        if a[0] == b[0] == c[0] == d[0]:
            assert b[1] <= c[1] or d[1] <= a[1]
        if a[1] == b[1] == c[1] == d[1]:
            assert b[0] <= c[0] or d[0] <= a[0]


@pytest.mark.parametrize("compact", [False, True])
def test_the_skips_of_a_densenet_stay_apart_and_the_diagram_narrow(compact):
    diagram = draw(get("densenet-bc").network, compact=compact)
    assert len(diagram.skips) == 63
    assert all(len(skip["ids"]) == 1 for skip in diagram.skips)
    assert diagram.width < 240
    for one, other in combinations(diagram.skips, 2):
        assert max(abs(one["x"] - other["x"]), abs(one["y"] - other["y"])) >= APART


def test_a_skip_that_is_off_keeps_its_mark_and_leaves_the_lines_of_others():
    network = dense(6)
    off = network.skips[5].id
    svg = draw(edit.set_skip(network, off, on=False)).svg
    assert svg.count('class="pale"') == 1
    assert svg.count("edge skip off dotted") == 1


def test_one_more_skip_from_a_blocks_source_joins_its_board():
    network = dense(6, depth=9)
    (before,) = boards(table_of(network))
    (after,) = boards(table_of(edit.add_skip(network, 1, 9)))
    assert len(after) == len(before) + 1


@pytest.mark.parametrize("name", [name for name in names() if "densenet" not in name])
def test_no_other_preset_has_a_board(name):
    network = get(name).network
    assert boards(table_of(network)) == []


def test_deep_dense_blocks_fold_one_by_one_and_a_click_opens_a_whole_one():
    network = families.densenet(121, growth=8)
    blocks = groups_of(network).blocks
    assert [block.last - block.first + 1 for block in blocks] == [13, 25, 49, 33]
    diagram = draw(network)
    assert [(group["first"] - 1, group["last"], group["count"]) for group in diagram.collapsed] == [
        (block.first, block.last + 1, readers) for block, readers in zip(blocks, (6, 12, 24, 16), strict=True)
    ]
    assert diagram.skips == []
    opened = draw(network, unfolded={blocks[1].first + 3})
    assert [group["first"] - 1 for group in opened.collapsed] == [blocks[k].first for k in (0, 2, 3)]
    assert len(opened.skips) == 12 * 13 / 2
    assert opened.width < 300


def test_a_network_without_dense_blocks_folds_as_ever():
    for fields in ({"skip_every": 2}, {"pattern": "dense", "skip_every": 6}):
        blocks = groups_of(families.mlp(depth=300, width=8, **fields)).blocks
        assert {block.unit for block in blocks} == {1}
