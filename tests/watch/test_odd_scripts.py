"""Scripts as people write them: losses by closure, layers that are frozen, sparse, replaced, scripted or kept in a list."""

from __future__ import annotations

import copy
from functools import partial

import pytest
import torch
from small_models import Block
from torch import nn
from torch.nn import functional

import skipviz
from skipviz.watch.errors import WatchError

X, Y = torch.randn(6, 4, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 0, 1, 2])
TOKENS = torch.arange(30).reshape(6, 5) % 7


def net(first=None) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8) if first is None else first(), Block(), Block(), nn.Linear(8, 3))


def measured(model: nn.Module, x=X):
    """Return what watches the module and the frame of one step."""
    watched = skipviz.watch(model, every=1, live=False)
    loss = functional.cross_entropy(model(x), Y)
    loss.backward()
    return watched, watched.step(loss)


def test_an_encoder_layer_of_torchs_own_trains_to_the_same_bits_with_dropout():
    """Its attention multiplies once where queries, keys and values are one tensor, which they are while it is watched, too."""
    runs = []
    for watching in (False, True):
        torch.manual_seed(0)
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.2, batch_first=True)
        model = nn.Sequential(nn.Embedding(7, 8), layer, nn.Flatten(), nn.Linear(40, 3))
        watched = skipviz.watch(model, every=1, live=False) if watching else None
        optimizer, losses = torch.optim.SGD(model.parameters(), 0.1), []
        for _ in range(3):
            loss = functional.cross_entropy(model(TOKENS), Y)
            loss.backward()
            if watched is not None:
                frame = watched.step(loss)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
        runs.append((losses, model.state_dict()))
    assert runs[0][0] == runs[1][0]
    assert all(torch.equal(tensor, runs[1][1][name]) for name, tensor in runs[0][1].items())
    assert [skip.merge for skip in watched.network.skips] == ["add", "add"]
    assert all(value > 0 for value in frame.skip_grad)


SHARES = torch.tensor([0.3, 0.7, 1.1, 1.7])


class Again(nn.Module):
    """Reads a state several times in one call, and once more behind it."""

    def __init__(self, call) -> None:
        super().__init__()
        self.call, self.stem, self.head = call, nn.Linear(4, 8), nn.Linear(8, 3)

    def forward(self, x):
        x = torch.tanh(self.stem(x))
        return self.head(self.call(x) + torch.sin(3 * x) + x * x.exp())


@pytest.mark.parametrize(
    "call",
    [
        lambda x: (torch.stack([x.sin(), x, x, x], -1) * SHARES).tanh().sum(-1),
        lambda x: functional.scaled_dot_product_attention(x, x, x),
        lambda x: torch.sub(x, x, alpha=0.37).tanh() + torch.addcmul(x, x, x.sin(), value=0.1),
        lambda x: (torch.cat([x, x, x.cos(), x], -1).unflatten(-1, (4, 8)).movedim(-2, -1) * SHARES).tanh().sum(-1),
        lambda x: torch.einsum("bi,bj,bi->bj", x, x, x),
    ],
    ids=["stack", "attention", "sum", "concat", "einsum"],
)
def test_a_state_read_several_times_in_one_call_has_the_same_gradient_to_the_bit(call):
    model = Again(call)
    for seed in range(5):
        x = torch.randn(6, 4, generator=torch.Generator().manual_seed(seed))
        gradients = []
        for watching in (False, True):
            model.zero_grad()
            watched = skipviz.watch(model, every=1, live=False) if watching else None
            functional.cross_entropy(model(x), Y).backward()
            gradients.append([one.grad.clone() for one in model.parameters()])
            if watched is not None:
                watched.step()
                watched.close()
        assert all(map(torch.equal, *gradients))


def test_frozen_layers_have_no_gradient_to_tell_and_none_is_said_to_be_zero():
    model = net()
    model[1].requires_grad_(False)
    _, frame = measured(model)
    assert [value is None for value in frame.weight_grad] == [False, True, True, False, False, False]
    assert all(value > 0 for value in (*frame.state_grad, *frame.skip_grad))


def test_a_sparse_gradient_is_measured_as_the_same_one_written_out():
    frames = []
    for sparse in (True, False):
        model = net(partial(nn.EmbeddingBag, 7, 8, sparse=sparse))
        frames.append(measured(model, TOKENS)[1])
    for field in ("weight_grad", "weight_grad_mean", "state_grad"):
        assert getattr(frames[0], field)[1:] == pytest.approx(getattr(frames[1], field)[1:], rel=1e-6)
    assert frames[0].weight_grad[0] == pytest.approx(frames[1].weight_grad[0], rel=1e-6)
    assert frames[0].total_grad == pytest.approx(frames[1].total_grad, rel=1e-6)


def test_a_layer_that_is_replaced_after_watching_began_is_measured():
    model = net()
    watched = skipviz.watch(model, every=1, live=False)
    for _ in range(2):
        model[3] = nn.Linear(8, 3)
        loss = functional.cross_entropy(model(X), Y)
        loss.backward()
        frame = watched.step(loss)
        wanted = sum(one.grad.square().sum().item() for one in model[3].parameters()) ** 0.5
        assert frame.weight_grad[-1] == pytest.approx(wanted, rel=1e-5)


def test_a_step_with_a_closure_is_measured_by_its_last_evaluation():
    model = net()
    watched = skipviz.watch(model, every=1, live=False)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=4)
    alone = {}

    def closure():
        optimizer.zero_grad()
        alone["model"] = copy.deepcopy(model)
        loss = functional.cross_entropy(model(X), Y)
        loss.backward()
        return loss

    optimizer.step(closure)
    frame = watched.step()
    again, single = measured(alone["model"])
    assert again.network == watched.network
    assert frame.skip_grad == pytest.approx(single.skip_grad)
    assert frame.weight_grad == pytest.approx(single.weight_grad)


def test_a_discriminators_gradients_are_of_its_own_step_and_not_of_the_generators():
    torch.manual_seed(0)
    judge, fake, real = net(), torch.randn(6, 4, requires_grad=True), X
    watched = skipviz.watch(judge, every=1, live=False)
    for _ in range(2):
        judge.zero_grad()
        loss = functional.cross_entropy(judge(real), Y) + functional.cross_entropy(judge(fake.detach()), Y)
        loss.backward()
        frame = watched.step(loss)
        judge(fake).sum().backward()  # the generator's
    single = skipviz.watch(alone := copy.deepcopy(judge), every=1, live=False)
    alone.zero_grad()
    (functional.cross_entropy(alone(real), Y) + functional.cross_entropy(alone(fake.detach()), Y)).backward()
    assert frame.skip_grad == pytest.approx(single.step().skip_grad)


def test_what_is_called_too_late_or_never_seen_is_said():
    model = net()
    watched = skipviz.watch(model, every=1, live=False)
    model[1](torch.zeros(2, 8)).sum().backward()
    watched.step()
    assert "no forward pass of the module was seen" in watched.remarks[0]
    loss = functional.cross_entropy(model(X), Y)
    loss.backward()
    model.zero_grad()
    watched.step(loss)
    assert "call it after backward, before they are set to zero" in watched.remarks[1]


class Listed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.blocks, self.head = nn.Linear(4, 8), [Block(), Block()], nn.Linear(8, 3)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def test_blocks_in_a_python_list_are_found_to_train_by_no_optimizer():
    watched, frame = measured(Listed())
    assert watched.remarks[0].startswith("the module uses parameters of Block that are none of its own")
    assert all(value > 0 for value in frame.weight_grad)
    (fault,) = [one for one in watched.check(X) if one.rule == "unregistered"]
    assert (fault.path, fault.fault) == ("", True)
    assert not [one for one in skipviz.watch(net(), live=False).check(X) if one.rule == "unregistered"]


class Routed(nn.Module):
    """Experts written out in the module's own forward, of which a pass runs those that it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.head = nn.Linear(4, 8), nn.Linear(8, 3)
        self.experts, self.chosen = nn.ModuleList(nn.Linear(8, 8) for _ in range(3)), (0, 1)

    def forward(self, x):
        x = self.stem(x)
        y = x * 0.5
        for one in self.chosen:
            y = y + torch.tanh(self.experts[one](x))
        return self.head(torch.relu(y) + x)


def test_what_may_have_run_under_another_number_is_not_said_to_have_no_gradient():
    torch.manual_seed(0)
    model, frames = Routed(), []
    watched = skipviz.watch(model, every=1, live=False)
    for model.chosen in ((0, 1), (0,), (2,), (0, 1)):
        loss = functional.cross_entropy(model(X), Y)
        model.zero_grad()
        loss.backward()
        frames.append(watched.step(loss))
        wanted = [None if p.weight.grad is None else p.weight.grad.norm() for p in (model.stem, model.head)]
        assert all(value for value in wanted)
    first, fewer, other, again = frames
    assert "not the same at every step" in watched.remarks[0]
    assert 0 not in first.skip_grad
    for frame in (fewer, other):
        assert 0 not in frame.skip_grad
        assert None in frame.skip_grad
    assert [value is not None for value in again.skip_grad] == [value is not None for value in first.skip_grad]
    assert 0 not in other.state_grad


class Mapped(nn.Module):
    """Runs a block where no function of torch is seen: over single samples."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.block, self.head = nn.Linear(4, 8), Block(), nn.Linear(8, 3)

    def forward(self, x):
        return self.head(torch.vmap(lambda one: self.block(one))(self.stem(x)))


class Scripted(Mapped):
    def __init__(self) -> None:
        super().__init__()
        self.block = torch.jit.script(self.block)

    def forward(self, x):
        return self.head(self.block(self.stem(x)))


@pytest.mark.parametrize("made", [Mapped, Scripted])
@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")
def test_a_part_that_runs_unseen_is_a_box_of_its_own_with_its_weights(made):
    watched, frame = measured(model := made())
    assert [layer.id for layer in watched.network.layers] == ["stem", "block", "head"]
    wanted = [sum(p.grad.square().sum().item() for p in part.parameters()) ** 0.5 for part in (model.stem, model.block, model.head)]
    assert frame.weight_grad == pytest.approx(wanted, rel=1e-5)
    assert watched.remarks == []


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")
def test_a_scripted_module_is_refused_in_a_sentence():
    with pytest.raises(WatchError, match="watch the module that it was made of"):
        skipviz.watch(torch.jit.script(net()))
