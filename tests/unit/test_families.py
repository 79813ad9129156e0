"""Families lay their skips where the field lays them, and every preset is a valid experiment."""

import pytest

from skipviz import NetworkError, edit, families, presets
from skipviz.tasks.presets import figure, figure_unit, vanishing


def pairs(network) -> list[tuple[int, int]]:
    return [(skip.source, skip.target) for skip in network.skips]


def paths_by_length(network) -> list[int]:
    """Return the number of layers that each path from the input to the output passes, sorted."""
    lengths = {0: [0]}
    for k in range(1, network.depth + 1):
        entering = lengths[k - 1] + [
            n for skip in network.skips if skip.merge == "concat" and skip.target == k - 1 for n in lengths[skip.source]
        ]
        lengths[k] = [n + 1 for n in entering]
        lengths[k] += [n for skip in network.skips if skip.merge == "add" and skip.target == k for n in lengths[skip.source]]
    return sorted(lengths[network.depth])


def test_residual_skips_start_at_the_first_state_with_their_targets_shape():
    network = families.mlp(depth=24, width=64, skip_every=2)
    assert pairs(network) == [(i, i + 2) for i in range(1, 22, 2)]
    assert network.skips[0].id == "s1-3"
    assert network.shapes.skips[0].parameters == 0


def test_residual_skips_start_at_the_input_where_it_is_as_wide_as_the_layers():
    assert pairs(families.mlp(depth=4, width=64, skip_every=2, input=(64,))) == [(0, 2), (2, 4)]


def test_a_stack_too_short_for_a_residual_skip_has_none():
    assert families.mlp(depth=2, width=64, skip_every=2).skips == ()


def test_without_skip_every_a_stack_is_plain():
    assert families.mlp().skips == ()
    assert families.mlp().depth == 20


@pytest.mark.parametrize("merge", ["add", "concat", "gate"])
def test_the_merge_of_the_skips_can_be_chosen(merge):
    network = families.mlp(depth=6, width=8, skip_every=2, merge=merge)
    assert {skip.merge for skip in network.skips} == {merge}


def test_nested_skips_join_equal_distances_from_the_ends():
    network = families.conv(depth=6, pattern="nested")
    assert pairs(network) == [(1, 5), (2, 4)]
    assert {skip.merge for skip in network.skips} == {"concat"}


def test_nested_skips_of_a_deep_stack_keep_to_six():
    assert len(families.mlp(depth=300, pattern="nested").skips) <= 6


def test_dense_skips_join_every_pair_of_a_block():
    """With concat, layer k + 1 reads h_k and all states of its block below it (Huang et al. 2017)."""
    network = families.mlp(depth=5, width=4, pattern="dense", skip_every=5)
    assert pairs(network) == [(1, 2), (1, 3), (2, 3), (1, 4), (2, 4), (3, 4)]
    assert [layer.input[0] for layer in network.shapes.layers] == [2, 4, 8, 12, 16]


def test_a_conv_stack_keeps_the_images_size():
    network = families.conv(depth=3, width=16)
    assert network.shapes.states == ((1, 8, 8), (16, 8, 8), (16, 8, 8), (16, 8, 8))
    assert network.parameter_count() == 160 + 2 * 2320 + 170


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"depth": 0}, "a stack has between 1 and 2,500 layers, not 0"),
        ({"depth": 10**12}, "a stack has between 1 and 2,500 layers"),
        ({"width": 0}, "width"),
        ({"width": 10**9}, "width"),
        ({"activation": "swish"}, "activation"),
        ({"norm": "spectral"}, "norm"),
        ({"init": "magic"}, "init"),
        ({"skip_every": -1}, "a residual skip passes at least one layer"),
        ({"skip_every": 2, "merge": "divide"}, "merge"),
        ({"depth": 2500, "width": 1, "pattern": "dense", "skip_every": 2500}, "more than 6,000 skips"),
        ({"head": 0}, "outputs"),
        ({"input": ()}, "input"),
    ],
)
def test_a_wrong_number_is_refused_by_name(options, words):
    with pytest.raises(NetworkError) as caught:
        families.mlp(**options)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("panel", "lengths"),
    [("left", [3, 4, 5, 6, 6, 7, 8]), ("center", [2, 4, 6]), ("right", [0, 2, 2, 4])],
)
def test_figure_4_9_has_its_paths_from_input_to_output(panel, lengths):
    """Veit et al. 2016 count paths by the layers they pass; the left panel's concats multiply them."""
    assert paths_by_length(figure_unit(panel)) == lengths


def test_figure_4_9_has_the_skips_that_the_book_draws():
    assert pairs(figure_unit("left")) == [(1, 3), (1, 6), (4, 5), (5, 7)]
    assert sorted(pairs(figure_unit("center"))) == [(1, 5), (2, 4)]
    assert pairs(figure_unit("right")) == [(0, 2), (2, 4)]
    assert [figure_unit(panel).depth for panel in ("left", "center", "right")] == [8, 6, 4]
    assert [state[1] for state in figure_unit("center").shapes.states] == [32, 32, 16, 8, 16, 32, 32]


@pytest.mark.parametrize("panel", ["left", "center", "right"])
def test_every_panel_repeats(panel):
    assert figure(panel, 6).network.depth == 6 * figure_unit(panel).depth


@pytest.mark.parametrize("name", presets.names())
def test_every_preset_is_a_valid_experiment_with_words_of_its_own(name):
    preset = presets.preset(name)
    assert preset.make() == presets.get(name)
    assert all((preset.title, preset.do, preset.see, preset.source))


def test_the_lab_opens_on_24_layers_with_their_skips_off():
    experiment = vanishing(on=False)
    network = experiment.network
    assert (network.depth, network.layers[0].op.width, network.layers[0].activation) == (24, 64, "relu")
    assert {layer.init for layer in network.layers} == {"torch"}
    assert (experiment.training.optimizer, experiment.training.learning_rate, experiment.training.batch_size) == ("adam", 1e-3, 64)
    assert not any(skip.on for skip in network.skips)
    assert edit.switch_all(network, True) == vanishing(on=True).network


def test_a_preset_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(NetworkError, match="there is no preset 'resnet'; there are vanishing-plain"):
        presets.get("resnet")
