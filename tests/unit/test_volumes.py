"""Networks of volumes against plain torch written out here; the 3-D U-Net's count is the paper's (Çiçek et al. 2016)."""

import pytest
import torch
from reference import assert_same_function, stirred, weights_copied
from torch import Tensor, nn
from torch.nn import functional as F

from skipviz import (
    Adapter,
    Convolution,
    Edge,
    Head,
    Join,
    Layer,
    Linear,
    Mean,
    Network,
    NetworkError,
    Node,
    Pool,
    Skip,
    Upsampling,
    families,
)
from skipviz.learning.build import build
from skipviz.learning.probe import gradients, record
from skipviz.network.base import written
from skipviz.sharing.script.experiment import network_source


class Scale(nn.Module):
    """Two 3×3×3 convolutions that end in `wide` channels, the next scale below a max-pool, up-convolution, concat, two more."""

    def __init__(self, inputs: int, narrow: int, below: int, padded: bool) -> None:
        super().__init__()
        wide = 2 * narrow
        self.down = nn.Sequential(*_convolved(inputs, narrow, padded), *_convolved(narrow, wide, padded))
        self.below = Scale(wide, wide, below - 1, padded) if below else None
        if below:
            self.up = nn.ConvTranspose3d(2 * wide, 2 * wide, 2, 2, bias=False)
            self.joined = nn.Sequential(*_convolved(3 * wide, wide, padded), *_convolved(wide, wide, padded))

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(x)
        if self.below is None:
            return x
        y = self.up(self.below(F.max_pool3d(x, 2)))
        for axis in (2, 3, 4):
            x = x.narrow(axis, (x.shape[axis] - y.shape[axis]) // 2, y.shape[axis])
        return self.joined(torch.cat([y, x], 1))

    def in_order(self) -> list[nn.Module]:
        own = [self.down[:3], self.down[3:]]
        return own if self.below is None else [*own, *self.below.in_order(), self.up, self.joined[:3], self.joined[3:]]


def _convolved(inputs: int, width: int, padded: bool) -> list[nn.Module]:
    return [nn.Conv3d(inputs, width, 3, padding=int(padded), bias=False), nn.BatchNorm3d(width), nn.ReLU()]


@pytest.mark.parametrize(("padded", "sides", "out"), [(False, (44, 48, 44), (4, 8, 4)), (True, (8, 12, 4), (8, 12, 4))])
def test_the_3d_unet_is_the_written_out_one(padded, sides, out):
    network = families.unet3d(depth=2, width=2, padded=padded, input=(2, *sides), head=3)
    model = stirred(build(network))
    reference = nn.Sequential(Scale(2, 2, 2, padded), nn.Conv3d(4, 3, 1))
    layers = [layer for layer in model.layers if list(layer.parameters())]
    parameters = weights_copied([*zip(layers, reference[0].in_order(), strict=True), (model.head, reference[1])])
    assert network.shapes.output == (3, *out)
    assert_same_function(model, reference, parameters, torch.randn(2, 2, *sides, generator=torch.Generator().manual_seed(2)))


def test_the_3d_unets_count_and_sizes_are_the_papers():
    """19,069,955 parameters: convolutions have biases, up-convolutions none, and no norm is counted."""
    network = families.unet3d(norm="none")
    assert network.parameter_count() == 19_069_955
    assert (network.input, network.shapes.output) == ((3, 116, 132, 132), (3, 28, 44, 44))
    widths = [layer.op.width for layer in network.layers if layer.op.kind == "conv"]
    assert widths == [32, 64, 64, 128, 128, 256, 256, 512, 256, 256, 128, 128, 64, 64]
    with_norms = families.unet3d().parameter_count()
    assert with_norms == 19_069_955 + sum(widths)  # a norm's weight beside its bias, which takes the convolution's place


SIDES = (5, 6, 4)
NETWORKS = {
    "odd sides padded up": families.unet3d(depth=2, width=2, padded=True, input=(1, 7, 5, 6), head=1),
    "bilinear": families.unet(depth=2, width=2, up="bilinear", merge="add", padded=True, input=(1, 7, 5, 6), head=1),
    "attention gates": families.unet3d(depth=1, width=2, padded=True, gates=True, input=(1, *SIDES), head=1),
    "nested": families.unet(depth=2, width=2, padded=True, nested=True, input=(1, *SIDES), head=2),
    "short skips": families.unet3d(depth=1, width=2, padded=True, short_every=2, short_kernel=3, input=(1, *SIDES), head=1),
    "a ResNet that pools and excites": families.resnet(8, "pool", widths=(4, 6, 8), reduction=2, input=(1, 8, 6, 8), head=3),
    "a highway": families.highway(3, 4, input=(2, *SIDES), head=2),
    "flat": Network(input=(2, 3, 4, 2), layers=(Layer(op=Linear(width=5)),), head=Head(outputs=3)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_of_volumes_is_the_same_in_its_script_and_shares_of_gradients_sum(name):
    network, space = NETWORKS[name], {}
    exec(network_source(network), space)
    model, x = build(network), torch.randn(2, *network.input, generator=torch.Generator().manual_seed(0))
    assert torch.equal(space["Network"]()(x), model(x))
    model = stirred(model).double()
    outputs, recording = record(model, x.double())
    found = gradients(outputs.square().sum(), list(model.parameters()), recording)
    for k in range(network.depth):
        parts = [found.trunks[k], *(part for skip, part in zip(network.skips, found.skips, strict=True) if skip.source == k)]
        parts = [part[0] * part[1] if isinstance(part, tuple) else part for part in parts if part is not None]
        if not any(edge.source in (f"f{k}", "input") for edge in network.edges):
            torch.testing.assert_close(sum(parts), found.states[k], rtol=1e-12, atol=1e-12)


CASES = {
    "average pool": (Adapter(spatial="average-pool"), Convolution(width=4, stride=2), lambda x: F.avg_pool3d(x, 2, ceil_mode=True)),
    "max pool": (Adapter(spatial="max-pool"), Convolution(width=4, stride=2), lambda x: F.max_pool3d(x, 2, ceil_mode=True)),
    "parts as equal as can be": (Adapter(spatial="average-pool"), Convolution(width=4, padding=0),
                                 lambda x: F.adaptive_avg_pool3d(x, (3, 4, 2))),
    "stride": (Adapter(), Convolution(width=4, stride=2), lambda x: x[:, :, ::2, ::2, ::2]),
    "crop": (Adapter(spatial="crop"), Convolution(width=4, padding=0), lambda x: x[:, :, 1:4, 1:5, 1:3]),
    "pad": (Adapter(spatial="pad"), Convolution(width=4, padding=2), lambda x: F.pad(x, (1,) * 6)),
    "nearest": (Adapter(spatial="nearest"), Upsampling(width=4), lambda x: x.repeat_interleave(2, 2).repeat_interleave(
        2, 3).repeat_interleave(2, 4)),
    "trilinear": (Adapter(spatial="bilinear"), Upsampling(width=4), lambda x: F.interpolate(x, scale_factor=2, mode="trilinear")),
}  # fmt: skip


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("name", CASES)
def test_an_adapter_of_volumes_is_the_written_out_one(name, kernel):
    adapter, op, placed = CASES[name]
    adapter, strides = adapter.replaced(channels="project", kernel=kernel), name == "stride" and kernel > 1
    skip = Skip(source=0, target=1, adapter=adapter)
    network = Network(input=(3, *SIDES), layers=(Layer(op=op),), skips=(skip,), head=Head(kind="state", outputs=4))
    model = build(network).double()
    assert network.parameter_count() == sum(part.numel() for part in model.parameters())
    x = torch.randn(2, 3, *SIDES, dtype=torch.float64, requires_grad=True)
    project, step = model.skips[0].project, 2 if strides else 1
    mine, theirs = model(x), F.conv3d(x if strides else placed(x), project.weight, project.bias, step, kernel // 2)
    theirs = theirs + model.layers[0](x)
    weights = torch.randn_like(mine)
    parts = [x, *model.parameters()]
    found, wanted = (torch.autograd.grad((y * weights).sum(), parts) for y in (mine, theirs))
    for left, right in zip((mine, *found), (theirs, *wanted), strict=True):
        assert (left - right).abs().max() < 1e-12
    assert network.shapes.skips[0].label().endswith(written((kernel,) * 3))


@pytest.mark.parametrize("kind", ["batch", "group", "instance", "layer", "channel", "rms"])
def test_a_norm_of_volumes_is_that_of_images_with_two_axes_in_one(kind):
    layer = Layer(op=Convolution(width=4, kernel=1), norm=kind)
    volume, image = (Network(input=(4, *sides), layers=(layer,), head=Head(kind="state", outputs=4)) for sides in (SIDES, (30, 4)))
    left, right = stirred(build(volume)), build(image)
    weights_copied([(left.layers[0].norm, right.layers[0].norm)])
    right.layers[0].operation.weight.data = left.layers[0].operation.weight.data.squeeze(-1)
    right.layers[0].operation.bias.data = left.layers[0].operation.bias.data
    x = torch.randn(3, 4, *SIDES, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(left(x).flatten(2), right(x.flatten(2, 3)).flatten(2), rtol=1e-4, atol=1e-5)


def test_one_number_a_channel_scales_a_volume():
    network = Network(
        inputs={"x": (4, *SIDES)},
        nodes=[
            Node(id="conv", op=Convolution(width=4)), Node(id="mean", op=Mean()), Node(id="share", op=Linear(width=4)),
            Node(id="scaled", op=Join(kind="multiply")),
        ],
        edges=[
            Edge(source="x", target="conv"), Edge(source="conv", target="mean"), Edge(source="mean", target="share"),
            Edge(source="conv", target="scaled"), Edge(source="share", target="scaled", port=1),
        ],
        output="scaled", head=Head(kind="state", outputs=4),
    )  # fmt: skip
    model, x, space = build(network), torch.randn(2, 4, *SIDES), {}
    weight, bias, share, more = model.parameters()
    y = F.conv3d(x, weight, bias, padding=1)
    wanted = y * F.linear(y.flatten(2).mean(2), share, more)[:, :, None, None, None]
    torch.testing.assert_close(model(x), wanted, rtol=1e-4, atol=1e-5)
    exec(network_source(network), space)
    assert torch.equal(space["Network"]()(x), model(x))


def test_what_is_not_of_volumes_is_refused():
    with pytest.raises(NetworkError, match="extra planes are of volumes"):
        Upsampling(width=2, extra_planes=1).output_shape((1, 4, 4))
    with pytest.raises(NetworkError, match="a 5×5×5 pool does not fit into 4×4×4 pixels"):
        Pool(kernel=5).output_shape((1, 4, 4, 4))
    assert Convolution(width=8).short(3) == "3³·8"
