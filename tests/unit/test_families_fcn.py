"""Fully convolutional networks have the published sizes and parameters, and start as the paper says."""

import pytest
import torch

from skipviz import NetworkError, families
from skipviz.learning.build import build
from skipviz.sharing import packing

SMALL = {"stages": ((3, 1), (4, 1), (5, 1)), "classifier": 6, "padded": True, "input": (1, 16, 24), "head": 2}


@pytest.mark.parametrize(("variant", "count"), [("32s", 136_152_917), ("16s", 134_815_994), ("8s", 134_489_759)])
def test_the_published_networks_have_their_parameters(variant, count):
    """VGG-16's 134,260,544 without its last layer, scores for 21 classes and up-scalings of full weights without bias."""
    network = families.fcn(variant)
    assert network.parameter_count() == count
    assert network.shapes.output == (21, 500, 500)
    with torch.device("meta"):
        assert sum(p.numel() for p in build(network).parameters()) == count


def test_the_published_sizes_are_those_of_the_reference_implementation():
    """Of a 500² image: 22² after five pools, 16² scores, 34² and 70² after the two sums, 568² before the last crop."""
    sides = [state[1] for state in families.fcn("8s").shapes.states]
    assert sides[-6:] == [16, 16, 34, 70, 568, 500]
    assert 22 in sides


@pytest.mark.parametrize(("variant", "fused"), [("32s", 0), ("16s", 1), ("8s", 2)])
def test_scores_of_shallower_stages_join_by_adding(variant, fused):
    network = families.fcn(variant, **SMALL)
    assert len(network.skips) == fused
    assert {skip.merge for skip in network.skips} <= {"add"}
    assert [network.shapes.states[skip.source][0] for skip in network.skips] == [4, 3][:fused]
    assert network.shapes.output == (2, 16, 24)
    assert {(skip.adapter.channels, skip.adapter.init, skip.adapter.bias) for skip in network.skips} <= {("project", "zero", True)}


def test_scores_start_at_zero_and_learn_before_the_backbone_does():
    network = families.fcn("8s", **SMALL)
    model = build(network)
    outputs = model(torch.randn(2, 1, 16, 24))
    assert torch.count_nonzero(outputs) == 0
    (outputs * torch.randn_like(outputs)).sum().backward()
    score = next(k for k, layer in enumerate(network.layers) if layer.init == "zero")
    assert all(torch.count_nonzero(p.grad) == 0 for layer in list(model.layers)[:score] for p in layer.parameters())
    assert torch.count_nonzero(model.layers[score].operation.weight.grad) > 0
    assert all(torch.count_nonzero(skip.project.weight.grad) > 0 for skip in model.skips)


@pytest.mark.parametrize(("variant", "factors"), [("32s", [32]), ("16s", [2, 16]), ("8s", [2, 2, 8])])
def test_every_up_scaling_starts_as_bilinear_interpolation_of_each_class_by_itself(variant, factors):
    network = families.fcn(variant, ((3, 1), (4, 1), (5, 1), (5, 1), (5, 1)), 6, padded=True, input=(1, 32, 32), head=2)
    scaled = [
        (layer.op, module.operation.weight)
        for layer, module in zip(network.layers, build(network).layers, strict=True)
        if layer.op.kind == "up"
    ]
    assert [op.factor for op, _ in scaled] == factors
    for op, weight in scaled:
        tent = 1 - ((torch.arange(2 * op.factor) + 0.5) / op.factor - 1).abs()
        assert torch.allclose(weight, torch.eye(2)[:, :, None, None] * tent[:, None] * tent, atol=1e-6)


def test_it_packs_and_unpacks():
    data = {"variants": {"a": families.fcn("8s").model_dump(mode="json", exclude_defaults=True)}}
    assert packing.unpacked(packing.packed(data)) == data


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"variant": "4s"}, "variant is one of 32s, 16s, 8s"),
        ({"variant": "8s", "stages": ((4, 1), (4, 1))}, "number of stages is between 3 and 5"),
        ({"stages": ((4, 0), (4, 2))}, "at least one convolution"),
        ({"padded": True, "input": (3, 250, 256)}, "multiples of 32 pixels, not 250×256"),
        ({"head": 0}, "number of classes is between 1 and 2,000, not 0"),
        ({"input": (64,)}, "the input is an image"),
    ],
)
def test_what_is_no_fcn_is_refused_in_words(options, words):
    with pytest.raises(NetworkError) as caught:
        families.fcn(**options)
    assert words in str(caught.value)
