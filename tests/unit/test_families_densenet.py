"""DenseNets have the published layers and parameters and join all pairs of a block; highway networks have a gate a layer."""

import pytest
import torch

from skipviz import Experiment, NetworkError, Task, edit, families, link
from skipviz.learning.build import build


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"depth": 121}, 7_978_856),
        ({"depth": 169}, 14_149_480),
        ({"depth": 201}, 20_013_928),
        ({"depth": 161}, 28_681_000),
        ({"depth": 100}, 769_162),
        ({"depth": 190, "growth": 40}, 25_624_430),
        ({"depth": 250, "growth": 24}, 15_324_406),
        ({"depth": 40, "bottleneck": False, "compression": 1.0}, 1_019_722),
    ],
    ids=lambda value: str(value.get("depth")) if isinstance(value, dict) else None,
)
def test_a_densenet_has_the_published_number_of_parameters(options, count):
    assert families.densenet(**options).parameter_count() == count


def test_torch_builds_as_many_of_the_one_of_121_layers():
    with torch.device("meta"):
        assert sum(p.numel() for p in build(families.densenet()).parameters()) == 7_978_856


def test_the_depth_counts_the_layers_with_weights():
    assert sum(layer.op.kind == "conv" for layer in families.densenet(121).layers) + 1 == 121
    assert sum(layer.op.kind == "conv" for layer in families.densenet(100).layers) + 1 == 100


def test_every_layer_of_a_block_reads_all_states_before_it_in_the_block():
    network = families.densenet(blocks=(3, 2), growth=4, input=(1, 8, 8))
    pairs = [(skip.source, skip.target) for skip in network.skips]
    assert pairs == [(1, 3), (1, 5), (3, 5), (1, 7), (3, 7), (5, 7), (9, 11), (9, 13), (11, 13)]
    assert {skip.merge for skip in network.skips} == {"concat"}
    reads = [network.shapes.layers[k].input[0] for k in (1, 3, 5, 7, 9, 11)]
    assert reads == [8, 12, 16, 20, 10, 14]


def test_compression_leaves_a_share_of_the_channels():
    whole = families.densenet(blocks=(2, 2), growth=4, compression=1.0, input=(1, 8, 8))
    assert [families.densenet(blocks=(2, 2), growth=4, input=(1, 8, 8)).layers[5].op.width, whole.layers[5].op.width] == [8, 16]


def test_a_dense_network_runs_and_each_skip_toggles_alone():
    network = families.densenet(blocks=(2, 2), growth=3, input=(1, 8, 8))
    build(network)(torch.randn(4, 1, 8, 8)).sum().backward()
    assert all(edit.set_skip(network, skip.id, on=False).shapes == network.shapes for skip in network.skips)


def test_a_densenet_of_a_hundred_layers_travels_in_a_short_link():
    experiment = Experiment(variants={"a": families.densenet(100, input=(1, 8, 8))}, task=Task(name="digits"))
    assert link.decode(link.encode(experiment)) == experiment
    assert len(link.encode(experiment)) < 1000


def test_a_highway_network_has_a_gate_over_every_layer_that_keeps_the_width():
    network = families.highway(4, 8, gate_bias=-3.0)
    assert [(skip.source, skip.target, skip.merge, skip.gate_bias) for skip in network.skips] == [
        (1, 2, "gate", -3.0),
        (2, 3, "gate", -3.0),
        (3, 4, "gate", -3.0),
    ]
    assert len(families.highway(4, 64).skips) == 4
    assert len(families.highway(4, 6, input=(6, 4, 4)).skips) == 4


def test_a_highway_layer_has_a_second_map_for_its_gate():
    plain, gated = families.highway(50, 50, plain=True), families.highway(50, 50)
    assert plain.skips == ()
    assert gated.parameter_count() - plain.parameter_count() == 49 * (50 * 50 + 50)


@pytest.mark.parametrize(
    ("family", "options", "words"),
    [
        (families.densenet, {"depth": 99}, "6n + 4 layers, not 99"),
        (families.densenet, {"depth": 4}, "6n + 4 layers, not 4"),
        (families.densenet, {"depth": 41, "bottleneck": False}, "3n + 4 layers, not 41"),
        (families.densenet, {"compression": 0}, "more than 0 and at most 1"),
        (families.densenet, {"growth": 1000}, "growth is between 1 and 256"),
        (families.densenet, {"blocks": (0, 2)}, "number of layers is between 1 and 100"),
        (families.densenet, {"input": (64,)}, "the input is an image"),
        (families.highway, {"depth": 0}, "depth is between 1 and 2,500"),
        (families.highway, {"gate_bias": -11}, "gate_bias"),
        (families.highway, {"width": 0}, "width"),
    ],
)
def test_a_wrong_number_is_refused_in_words(family, options, words):
    with pytest.raises(NetworkError) as caught:
        family(**options)
    assert words in str(caught.value)
