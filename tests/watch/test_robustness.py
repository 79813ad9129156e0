"""Watching beside everything that a training loop may do: it changes no bit of it, and leaves nothing behind."""

from __future__ import annotations

import copy
import io
import pickle

import numpy
import pytest
import torch
from passes import same
from torch import nn
from torch.nn.modules import module as hooks
from torch.overrides import _get_current_function_mode_stack
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint

import skipviz
from skipviz.watch.errors import WatchError
from skipviz.watch.function_call import FunctionCall


class Residual(nn.Module):
    """A residual block with batch norm and dropout, and what runs around it."""

    def __init__(self, run=None) -> None:
        super().__init__()
        self.stem, self.head = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 2)
        self.block = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Dropout(0.3))
        self.run = run or (lambda block, x: block(x))

    def forward(self, x):
        x = self.stem(x)
        x = x + self.run(self.block, x)
        return self.head(x.mean((2, 3)))


class Doubled(torch.autograd.Function):
    """A function of somebody's own."""

    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, gradient):
        return gradient * 2


def images(step: int, count: int = 4):
    return torch.randn(count, 3, 6, 6, generator=torch.Generator().manual_seed(step))


def training(model, watch: bool, steps: int = 20, forwards: int = 1, around=None):
    """Train a model; return its losses, its state at the end, and what watched it."""
    torch.manual_seed(7)
    watched = skipviz.watch(model, every=1, live=False) if watch else None
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    losses = []
    for step in range(steps):
        for part in range(forwards):
            with around() if around else torch.enable_grad():
                loss = model(images(step * forwards + part)).float().square().mean()
            loss.backward()
            losses.append(loss.item())
        if watched:
            watched.step(loss)
        optimizer.step()
        optimizer.zero_grad()
    return losses, model.state_dict(), watched


def assert_same_training(make, **more):
    torch.manual_seed(0)
    model = make()
    other = copy.deepcopy(model)
    losses, state, _ = training(model, watch=False, **more)
    watched_losses, watched_state, watched = training(other, watch=True, **more)

    assert watched_losses == losses
    assert all(torch.equal(watched_state[name], value) for name, value in state.items())
    assert not watched.remarks
    assert len(watched.run.frames) == more.get("steps", 20)
    assert_nothing_left()
    return watched


def assert_nothing_left():
    assert not _get_current_function_mode_stack()
    assert not hooks._global_forward_hooks
    assert not hooks._global_forward_pre_hooks


def test_twenty_steps_with_dropout_and_batch_norm_are_equal_to_the_bit():
    watched = assert_same_training(Residual)

    assert [skip.merge for skip in watched.network.skips] == ["add"]


class Strides(TorchDispatchMode):
    """Notes the strides of what multiplications and exponentials read."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func in (torch.ops.aten.mul.Tensor, torch.ops.aten.exp.default):
            self.seen.append((func, args[0].stride()))
        return func(*args, **(kwargs or {}))


class Narrow(nn.Module):
    """Reads a state whose axis of one element is neither first nor last in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Linear(3, 9)

    def forward(self, x):
        h = self.wide(x).split([1, 8], -1)[0].transpose(1, 2)
        return h * 2 + h.exp()


def test_functions_read_what_they_would_have_read_laid_as_it_was():
    model, x, bare, beside = Narrow(), torch.randn(2, 12, 3), Strides(), Strides()
    with bare:
        model(x)
    watched = skipviz.watch(model, live=False)
    with beside:
        loss = model(x).sum()
    loss.backward()
    watched.step(loss)
    watched.close()
    assert watched.network.depth
    assert [stride for _, stride in bare.seen] == [(108, 1, 9)] * 2
    assert beside.seen == bare.seen


def test_several_passes_before_one_step_make_one_frame():
    assert_same_training(Residual, steps=4, forwards=3)


def test_bfloat16_autocast_is_equal_to_the_bit():
    assert_same_training(Residual, steps=5, around=lambda: torch.autocast("cpu", torch.bfloat16))


@pytest.mark.parametrize("reentrant", [True, False])
def test_activation_checkpointing_is_equal_to_the_bit_and_counts_its_weights(reentrant):
    watched = assert_same_training(lambda: Residual(lambda block, x: checkpoint(block, x, use_reentrant=reentrant)), steps=5)

    assert watched.network.parameter_count() == sum(one.numel() for one in watched.model.parameters())
    assert all(value is None or value > 0 for value in watched.frame().weight_grad)
    assert len(watched.network.skips) == 1


def test_an_autograd_function_of_ones_own_is_a_box():
    watched = assert_same_training(lambda: Residual(lambda block, x: Doubled.apply(block(x))), steps=3)

    assert watched.network.depth >= 4
    assert len(watched.network.skips) == 1


def test_a_generator_trains_through_a_watched_discriminator():
    torch.manual_seed(0)
    generator, discriminator = nn.Linear(3, 4), nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1))
    noise = torch.randn(5, 3)

    def gradients():
        generator.zero_grad()
        discriminator(generator(noise)).mean().backward()
        return [one.grad.clone() for one in generator.parameters()]

    bare = gradients()
    both = skipviz.watch(generator, every=1, live=False), skipviz.watch(discriminator, every=1, live=False)

    assert same(gradients(), bare)
    assert all(watched.step(0.0).total_grad > 0 for watched in both)


def test_an_input_gets_its_own_gradient_and_may_be_changed_in_place():
    class InPlace(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(3, 3)

        def forward(self, x, y):
            y.mul_(2)
            assert isinstance(x.numpy(force=True), numpy.ndarray)
            return self.linear(x) + y

    torch.manual_seed(0)
    model, given = InPlace(), torch.randn(2, 3)

    def ran():
        x, y = given.clone().requires_grad_(), given.clone()
        model(x, y).square().sum().backward()
        return x.grad, y

    bare = ran()
    watched = skipviz.watch(model, every=1, live=False)

    assert same([*ran()], [*bare])
    assert watched.step(1.0) is not None


def test_an_interrupt_in_the_middle_leaves_nothing_behind():
    def interrupted(block, x):
        block(x)
        raise KeyboardInterrupt

    torch.manual_seed(0)
    model = Residual(interrupted)
    watched = skipviz.watch(model, every=1, live=False)
    with pytest.raises(KeyboardInterrupt):
        model(images(0))

    assert_nothing_left()
    assert watched.failure is None
    model.run = lambda block, x: block(x)
    model(images(0)).mean().backward()
    assert watched.step(1.0) is not None


def test_copies_and_files_of_a_watched_module_are_the_module_alone():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    x = torch.randn(2, 3)
    expected = model(x)
    watched = skipviz.watch(model, every=1, live=False)
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    copies = [copy.deepcopy(model), pickle.loads(pickle.dumps(model)), torch.load(file, weights_only=False)]

    for one in copies:
        assert torch.equal(one(x), expected)
        one.zero_grad()
        one(x).sum().backward()
    assert watched.run is None
    assert watched.step(1.0) is None
    assert not any(isinstance(one.__dict__.get("forward"), type(model.__dict__["forward"])) for one in copies)


def test_passes_that_nothing_comes_back_through_are_not_measured():
    torch.manual_seed(0)
    model = Residual()
    watched = skipviz.watch(model, every=1, live=False)
    model(images(0)).square().mean().backward()
    model.eval()
    model(images(1))
    with torch.no_grad():
        model(images(2))
    frame = watched.step(1.0)
    norms = [one.grad.norm().item() for one in model.stem.parameters()]

    assert frame.weight_grad[0] == pytest.approx(sum(norm**2 for norm in norms) ** 0.5, rel=1e-5)
    assert frame.state_grad[-1] > 0


def test_data_parallel_is_refused_in_a_sentence():
    with pytest.raises(WatchError, match="DataParallel"):
        skipviz.watch(nn.DataParallel(nn.Linear(2, 2)))


def test_lists_and_dicts_go_in_and_out_and_states_may_have_five_axes():
    class Volumes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two, self.never = nn.Conv3d(2, 3, 1), nn.Conv3d(3, 3, 1), nn.Linear(9, 9)
            self.two.weight = nn.Parameter(torch.randn(3, 3, 1, 1, 1))

        def forward(self, volumes, more):
            x = self.one(volumes[0] + volumes[1])
            return {"maps": [x + self.two(x) + more["shift"]]}

    torch.manual_seed(0)
    model = Volumes()
    watched = skipviz.watch(model, every=1, live=False)
    given = [torch.randn(2, 2, 4, 4, 4) for _ in range(2)], {"shift": torch.randn(2, 3, 4, 4, 4)}
    model(*given)["maps"][0].square().mean().backward()

    assert watched.step(1.0).total_grad > 0
    assert watched.network.parameter_count() == 3 * 2 + 3 + 3 * 3 + 3
    assert not watched.remarks


def test_tied_weights_are_counted_once():
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.head = nn.Embedding(7, 4), nn.Linear(4, 7, bias=False)
            self.head.weight = self.embed.weight

        def forward(self, tokens):
            return self.head(torch.tanh(self.embed(tokens)))

    model = Tied()
    watched = skipviz.watch(model, every=1, live=False)
    model(torch.tensor([[1, 2, 3]])).square().mean().backward()
    watched.step(1.0)

    assert watched.network.parameter_count() == 28


def test_a_forward_that_the_script_put_in_stays_whoever_came_first():
    torch.manual_seed(0)
    model, x = nn.Linear(2, 2), torch.randn(3, 2)
    expected = model(x)
    model.forward = lambda x: 2 * nn.Linear.forward(model, x)
    watched = skipviz.watch(model, every=2, live=False)
    assert torch.equal(model(x), 2 * expected)
    watched.step()
    assert torch.equal(model(x), 2 * expected)
    inner = model.forward
    model.forward = lambda x: 3 * inner(x)
    for _ in range(3):
        assert torch.equal(model(x), 6 * expected)
        watched.step()
    watched.close()
    assert torch.equal(model(x), 6 * expected)


class Deep(nn.Module):
    """A network that runs as many of its blocks as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks, self.depth = nn.ModuleList(nn.Linear(4, 4) for _ in range(3)), 3

    def forward(self, x):
        for block in self.blocks[: self.depth]:
            x = x + torch.tanh(block(x))
        return x


def test_a_depth_that_changes_is_said_and_what_ran_is_measured_where_it_stands():
    torch.manual_seed(0)
    model, x = Deep(), torch.randn(5, 4)
    watched = skipviz.watch(model, every=1, live=False)
    for depth in (3, 2):
        model.depth = depth
        model.zero_grad()
        model(x).square().mean().backward()
        frame = watched.step(1.0)
    norms = [sum(one.grad.square().sum().item() for one in block.parameters()) ** 0.5 for block in model.blocks[:2]]

    assert frame.weight_grad[:2] == pytest.approx(norms, rel=1e-5)
    assert frame.weight_grad[2] == 0
    assert frame.skip_grad[0] > 0
    assert frame.skip_grad[2] == 0
    assert watched.network.depth == 3
    assert "not the same at every step" in watched.remarks[0]


def test_experts_that_tokens_are_routed_to_later_are_counted_said_and_measured():
    class Experts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.experts = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))

        def forward(self, x):
            given = torch.zeros_like(x)
            for place, expert in enumerate(self.experts):
                chosen = (x[:, 0] > place - 1.5) & (x[:, 0] <= place - 0.5)
                if chosen.any():
                    given[chosen] = expert(x[chosen])
            return given

    class Routed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.moe, self.head = nn.Linear(4, 4), Experts(), nn.Linear(4, 2)

        def forward(self, x):
            x = self.stem(x)
            return self.head(x + self.moe(x))

    torch.manual_seed(0)
    model = Routed()
    model.stem.weight.data, model.stem.bias.data = torch.eye(4), torch.zeros(4)
    watched = skipviz.watch(model, every=1, live=False)
    for first in ([0.0, 0.1], [-1, 1], [1, 1]):
        model.zero_grad()
        x = torch.tensor([[one, 1.0, 2.0, 3.0] for one in first])
        model(x).square().mean().backward()
        frame = watched.step(1.0)
    stem = sum(one.grad.square().sum().item() for one in model.stem.parameters()) ** 0.5
    routed = sum(one.grad.square().sum().item() for one in model.moe.parameters() if one.grad is not None) ** 0.5

    assert watched.network.depth == 3
    assert watched.network.parameter_count() == sum(one.numel() for one in model.parameters())
    assert watched.remarks == ["inside moe other parts run from step to step, as where tokens are routed to experts"]
    assert frame.weight_grad[:2] == pytest.approx([stem, routed], rel=1e-5)
    assert frame.skip_grad[0] > 0


def test_what_goes_wrong_in_the_capture_is_said_and_the_training_goes_on(monkeypatch):
    def wrong(*args):
        raise RuntimeError("no such thing")

    torch.manual_seed(0)
    model = Residual().eval()
    expected = model(images(0))
    monkeypatch.setattr(FunctionCall, "_noted", wrong)
    watched = skipviz.watch(model, every=1, live=False)

    assert torch.equal(model(images(0)), expected)
    assert watched.step(1.0) is None
    assert "no such thing" in watched.remarks[0]
