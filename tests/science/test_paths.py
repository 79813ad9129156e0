"""Path counts of Figure 4.9, by the layers traversed."""

import pytest

from skipviz import edit, families
from skipviz.network.paths import path_counts
from skipviz.tasks.presets import figure_unit


def lengths(network) -> list[int]:
    return [length for length, count in enumerate(path_counts(network)) for _ in range(count)]


@pytest.mark.parametrize(
    ("panel", "expected"),
    [("left", [3, 4, 5, 6, 6, 7, 8]), ("center", [2, 4, 6]), ("right", [0, 2, 2, 4])],
)
def test_the_panels_of_the_figure_have_these_paths(panel, expected):
    assert lengths(figure_unit(panel)) == expected


def test_a_residual_stack_has_binomially_many_paths():
    network = families.mlp(depth=13, skip_every=2, input=(2,))
    counts = path_counts(network)
    assert [counts[1 + 2 * k] for k in range(7)] == [1, 6, 15, 20, 15, 6, 1]


def test_with_every_skip_off_there_is_one_path():
    assert lengths(edit.switch_all(figure_unit("left"), False)) == [8]


def test_a_lesion_in_a_branch_cuts_the_paths_through_it():
    network = edit.set_layer(figure_unit("right"), "f1", on=False)
    assert lengths(network) == [0, 2]
