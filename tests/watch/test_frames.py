"""What is measured of a watched module, against the same pass written out by hand with autograd's own gradients."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch import nn

import skipviz
from skipviz.watch.errors import WatchError


class Residual(nn.Module):
    """Two residual blocks, the first with a projection, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.f1, self.p1, self.f2, self.head = (
            nn.Linear(6, 5),
            nn.Linear(5, 7),
            nn.Linear(5, 7, bias=False),
            nn.Linear(7, 7),
            nn.Linear(7, 3),
        )

    def forward(self, x):
        h1 = torch.tanh(self.stem(x))
        h2 = torch.tanh(self.f1(h1)) + self.p1(h1)
        h3 = torch.tanh(self.f2(h2)) + h2
        return self.head(h3)


class UNet(nn.Module):
    """Two scales; the skip is concatenated."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.bottom, self.up = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(8, 3, 1)

    def forward(self, x):
        h = torch.relu(self.down(x))
        low = torch.relu(self.bottom(nn.functional.max_pool2d(h, 2)))
        return self.up(torch.cat([nn.functional.interpolate(low, scale_factor=2), h], 1))


def watched_step(model, x, **more):
    watched = skipviz.watch(model, **more)
    loss = model(x).square().mean()
    loss.backward()
    return watched, watched.step(loss)


def norm(tensor) -> float:
    return torch.linalg.vector_norm(tensor).item()


def test_every_number_of_a_residual_frame_is_autograds_own():
    torch.manual_seed(0)
    model, x = Residual().double(), torch.randn(4, 6, dtype=torch.float64)
    watched, frame = watched_step(model, x)
    by_hand = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}

    leaf = x.clone().requires_grad_()
    h1 = torch.tanh(model.stem(leaf))
    trunk1, skip1 = h1.clone(), h1.clone()
    f1, p1 = torch.tanh(model.f1(trunk1)), model.p1(skip1)
    h2 = f1 + p1
    trunk2, skip2 = h2.clone(), h2.clone()
    h3 = torch.tanh(model.f2(trunk2)) + skip2
    y = model.head(h3)
    states, edges = [leaf, h1, h2, h3, y], [trunk1, skip1, trunk2, skip2, p1]
    found = torch.autograd.grad(y.square().mean(), states + edges)
    sizes = [norm(one) for one in found]

    network = watched.network
    assert [layer.op.label() for layer in network.layers] == [
        "linear 5, tanh",
        "linear 7, tanh",
        "linear 7, tanh",
        "linear 3",
    ]
    assert frame.state_grad == pytest.approx(sizes[:5], rel=1e-12)
    assert frame.trunk_grad == pytest.approx([sizes[0], sizes[5], sizes[7], sizes[3]], rel=1e-12)
    into_first, identity = (next(one for one in network.skips if bool(one.via) is via) for via in (True, False))
    assert frame.skip_grad[network.skips.index(identity)] == pytest.approx(sizes[8], rel=1e-12)
    assert frame.skip_grad[network.skips.index(into_first)] == pytest.approx(sizes[9], rel=1e-12)
    assert frame.edge_grad == pytest.approx([sizes[6]], rel=1e-12)
    assert frame.branch_state_grad == pytest.approx([sizes[9]], rel=1e-12)
    own = [torch.cat([by_hand[f"{name}.weight"].flatten(), by_hand[f"{name}.bias"]]) for name in ("stem", "f1", "f2", "head")]
    assert frame.weight_grad == pytest.approx([norm(one) for one in own], rel=1e-12)
    assert frame.branch_grad == pytest.approx([norm(by_hand["p1.weight"])], rel=1e-12)
    assert frame.weight_grad_mean == pytest.approx(
        [by_hand[f"{name}.weight"].abs().mean().item() for name in ("stem", "f1", "f2", "head")], rel=1e-6
    )
    assert frame.state_rms == pytest.approx([one.detach().square().mean().sqrt().item() for one in states], rel=1e-12)
    assert frame.state_max == pytest.approx([one.detach().abs().max().item() for one in states], rel=1e-7)
    assert frame.state_zeros == [0] * 5
    assert frame.total_grad == pytest.approx(norm(torch.cat([one.flatten() for one in by_hand.values()])), rel=1e-12)


def test_a_concat_is_a_skip_whose_parts_are_autograds_own():
    torch.manual_seed(0)
    model, x = UNet().double(), torch.randn(2, 2, 8, 8, dtype=torch.float64)
    watched, frame = watched_step(model, x)
    h = torch.relu(model.down(x))
    inner, skip = h.clone(), h.clone()
    low = torch.relu(model.bottom(nn.functional.max_pool2d(inner, 2)))
    y = model.up(torch.cat([nn.functional.interpolate(low, scale_factor=2), skip], 1))
    expected = [norm(one) for one in torch.autograd.grad(y.square().mean(), [h, inner, skip])]
    network = watched.network
    assert [(skip.merge, skip.source, skip.target) for skip in network.skips] == [("concat", 1, 4)]
    assert [layer.op.short() for layer in network.layers] == ["3×3 · 4", "pool", "3×3 · 4", "resize", "1×1 · 3"]
    assert [frame.state_grad[1], frame.trunk_grad[1], frame.skip_grad[0]] == pytest.approx(expected, rel=1e-12)
    assert network.parameter_count() == sum(parameter.numel() for parameter in model.parameters())


def test_an_underflowing_gradient_is_measured_and_not_zero():
    torch.manual_seed(0)
    model = nn.Sequential(*(layer for _ in range(20) for layer in (nn.Linear(4, 4), nn.Sigmoid())), nn.Linear(4, 1))
    _, frame = watched_step(model, torch.randn(4, 4))
    assert 0 < frame.weight_grad[0] < 1e-12


def test_training_is_the_same_to_the_bit_with_and_without_watching():
    def trained(watch: bool) -> tuple[list[float], list[torch.Tensor]]:
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Dropout(0.2), nn.Flatten(), nn.Linear(144, 3)
        )
        optimizer = torch.optim.Adam(model.parameters(), 0.01)
        watched = skipviz.watch(model, every=1) if watch else None
        losses = []
        for _ in range(20):
            loss = nn.functional.cross_entropy(model(torch.randn(4, 2, 8, 8)), torch.randint(0, 3, (4,)))
            loss.backward()
            if watched:
                watched.step(loss)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
        return losses, [parameter.detach().clone() for parameter in model.parameters()]

    bare, watched = trained(False), trained(True)
    assert bare[0] == watched[0]
    assert all(torch.equal(one, other) for one, other in zip(bare[1], watched[1], strict=True))


def test_the_module_is_untouched_between_recorded_steps_and_after_close():
    model = Residual()
    watched = skipviz.watch(model, every=3)
    kept = []
    for _ in range(4):
        kept.append("forward" in vars(model))
        loss = model(torch.randn(2, 6)).sum()
        loss.backward()
        watched.step(loss)
    assert kept == [True, False, False, True]
    watched.close()
    assert "forward" not in vars(model)
    assert not model._forward_hooks
    assert not model._forward_pre_hooks


def test_several_passes_of_a_step_count_as_one_batch():
    torch.manual_seed(0)
    model, x = Residual().double(), torch.randn(8, 6, dtype=torch.float64)
    watched = skipviz.watch(model, every=1)
    whole = model(x).square().mean()
    whole.backward()
    at_once = watched.step(whole)
    model.zero_grad()
    for part in x.split(4):
        loss = model(part).square().mean() / 2
        loss.backward()
    in_parts = watched.step(loss)
    assert in_parts.state_grad == pytest.approx(at_once.state_grad, rel=1e-9)
    assert in_parts.skip_grad == pytest.approx(at_once.skip_grad, rel=1e-9)
    assert in_parts.weight_grad == pytest.approx(at_once.weight_grad, rel=1e-9)
    assert in_parts.branch_state_grad == pytest.approx(at_once.branch_state_grad, rel=1e-9)
    assert in_parts.edge_grad == pytest.approx(at_once.edge_grad, rel=1e-9)


def test_a_table_has_a_row_for_every_part_of_the_module():
    watched, frame = watched_step(Residual(), torch.randn(4, 6))
    rows = watched.dataframe()
    layers = rows[rows.part == "layer"]
    assert list(layers.id) == [layer.id for layer in watched.network.layers]
    assert list(layers.weight_grad) == pytest.approx(frame.weight_grad, rel=1e-6)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda: skipviz.watch(3), "torch module"),
        (lambda: skipviz.watch(nn.Linear(2, 2), every=0), "at least"),
        (lambda: skipviz.watch(nn.Linear(2, 2)).frame(), "nothing was measured"),
        (lambda: skipviz.watch(nn.Linear(2, 2)).network, "no forward pass"),
    ],
)
def test_what_cannot_be_watched_is_said_in_one_sentence(asked, said):
    with pytest.raises(WatchError, match=said):
        asked()


class InPlace(nn.Module):
    """The sum is changed in place right after it was made."""

    def __init__(self) -> None:
        super().__init__()
        self.f, self.head = nn.Linear(6, 6), nn.Linear(6, 2)

    def forward(self, x):
        h = self.f(x)
        h += x
        return self.head(torch.relu_(h))


def test_a_state_that_is_changed_in_place_is_measured_as_it_was_made():
    torch.manual_seed(0)
    model, x = InPlace(), torch.randn(16, 6)
    watched, frame = watched_step(model, x)
    total = model.f(x) + x
    place = [*watched.layout.states].index(next(name for name, kind in _merges(watched).items() if kind == "add"))
    assert frame.state_rms[place] == pytest.approx(total.detach().square().mean().sqrt().item(), rel=1e-6)
    assert frame.state_zeros[place] == 0


def _merges(watched) -> dict[str, str]:
    return {name: box.merge for name, box in watched.layout.boxes.items()}


def test_only_the_gradients_that_are_shown_are_kept():
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(16, 4, 32, dropout=0, batch_first=True)
    model = nn.Sequential(layer, nn.Linear(16, 2))
    watched = skipviz.watch(model)
    loss = model(torch.randn(2, 5, 16)).square().mean()
    loss.backward()
    kept = watched._passes[0].record
    shown = len(watched.layout.boxes) + len(watched.network.further) + 1
    assert len(kept.states) <= shown
    watched.step(loss)
    assert watched.remarks == []


def test_a_watched_module_says_which_arguments_it_takes_and_a_closed_one_records_no_more():
    model = Residual()
    watched = skipviz.watch(model, every=1)
    assert [*inspect.signature(model.forward).parameters] == ["x"]
    loss = model(torch.randn(2, 6)).sum()
    loss.backward()
    watched.step(loss)
    watched.close()
    model(torch.randn(2, 6)).sum().backward()
    assert watched.step(loss) is None
    assert len(watched.run.frames) == 1
    assert "forward" not in vars(model)


class Odd(nn.Module):
    """Its facts cannot be read, and what it returns refers to itself."""

    def __init__(self, told: bool) -> None:
        super().__init__()
        self.f, self.told = nn.Linear(6, 2), told

    @property
    def num_heads(self):
        raise RuntimeError("no such fact")

    def forward(self, x):
        y = self.f(x)
        return y if self.told else _Loop(y)


class OddAttention(Odd):
    pass


class _Loop:
    def __init__(self, y) -> None:
        self.y, self.me = y, self

    __dataclass_fields__ = {"y": None, "me": None}


@pytest.mark.parametrize("model", [Odd(False), OddAttention(True), nn.Linear(0, 4)], ids=["loop", "facts", "empty"])
def test_nothing_that_is_wrong_with_measuring_reaches_the_training(model):
    watched = skipviz.watch(model, every=1)
    output = model(torch.randn(3, model.in_features if isinstance(model, nn.Linear) else 6))
    loss = (output.y if isinstance(output, _Loop) else output).sum()
    loss.backward()
    watched.step(loss)
    assert isinstance(watched.remarks, list)
