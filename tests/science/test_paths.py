"""Path counts of Figure 4.9, by the layers traversed, and a gradient taken apart by its paths."""

import pytest
import torch

from skipviz import edit, families
from skipviz.evidence.paths import Paths
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


def ended(steps):
    """Return what a generator returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_the_parts_of_all_path_lengths_sum_to_the_gradient_of_the_probe(norm):
    network = families.mlp(depth=9, width=16, skip_every=1, norm=norm, init="he", order="norm-act-op", input=(16,))
    paths = Paths(network, 0, 8)
    parts = ended(paths.by_length())
    assert parts.shape == (10, 8, 16)
    assert torch.equal(parts[0], paths.last)
    assert (parts.sum(0) - paths.whole).abs().max() < 1e-12 * paths.whole.abs().max()


def test_the_single_paths_of_a_length_sum_to_the_part_of_that_length():
    network = families.mlp(depth=5, width=16, skip_every=1, norm="batch", init="he", order="norm-act-op", input=(16,))
    paths = Paths(network, 0, 8)
    through = torch.cartesian_prod(*[torch.tensor([False, True])] * 5)
    single = ended(paths.along(through))
    for length, part in enumerate(ended(paths.by_length())):
        assert (single[through.sum(1) == length].sum(0) - part).abs().max() < 1e-12
