"""A pass of a module, bare and watched, and what is asked of both."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from skipviz.watch.boxes import Boxes
from skipviz.watch.capture import Capture, tensors_in
from skipviz.watch.layout import layout_of
from skipviz.watch.switches import Switches


def loss_of(output) -> Tensor:
    """Return a loss of all that a module returns and that has a gradient."""
    return sum(one.float().square().mean() for one in tensors_in(output) if one.requires_grad)


def trained(model: nn.Module, forward: Callable, seed: int = 1) -> tuple[float, list[Tensor | None]]:
    """Return loss and gradients of one pass; the model's weights and statistics are left as they were."""
    before = copy.deepcopy(model.state_dict())
    torch.manual_seed(seed)
    model.zero_grad()
    loss = loss_of(forward())
    loss.backward()
    gradients = [None if one.grad is None else one.grad.clone() for one in model.parameters()]
    model.load_state_dict(before)
    return loss.item(), gradients


def same(one: list[Tensor | None], other: list[Tensor | None]) -> bool:
    """Return whether gradients are equal to the bit."""
    return all((a is None) == (b is None) and (a is None or torch.equal(a, b)) for a, b in zip(one, other, strict=True))


@dataclass
class Pass:
    """A captured pass of a module."""

    capture: Capture
    output: object

    @property
    def layout(self):
        """The pass as a network."""
        counts = {name: one.numel() for name, one in self.capture._model.named_parameters()}
        return layout_of(Boxes(self.capture.trace), counts)


def captured(model: nn.Module, args: tuple = (), kwargs: dict | None = None, switches: Switches | None = None) -> Pass:
    """Return a captured forward pass."""
    names = {id(one): name for name, one in model.named_parameters()}
    paths = {id(one): path for path, one in model.named_modules()}
    capture = Capture(model, names, paths, switches or Switches())
    with capture.running():
        fed, named = capture.feed(args, kwargs or {})
        output = model.forward(*fed, **named)
        capture.returned(output)
    return Pass(capture, output)


def worst_sum(capture: Capture) -> tuple[float, int]:
    """Return by how much a state's gradient differs at most from the sum of what came back, and of how many states.

    It is a share of the longest of these vectors: where they cancel, as they do at a maximum that is taken for numbers' sake alone,
    their sum has no digits.
    """
    readers: dict = {}
    for number, operation in enumerate(capture.trace.operations):
        for read in operation.reads:
            readers.setdefault((read.source, read.part), []).append((number, read))
    worst, count = 0.0, 0
    for place, gradient in capture.gradients.states.items():
        reads = readers.get(place, [])
        if not reads or place[0] in capture.trace.outputs or not all(read.aliased for _, read in reads):
            continue
        parts = [capture.gradients.reads.get((number, read.slot)) for number, read in reads]
        vectors = [part.double() for part in parts if part is not None]
        longest = max(vector.norm().item() for vector in (gradient.double(), *vectors))
        apart = (sum(vectors) - gradient.double()).norm().item()
        worst, count = max(worst, apart / (longest or 1.0)), count + 1
    return worst, count
