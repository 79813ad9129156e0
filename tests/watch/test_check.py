"""The linter of skips: bugs as they were published, each in a small module, and networks in which there is nothing to find."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import pytest
import torch
from torch import nn

import skipviz
from skipviz.watch.check import check
from skipviz.watch.faults import RULES
from skipviz.watch.finding import Report

X = torch.randn(8, 6, generator=torch.Generator().manual_seed(0))
IMAGE = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))


class Block(nn.Module):
    """A residual block; what is done to the two states at its end is each test's own."""

    def __init__(self, width: int = 6, inplace: bool = False) -> None:
        super().__init__()
        self.f, self.shortcut, self.relu = nn.Linear(width, width), nn.Linear(width, width), nn.ReLU(inplace)

    def forward(self, x):
        return self.relu(x + self.f(x))


class Stack(nn.Module):
    def __init__(self, block, depth: int = 2, **more) -> None:
        super().__init__()
        self.stem, self.head = nn.Linear(6, 6), nn.Linear(6, 2)
        self.blocks = nn.ModuleList(block(**more) for _ in range(depth))

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


class ComputedAndNotAdded(Block):
    def forward(self, x):
        self.shortcut(x)
        return self.relu(self.f(x))


class BuiltAndNotCalled(Block):
    def forward(self, x):
        return self.relu(x + self.f(x))


class SumNotKept(Block):
    def forward(self, x):
        y = self.f(x)
        y + self.shortcut(x)
        return self.relu(y + x)


class AddedToItself(Block):
    def forward(self, x):
        x = self.shortcut(self.f(x))
        return x + x


class ChangedInPlace(Block):
    def forward(self, x):
        kept = x
        y = self.shortcut(self.f(self.relu(x)))
        return y + kept


class Detached(Block):
    def forward(self, x):
        return self.relu(self.shortcut(self.f(x)) + x.detach())


class TinyBranch(Block):
    def forward(self, x):
        return x + 1e-4 * self.shortcut(self.relu(self.f(x)))


class Growing(Block):
    def forward(self, x):
        return x + 5 * self.shortcut(self.f(x))


class Dead(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.relu, self.head = nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 2)
        with torch.no_grad():
            self.first.bias[:9] = -100

    def forward(self, x):
        return self.head(self.relu(self.first(x)))


class Overflowing(Block):
    def forward(self, x):
        return x + self.f(x * 1e6) * 1e-6 + 0 * self.shortcut(x)


class OverTheBatch(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        x = self.first(x)
        return self.second(torch.cat([x, self.second(x)]))


class Unused(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.alpha = nn.Linear(6, 2), nn.Parameter(torch.ones(3))

    def forward(self, x):
        return self.first(x)


class Sigmoids(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(*(layer for _ in range(12) for layer in (nn.Linear(6, 6), nn.Sigmoid())), nn.Linear(6, 2))


BUGS = [
    (lambda: Stack(ComputedAndNotAdded), X, "unused", "blocks.0.shortcut", True),
    (lambda: Stack(BuiltAndNotCalled), X, "never_called", "blocks.0.shortcut", True),
    (lambda: Stack(SumNotKept), X, "unused", "blocks.0", True),
    (lambda: Stack(AddedToItself), X, "self_sum", "blocks.0", True),
    (lambda: Stack(ChangedInPlace, inplace=True), X, "in_place", "blocks.0", True),
    (lambda: Stack(Detached), X, "detached", "blocks.0", True),
    (lambda: Stack(TinyBranch), X, "unequal_scale", "blocks.0", False),
    (lambda: Stack(Growing, 6), X, "growth", "blocks.5", True),
    (lambda: Stack(Block, 4), X, "activated_skips", "", False),
    (Sigmoids, X, "ratio", "0", True),
    (Dead, X, "dead_units", "relu", True),
    (lambda: Stack(Overflowing), X, "overflow", "blocks.0", False),
    (lambda: Stack(Overflowing), X, "no_gradient", "blocks.0.shortcut", True),
    (OverTheBatch, IMAGE, "batch_axis", "", True),
    (Unused, X, "never_called", "", True),
]


@pytest.mark.parametrize(
    ("made", "batch", "rule", "path", "fault"), BUGS, ids=[f"{bug[2]}-{number}" for number, bug in enumerate(BUGS)]
)
def test_a_published_bug_is_found_with_the_path_of_its_module(made, batch, rule, path, fault):
    torch.manual_seed(0)
    report = check(made(), batch)
    found = [one for one in report if one.rule == rule]
    assert path in [one.path for one in found], str(report)
    assert {one.fault for one in found} == {fault}
    assert bool(report) or not fault
    assert all(one.sentence in str(report) for one in found)


class PreActivation(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm, self.f = nn.BatchNorm2d(3), nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        return x + self.f(torch.relu(self.norm(x)))


class InPlaceResNet(nn.Module):
    """As torchvision writes it: `out += identity`, then a ReLU in place."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3)
        self.conv2, self.bn2 = nn.Conv2d(3, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += identity
        return self.relu(out)


@pytest.mark.parametrize(
    "made",
    [
        lambda: nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), *(PreActivation() for _ in range(6))),
        lambda: nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), *(InPlaceResNet() for _ in range(3))),
    ],
    ids=["pre-activation", "in place"],
)
def test_a_sound_residual_network_has_no_fault(made):
    torch.manual_seed(0)
    report = check(made(), IMAGE)
    assert not report, str(report)
    assert report.faults == ()


def test_a_check_leaves_gradients_statistics_and_random_numbers_as_they_were():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3), nn.Dropout(0.5), nn.ReLU())
    model(IMAGE).sum().backward()
    before = copy.deepcopy(model.state_dict())
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    torch.manual_seed(3)
    skipviz.watch(model).check(IMAGE)
    drawn = torch.rand(4)
    torch.manual_seed(3)
    assert torch.equal(torch.rand(4), drawn)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(torch.equal(parameter.grad, gradient) for parameter, gradient in zip(model.parameters(), gradients, strict=True))


def test_a_module_without_gradients_cannot_be_checked_and_says_why():
    class NoGradient(nn.Linear):
        def forward(self, x):
            with torch.no_grad():
                return super().forward(x)

    with pytest.raises(ValueError, match="no_grad"):
        check(NoGradient(6, 2), X)


def test_a_report_without_faults_is_false_and_says_so():
    assert not Report()
    assert str(Report()) == "nothing was found"


def test_the_line_of_a_first_step_counts_skips_and_names_what_is_computed_for_nothing():
    torch.manual_seed(0)
    model = Stack(ComputedAndNotAdded, 2)
    model.blocks.append(Block())
    watched = skipviz.watch(model)
    loss = model(X).square().mean()
    loss.backward()
    watched.step(loss)
    assert watched.found().startswith("1 residual skip over ")
    assert "blocks.0.shortcut is computed and never used; blocks.1.shortcut is computed and never used" in watched.found()


def test_the_line_of_a_first_step_names_the_layer_that_starves():
    torch.manual_seed(0)
    model = Sigmoids()
    watched = skipviz.watch(model)
    loss = model(X).square().mean()
    loss.backward()
    watched.step(loss)
    assert "0 receives" in watched.found()
    assert "no skip" in watched.found()


def test_the_guide_names_every_rule_and_its_example_prints_what_it_says(capsys):
    text = (Path(__file__).parents[2] / "assets" / "guide" / "check.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.M) != []
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.M)) == RULES.keys()
    exec(compile(re.search(r"```python\n(.*?)```", text, re.S)[1], "check.md", "exec"), {})
    said = re.search(r"It prints `(.*?)`\.", text, re.S)[1]
    assert capsys.readouterr().out.strip() == " ".join(said.split())


class StraightThrough(nn.Module):
    """As a VQ-VAE's: what is detached is made of what it is added to."""

    def __init__(self) -> None:
        super().__init__()
        self.f, self.g = nn.Linear(6, 6), nn.Linear(6, 2)

    def forward(self, x):
        z = self.f(x)
        return self.g(z + (z.round() - z).detach())


def test_a_straight_through_estimator_is_no_fault():
    torch.manual_seed(0)
    assert not check(StraightThrough(), X), str(check(StraightThrough(), X))


class DeadBranch(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm, self.f, self.g, self.head = nn.LayerNorm(6), nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 2)

    def forward(self, x):
        h = self.norm(self.f(x))
        return self.head(h + 0 * self.g(h))


def test_a_norm_whose_bias_starts_at_zero_hides_no_dead_branch():
    torch.manual_seed(0)
    assert "g" in [one.path for one in check(DeadBranch(), X) if one.rule == "no_gradient"]


class Moving(nn.Module):
    """It puts another tensor in its buffer's place."""

    def __init__(self) -> None:
        super().__init__()
        self.f = nn.Linear(6, 2)
        self.register_buffer("mean", torch.zeros(6))

    def forward(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.detach().mean(0)
        return self.f(x - self.mean)


def test_a_buffer_that_a_pass_replaces_is_as_it_was_after_a_check():
    model = Moving()
    check(model, X)
    assert torch.equal(model.mean, torch.zeros(6))
