"""MobileNetV2 has the published parameters, is the network written out here, and refuses what is none (Sandler et al. 2018)."""

import pytest
import torch
from reference import assert_same_function, stirred, weights_copied
from torch import Tensor, nn

from skipviz import NetworkError, families
from skipviz.learning.build import build
from skipviz.network.family.mobilenet import divisible


class Block(nn.Module):
    """y = F(x), or x + F(x) where x and y are of one shape; F of 1×1, depthwise 3×3 and 1×1 without activation."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        expand = [nn.Conv2d(inputs, inner, 1, bias=False), nn.BatchNorm2d(inner), nn.ReLU6()] if expansion > 1 else []
        self.branch = nn.Sequential(
            *expand, nn.Conv2d(inner, inner, 3, stride, 1, groups=inner, bias=False), nn.BatchNorm2d(inner), nn.ReLU6(),
            nn.Conv2d(inner, outputs, 1, bias=False), nn.BatchNorm2d(outputs),
        )  # fmt: skip
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x) if self.residual else self.branch(x)


class Reference(nn.Module):
    """The small layout at a quarter of the width, two blocks a stage, 24 channels last."""

    def __init__(self) -> None:
        super().__init__()
        table = [(1, 8, 1), (3, 8, 1), (3, 8, 2), (3, 16, 2), (3, 24, 1), (3, 40, 2), (3, 80, 1)]
        blocks, inputs = [], 8
        for expansion, outputs, stride in table:
            blocks += [Block(inputs, outputs, stride, expansion), Block(outputs, outputs, 1, expansion)]
            inputs = outputs
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 3, 1, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6(), *blocks,
            nn.Conv2d(80, 24, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU6(),
        )  # fmt: skip
        self.head = nn.Linear(24, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).mean((2, 3)))


def test_the_published_one_has_its_parameters_in_torch_too():
    network = families.mobilenet()
    assert network.parameter_count() == 3_504_872
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in build(network).parameters()) == 3_504_872


def test_it_is_the_written_out_network():
    network = families.mobilenet(0.25, expansion=3, blocks=(2,) * 7, last=24, layout="small", input=(3, 16, 16))
    model, reference = stirred(build(network)), Reference()
    x = torch.randn(6, 3, 16, 16, generator=torch.Generator().manual_seed(3))
    parameters = weights_copied([(model, reference)])
    assert_same_function(model, reference, parameters, x)
    assert_same_function(model.eval(), reference.eval(), parameters, x)


def test_only_blocks_that_keep_stride_and_channels_have_a_skip():
    network = families.mobilenet()
    assert len(network.skips) == 17 - 7
    assert all(network.shapes.states[skip.source] == network.shapes.states[skip.target] for skip in network.skips)
    assert families.mobilenet(plain=True).skips == ()
    assert families.mobilenet(plain=True).layers == network.layers


@pytest.mark.parametrize(("channels", "rounded"), [(32 * 0.35, 16), (16 * 0.25, 8), (24 * 1.4, 32), (64.0, 64), (1792.0, 1792)])
def test_channels_are_multiples_of_eight_and_never_much_fewer(channels, rounded):
    assert divisible(channels) == rounded


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"width": 0}, "the width is between 0.05 and 8, not 0"),
        ({"expansion": 0}, "the expansion is between 1 and 32, not 0"),
        ({"blocks": (1, 2)}, "a MobileNetV2 has 7 stages of at least one block"),
        ({"layout": "large"}, "the layout is one of imagenet, small, not large"),
    ],
)
def test_what_is_no_mobilenet_is_refused_in_a_sentence(options, sentence):
    with pytest.raises(NetworkError, match=sentence):
        families.mobilenet(**options)
