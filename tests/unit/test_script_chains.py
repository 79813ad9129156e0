"""Random chains and graphs: their written class computes what skipviz' module computes, and random experiments train alike."""

from __future__ import annotations

import torch
from chains import chains
from graphs import graphs
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import networks
from scripts import check, short

import skipviz
from skipviz import Experiment, Task, Training
from skipviz.sharing.script.experiment import network_source


def _same(ours: torch.Tensor, theirs: torch.Tensor) -> bool:
    return torch.equal(ours.nan_to_num(), theirs.nan_to_num())


def _outputs(module: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    torch.manual_seed(0)  # both leave their dropout to torch's own generator
    return module(x)


def _size(gradient: torch.Tensor | None) -> tuple:
    return (-1, 0.0) if gradient is None else (gradient.numel(), gradient.nan_to_num().abs().sum().item())


@settings(max_examples=80)
@given(chains() | graphs(), st.integers(2, 3))
def test_a_written_class_computes_the_same_bits_and_gradients(network, batch):
    space: dict = {}
    exec(network_source(network), space)
    written, built = space["Network"](), skipviz.build(network)
    assert sum(p.numel() for p in written.parameters()) == network.parameter_count()
    source = torch.Generator().manual_seed(1)
    if network.takes_tokens:
        x = torch.randint(0, network.layers[0].op.vocabulary, (batch, *network.input), generator=source)
    else:
        x = torch.randn((batch, *network.input), generator=source)
    for training in (True, False):
        ours, theirs = (_outputs(module.train(training), x) for module in (written, built))
        assert _same(ours, theirs)
        if training and theirs.requires_grad:
            sizes = [
                sorted(map(_size, torch.autograd.grad(y.square().sum(), list(module.parameters()), allow_unused=True)))
                for y, module in ((ours, written), (theirs, built))
            ]
            assert sizes[0] == sizes[1]


@settings(max_examples=15)
@given(
    networks(),
    networks(),
    st.sampled_from(("sgd", "momentum", "adam", "adamw")),
    st.floats(1e-4, 1),
    st.integers(1, 99),
    st.sampled_from((0.0, 0.01)),
    st.sampled_from(("spiral", "moons", "circles", "xor", "gaussians")),
)
def test_a_random_experiment_trains_to_the_same_losses(one, two, optimizer, rate, batch, decay, task):
    training = Training(optimizer=optimizer, learning_rate=rate, batch_size=batch, weight_decay=decay)
    check(short(Experiment(variants={"a": one, "b-2": two}, task=Task(name=task, samples=60), training=training), steps=3))
