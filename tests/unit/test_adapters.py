"""Adapters against plain torch written out here: outputs and gradients in float64, parameters counted by hand."""

import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from skipviz import (
    Adapter,
    Convolution,
    Experiment,
    Head,
    Layer,
    Network,
    Skip,
    Task,
    Upsampling,
    build,
    link,
)
from skipviz.network.placement import PLACEMENTS
from skipviz.network.positions import Between
from skipviz.sharing import packing

HALVED, DOUBLED = Convolution(width=4, kernel=3, stride=2), Upsampling(width=4)


def joined(adapter: Adapter, op, sides: tuple[int, int]) -> Network:
    """Return one layer and a skip beside it that lands by `adapter`."""
    skip, head = Skip(source=0, target=1, adapter=adapter), Head(kind="state", outputs=4)
    return Network(input=(3, *sides), layers=(Layer(op=op),), skips=(skip,), head=head)


def mean_of_windows(x: torch.Tensor) -> torch.Tensor:
    """The mean of each 2×2 window; of those that reach over the edge, of what is there (ResNet-D of odd sides)."""
    ones = F.avg_pool2d(F.pad(torch.ones_like(x), (0, x.shape[3] % 2, 0, x.shape[2] % 2)), 2)
    return F.avg_pool2d(F.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2)), 2) / ones


def largest_of_windows(x: torch.Tensor) -> torch.Tensor:
    return F.max_pool2d(F.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2), value=-torch.inf), 2)


def centred(x: torch.Tensor, sides: tuple[int, int]) -> torch.Tensor:
    y = x.new_zeros(*x.shape[:2], *sides)
    top, left = (sides[0] - x.shape[2]) // 2, (sides[1] - x.shape[3]) // 2
    y[:, :, top : top + x.shape[2], left : left + x.shape[3]] = x
    return y


def point(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return F.conv2d(x, w, b)


CASES = {
    "average pool, 1×1": (Adapter(spatial="average-pool"), HALVED, (8, 6), lambda x, w, b: point(mean_of_windows(x), w, b)),
    "average pool of odd sides": (Adapter(spatial="average-pool"), HALVED, (7, 9), lambda x, w, b: point(mean_of_windows(x), w, b)),
    "max pool of odd sides": (Adapter(spatial="max-pool"), HALVED, (7, 8), lambda x, w, b: point(largest_of_windows(x), w, b)),
    "average pool without a stride": (
        Adapter(spatial="average-pool"), Convolution(width=4, kernel=3, padding=0), (7, 9),
        lambda x, w, b: point(torch.stack([torch.stack([
            x[:, :, i * 7 // 5 : -(-(i + 1) * 7 // 5), j * 9 // 7 : -(-(j + 1) * 9 // 7)].mean((2, 3)) for j in range(7)], 2)
            for i in range(5)], 2), w, b),
    ),
    "max pool without a stride": (
        Adapter(spatial="max-pool"), Convolution(width=4, kernel=3, padding=0), (6, 6),
        lambda x, w, b: point(F.adaptive_max_pool2d(x, 4), w, b),
    ),
    "nearest, larger": (Adapter(spatial="nearest"), DOUBLED, (3, 4), lambda x, w, b: point(
        x.repeat_interleave(2, 2).repeat_interleave(2, 3), w, b)),
    "nearest, smaller": (Adapter(spatial="nearest"), HALVED, (8, 6), lambda x, w, b: point(x[:, :, ::2, ::2], w, b)),
    "bilinear, larger": (Adapter(spatial="bilinear"), DOUBLED, (3, 4), lambda x, w, b: point(
        F.interpolate(x, scale_factor=2, mode="bilinear"), w, b)),
    "bilinear, smaller": (Adapter(spatial="bilinear"), HALVED, (8, 6), lambda x, w, b: point(F.avg_pool2d(x, 2), w, b)),
    "zeros around": (Adapter(spatial="pad"), DOUBLED, (3, 4), lambda x, w, b: point(centred(x, (6, 8)), w, b)),
    "zeros behind": (Adapter(spatial="pad", offset=0), DOUBLED, (3, 4), lambda x, w, b: point(F.pad(x, (0, 4, 0, 3)), w, b)),
    "3×3 that strides": (Adapter(spatial="stride", kernel=3), HALVED, (7, 8), lambda x, w, b: F.conv2d(x, w, b, 2, 1)),
    "5×5 in place": (Adapter(kernel=5), Convolution(width=4), (5, 6), lambda x, w, b: F.conv2d(x, w, b, 1, 2)),
    "3×3 of a pool": (Adapter(spatial="average-pool", kernel=3), HALVED, (8, 6), lambda x, w, b: F.conv2d(
        F.avg_pool2d(x, 2), w, b, 1, 1)),
    "7×7 of a crop": (Adapter(spatial="crop", kernel=7), HALVED, (8, 6), lambda x, w, b: F.conv2d(x[:, :, 2:6, 1:4], w, b, 1, 3)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_an_adapter_is_what_is_written_out_and_so_are_its_gradients(name):
    adapter, op, sides, reference = CASES[name]
    network = joined(adapter.replaced(channels="project"), op, sides)
    model = build(network).double()
    x = torch.randn(2, 3, *sides, dtype=torch.float64, requires_grad=True)
    project, layer = model.skips[0].project, model.layers[0]
    assert network.parameter_count() == sum(part.numel() for part in model.parameters())
    assert network.shapes.skips[0].parameters == 4 * 3 * adapter.kernel**2 + 4
    mine, theirs = model(x), layer(x) + reference(x, project.weight, project.bias)
    weights = torch.randn_like(mine)
    parts = [x, *model.parameters()]
    found, wanted = (torch.autograd.grad((y * weights).sum(), parts) for y in (mine, theirs))
    for left, right in zip((mine, *found), (theirs, *wanted), strict=True):
        assert (left - right).abs().max() < 1e-12


@pytest.mark.parametrize(
    ("adapter", "op", "sentence"),
    [
        (Adapter(spatial="average-pool"), DOUBLED, "pooling only takes positions together: h(0) has 4×4 and h(1) 8×8 positions"),
        (Adapter(spatial="pad"), HALVED, "padding only adds positions: h(0) has 4×4 and h(1) 2×2 positions"),
        (Adapter(spatial="pad", offset=5), DOUBLED, "padding only adds positions: h(0) has 4×4 and h(1) 8×8 positions"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_sentence(adapter, op, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        joined(adapter, op, (4, 4))


def test_a_wide_projection_wants_positions_and_keeps_a_sequences_length():
    layer, wide = Layer(op={"kind": "linear", "width": 5}), Skip(source=0, target=1, adapter=Adapter(channels="project", kernel=3))
    with pytest.raises(ValueError, match="is for images and sequences, not features"):
        Network(input=(4,), layers=(layer,), skips=(wide,), head=Head(kind="state", outputs=5))
    network = Network(input=(6, 4), layers=(layer,), skips=(wide,), head=Head(kind="state", outputs=5))
    model, along = build(network), nn.Conv1d(4, 5, 3, padding=1)
    along.load_state_dict(model.skips[0].project.state_dict())
    x = torch.randn(2, 6, 4)
    torch.testing.assert_close(model(x) - model.layers[0](x), along(x.mT).mT, rtol=1e-5, atol=1e-6)


def test_a_gates_transform_strides_where_its_wide_projection_does():
    skip = Skip(source=0, target=1, merge="gate", adapter=Adapter(spatial="stride", channels="project", kernel=3))
    network = Network(input=(3, 8, 8), layers=(Layer(op=HALVED),), skips=(skip,), head=Head(kind="state", outputs=4))
    model, x = build(network), torch.randn(2, 3, 8, 8)
    (way,) = model.skips
    t = torch.sigmoid(F.conv2d(x[:, :, ::2, ::2], way.gate.weight, way.gate.bias))
    f, a = model.layers[0](x), F.conv2d(x, way.project.weight, way.project.bias, 2, 1)
    torch.testing.assert_close(model(x), t * f + (1 - t) * a)


def test_letters_and_numbers_of_adapters_stay():
    letters = {"s": "spatial", "c": "channels", "w": "width", "b": "bias", "n": "norm", "i": "init", "o": "offset", "k": "kernel"}
    assert letters.items() <= packing.ADAPTER.items()
    names = ["stride", "crop", "resize", "average-pool", "max-pool", "pad", "nearest", "bilinear"]
    assert [name for name, kind in PLACEMENTS.items() if kind.number <= 8] == names
    head, layers = Head(outputs=10), (Layer(op=Convolution(width=4, stride=2)),)
    for name, kind in PLACEMENTS.items():
        if kind.problem(Between.of((1, 8, 8), (4, 4, 4))) is None:
            skip = Skip(source=0, target=1, adapter=Adapter(spatial=name, channels="project", kernel=3))
            network = Network(input=(1, 8, 8), layers=layers, skips=(skip,), head=head)
            experiment = Experiment(variants={"one": network}, task=Task(name="digits"))
            assert link.decode(link.encode(experiment)) == experiment == Experiment.kept(experiment.to_json())
