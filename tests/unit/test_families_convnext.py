"""ConvNeXt has the published parameters, is the network written out here, and refuses what is none (Liu et al. 2022)."""

import pytest
import torch
from reference import assert_same_function, stirred, weights_copied
from scripts import check, short
from torch import Tensor, nn

from skipviz import Experiment, NetworkError, Task, Training, families
from skipviz.learning.build import build


class PixelNorm(nn.LayerNorm):
    """Layer norm over the channels of `(batch, channels, height, width)`."""

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Scaled(nn.Module):
    """γ times a map of each pixel."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((width, 1, 1), 1e-6))
        self.map = nn.Conv2d(inputs, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.gamma * self.map(x)


class Block(nn.Sequential):
    """x + γ W₂ GELU(W₁ LN(depthwise 7×7 x))."""

    def __init__(self, width: int) -> None:
        super().__init__(
            nn.Conv2d(width, width, 7, padding=3, groups=width), PixelNorm(width),
            nn.Conv2d(width, 4 * width, 1), nn.GELU(), Scaled(4 * width, width),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


class Reference(nn.Module):
    """Two stages of 2 and 1 blocks, 8 and 12 channels, patches of 2×2."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 2, 2), PixelNorm(8), Block(8), Block(8),
            PixelNorm(8), nn.Conv2d(8, 12, 2, 2), Block(12),
        )  # fmt: skip
        self.norm = nn.LayerNorm(12, eps=1e-6)
        self.head = nn.Linear(12, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(self.body(x).mean((2, 3))))


def test_the_published_one_has_its_parameters_in_torch_too():
    network = families.convnext()
    assert network.parameter_count() == 28_589_128
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in build(network).parameters()) == 28_589_128
    assert network.shapes.states[-2] == (768, 7, 7)
    assert len(network.skips) == 18


def test_it_is_the_written_out_network():
    network = families.convnext(blocks=(2, 1), widths=(8, 12), patch=2, input=(3, 16, 16), head=10)
    model, reference = stirred(build(network)), Reference()
    x = torch.randn(6, 3, 16, 16, generator=torch.Generator().manual_seed(3))
    between = model.layers["f8"]  # a norm before its convolution: parameters stand the other way round
    others = [*(module for name, module in model.layers.named_children() if name != "f8"), model.head]
    flat = [part for part in reference.modules() if next(part.parameters(recurse=False), None) is not None]
    norm, down = reference.body[4], reference.body[5]
    rest = nn.ModuleList([part for part in flat if part not in (norm, down)])
    pairs = [(nn.ModuleList(others), _inner_last(rest)), (between, nn.ModuleList([down, norm]))]
    parameters = weights_copied(pairs)
    assert_same_function(model, reference, parameters, x)
    assert_same_function(model.eval(), reference.eval(), parameters, x)


def _inner_last(parts: nn.ModuleList) -> nn.ModuleList:
    """Return the modules with those that hold others' parameters once only."""
    inner = {id(child) for part in parts for child in part.modules() if child is not part}
    return nn.ModuleList([part for part in parts if id(part) not in inner])


def test_drop_path_rises_to_the_last_block_and_the_plain_twin_has_neither():
    network = families.convnext(drop_path=0.1)
    rates = [layer.drop_path for layer in network.layers if layer.scale_learned]
    assert rates[0] == 0
    assert rates[-1] == 0.1
    assert rates == sorted(rates)
    plain = families.convnext(drop_path=0.1, plain=True)
    assert plain.skips == ()
    assert not any(layer.drop_path for layer in plain.layers)
    assert plain.parameter_count() == network.parameter_count()


def test_a_small_one_trains_as_its_script_does():
    network = families.convnext(blocks=(1, 1), widths=(6, 12), patch=1, drop_path=0.2, input=(1, 8, 8), head=10)
    check(
        short(
            Experiment(variants={"net": network}, task=Task(name="digits", samples=80), training=Training(batch_size=16)), steps=4
        )
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"blocks": (1, 2)}, "1 to 8 stages of at least one block, and as many widths"),
        ({"patch": 0}, "the patch is between 1 and 8, not 0"),
        ({"kernel": 4}, "the kernel is odd"),
        ({"drop_path": 1}, "the drop-path is between 0 and 0.9, not 1"),
        ({"input": (3, 16, 16)}, "need a square image of at least 32 pixels a side"),
        ({"input": (3, 224, 160)}, "need a square image"),
        ({"input": (3, 640, 640)}, "may have 16 pixels a side, not 20"),
    ],
)
def test_what_is_no_convnext_is_refused_in_a_sentence(options, sentence):
    with pytest.raises(NetworkError, match=sentence):
        families.convnext(**options)
