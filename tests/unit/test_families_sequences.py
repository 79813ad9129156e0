"""TCN (Bai et al. 2018) and WaveNet (van den Oord et al. 2016) are the networks written out here, and train as their scripts."""

import pytest
import torch
from reference import assert_same_function, parameter_count, stirred, weights_copied
from scripts import check, short
from torch import Tensor, nn
from torch.nn import functional as F

from skipviz import Experiment, NetworkError, Task, Training, families
from skipviz.learning.build import build


class Causal(nn.Conv1d):
    """A convolution of `(batch, length, width)` of which a position reads itself and those before it."""

    def forward(self, x: Tensor) -> Tensor:
        reach = self.dilation[0] * (self.kernel_size[0] - 1)
        return super().forward(F.pad(x.transpose(1, 2), (reach, 0))).transpose(1, 2)


class TCN(nn.Module):
    """ReLU(x + ReLU(c(ReLU(c(x))))), the dilation doubling; 1×1 where the features differ."""

    def __init__(self, features: int, depth: int, width: int, kernel: int, outputs: int) -> None:
        super().__init__()
        sizes = [features] + [width] * depth
        self.first = nn.ModuleList(Causal(sizes[i], width, kernel, dilation=2**i) for i in range(depth))
        self.second = nn.ModuleList(Causal(width, width, kernel, dilation=2**i) for i in range(depth))
        self.carry = nn.Linear(features, width)
        self.head = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        for i, (first, second) in enumerate(zip(self.first, self.second, strict=True)):
            x = torch.relu((x if i else self.carry(x)) + torch.relu(second(torch.relu(first(x)))))
        return self.head(x)


class WaveNet(nn.Module):
    """x ← x + W z, z = tanh(f(x)) ⊙ σ(g(x)); head(ReLU(W ReLU(Σ V z)))."""

    def __init__(self, features: int, cycles: int, depth: int, width: int, end: int, outputs: int) -> None:
        super().__init__()
        dilations = [2**i for i in range(depth)] * cycles
        self.entrance = Causal(features, width, 2)
        self.filters = nn.ModuleList(Causal(width, width, 2, dilation=d) for d in dilations)
        self.gates = nn.ModuleList(Causal(width, width, 2, dilation=d) for d in dilations)
        self.maps = nn.ModuleList(nn.Linear(width, width) for _ in dilations[1:])
        self.ends = nn.ModuleList(nn.Linear(width, end) for _ in dilations)
        self.last, self.head = nn.Linear(end, end), nn.Linear(end, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x, total = self.entrance(x), 0
        for i, (filtered, gate, end) in enumerate(zip(self.filters, self.gates, self.ends, strict=True)):
            z = torch.tanh(filtered(x)) * torch.sigmoid(gate(x))
            total = total + end(z)
            if i < len(self.maps):
                x = x + self.maps[i](z)
        return self.head(torch.relu(self.last(torch.relu(total))))


def test_a_tcn_is_the_written_out_network():
    model, reference = stirred(build(families.tcn(3, 6, 4, input=(20, 3), head=5))), TCN(3, 3, 6, 4, 5)
    pairs = [(model.skips[0], reference.carry), (model.head, reference.head)]
    convolutions = [module for module in model.layers if parameter_count(module)]
    pairs += zip(convolutions[::2], reference.first, strict=True)
    pairs += zip(convolutions[1::2], reference.second, strict=True)
    assert_same_function(model, reference, weights_copied(pairs), torch.randn(4, 20, 3, generator=torch.Generator().manual_seed(3)))


@pytest.mark.parametrize(("cycles", "depth"), [(1, 3), (2, 2), (1, 1)])
def test_a_wavenet_is_the_written_out_network(cycles, depth):
    model = stirred(build(families.wavenet(cycles, depth, 6, 7, input=(12, 3), head=5)))
    reference, (entrance, *layers) = WaveNet(3, cycles, depth, 6, 7, 5), model.layers
    layers = [module for module in layers if parameter_count(module)]
    *inner, end, last = layers
    carriers = [module for module in model.skips if parameter_count(module)]
    pairs = [(entrance, reference.entrance), (end, reference.ends[-1]), (last, reference.last), (model.head, reference.head)]
    pairs += zip(inner[::2], reference.filters, strict=True)
    pairs += zip(inner[1::2], reference.maps, strict=True)
    pairs += zip(model.branches, reference.gates, strict=True)
    pairs += zip(carriers, reference.ends[:-1], strict=True)
    assert_same_function(model, reference, weights_copied(pairs), torch.randn(4, 12, 3, generator=torch.Generator().manual_seed(3)))


FAMILIES = {"tcn": families.tcn, "wavenet": families.wavenet}


@pytest.mark.parametrize(
    ("network", "reach"),
    [
        (families.tcn(3, 5, 2, activation="tanh", input=(32, 2), head=3), 2 * (1 + 2 + 4)),
        (families.wavenet(1, 3, 5, input=(32, 2), head=3), 1 + 1 + 2 + 4),
    ],
    ids=FAMILIES,
)
def test_a_causal_one_reads_nothing_that_comes_later_and_reaches_as_far_back_as_its_dilations_say(network, reach):
    model = stirred(build(network))
    x = torch.randn(1, 32, 2, generator=torch.Generator().manual_seed(1)).requires_grad_()
    (gradient,) = torch.autograd.grad(model(x)[0, 20].pow(2).sum(), x)
    read = gradient[0].abs().sum(1).nonzero().flatten()
    assert (read.min().item(), read.max().item()) == (20 - reach, 20)


def test_plain_twins_have_no_skips_over_their_convolutions():
    assert families.tcn(3, plain=True, input=(8, 32)).skips == ()
    bare = families.wavenet(depth=3, residual=False, ends=False)
    assert {skip.merge for skip in bare.skips} == {"multiply"}
    whole = families.wavenet(depth=3)
    landing = [(skip.source, skip.target) for skip in whole.skips if skip.merge == "add"]
    assert landing == [(1, 3), (3, 5), (2, 7), (4, 7)]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_small_one_trains_on_tokens_as_its_script_does(name):
    task = Task(name="memory", length=8, samples=60)
    network = FAMILIES[name](depth=2, width=6, vocabulary=task.token_count(), input=task.sample_shape(), head=task.head())
    check(short(Experiment(variants={"net": network}, task=task, training=Training(batch_size=16)), steps=4))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: families.tcn(12), "a TCN's depth is between 1 and 11, not 12"),
        (lambda: families.wavenet(0), "a WaveNet's number of cycles is between 1 and 10, not 0"),
        (lambda: families.wavenet(1, 12), "a cycle's number of convolutions is between 1 and 11, not 12"),
        (lambda: families.tcn(input=(3, 8, 8)), "needs a sequence, length × width, not 3×8×8"),
    ],
)
def test_what_is_none_is_refused_in_a_sentence(call, sentence):
    with pytest.raises(NetworkError, match=sentence):
        call()
