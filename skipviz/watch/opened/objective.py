"""What a person's loader gives and their module returns: arguments, targets and a loss."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...network.base import written
from ..capture import tensors_in
from ..errors import WatchError

SURE = 0.9
"""Share of places at which a loss of classes pulls up the target's score: not all, where it is smoothed and sure already."""
TARGETS = ("labels", "label", "targets", "target")
"""By which names a batch says what is true, and a module takes it that computes its own loss."""


@dataclass(frozen=True)
class Batch:
    """One batch, as the module takes it."""

    args: tuple = ()
    named: dict = field(default_factory=dict)
    targets: tuple = ()
    """What is true of it, first the target; the rest of what the loader gave follows."""

    @property
    def size(self) -> int:
        """How many samples it has."""
        return next((tensor.shape[0] for tensor in tensors_in([*self.args, self.named, *self.targets]) if tensor.dim()), 1)

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        return Batch(_moved(self.args, device), _moved(self.named, device), _moved(self.targets, device))


def taken_by(model: nn.Module) -> set[str]:
    """Return the names of the arguments of a module's forward."""
    return set(inspect.signature(model.forward).parameters)


def batch_of(item, names: set[str]) -> Batch:
    """Return what a loader gave as a batch for a forward that takes arguments of these `names`.

    It is `(x, y)` or `(x, y, …)`, `x` alone, or a mapping by the forward's names; `x` may be a mapping, too. A target goes to the
    forward where it asks for one. Raises `WatchError`.
    """
    if isinstance(item, Mapping):
        named = dict(item)
        key = next((name for name in TARGETS if name in named), None)
        targets = () if key is None else (named[key],)
        if key is not None and key not in names:
            del named[key]
        return Batch(named=named, targets=targets)
    if isinstance(item, Tensor):
        return Batch(args=(item,))
    if not isinstance(item, list | tuple) or not item:
        raise WatchError(f"a batch is (x, y), a tensor, or a dict of tensors, and the loader gave a {type(item).__name__}")
    x, *targets = item
    asked = next((name for name in TARGETS if name in names), None)
    given = {asked: targets[0]} if targets and asked else {}
    if isinstance(x, Mapping):
        return Batch(named={**x, **given}, targets=tuple(targets))
    return Batch(args=tuple(x) if isinstance(x, tuple) else (x,), named=given, targets=tuple(targets))


def loss_of(output, batch: Batch, own: Callable | None) -> Tensor:
    """Return the loss of a module's output: the person's `own`, the one that it returns, or by what the target is.

    Whole numbers are classes (cross-entropy), real ones values (mean squared error). Raises `WatchError`.
    """
    if own is not None:
        loss = own(output, *batch.targets)
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            raise WatchError(f"the loss function gave {_described(loss)}, and a loss is a tensor of one number")
        return loss
    given = _given(output)
    if given is not None:
        return given
    scores = _scores(output)
    if scores is None:
        raise WatchError(f"the module returns {_described(output)}, of which no loss can be taken: name one by --loss FILE:NAME")
    target = batch.targets[0] if batch.targets else None
    if not isinstance(target, Tensor):
        raise WatchError("the batches have no target and the module returns no loss: name one by --loss FILE:NAME")
    return _squared_error(scores, target) if target.is_floating_point() else _cross_entropy(scores, target)


def classes_ahead(output, batch: Batch, loss: Tensor) -> int | None:
    """Return whether a loss is one of class indices: 0, or 1 where each position's class is the target's next one; else None.

    It is where the score that it pulls up most, whose gradient is the least, is the target's: of a cross-entropy, weighted or
    smoothed, and of a margin, whoever computes it.
    """
    scores = _scores(output)
    if scores is None or not (scores.requires_grad and loss.requires_grad):
        return None
    (gradient,) = torch.autograd.grad(loss, scores, allow_unused=True)
    shares = dict.fromkeys((0, 1), 0.0)
    for ahead in shares if gradient is not None else ():
        placed = _placed(gradient, batch, ahead)
        if placed is not None:
            pulled, truth = placed
            counted = _is_class(pulled, truth) & (pulled != 0).any(-1)
            right = (pulled.argmin(-1) == truth) & counted
            shares[ahead] = right.sum().item() / max(1, counted.sum().item())
    best = max(shares, key=shares.get)
    return best if shares[best] >= SURE else None


def told_right(output, batch: Batch, ahead: int) -> tuple[int, int]:
    """Return at how many places the largest score is that of the true class, and at how many there is one."""
    placed = _placed(_scores(output), batch, ahead)
    if placed is None:
        return 0, 0
    scores, truth = placed
    counted = _is_class(scores, truth)
    return ((scores.argmax(-1) == truth) & counted).sum().item(), counted.sum().item()


def _scores(output) -> Tensor | None:
    return next((tensor for tensor in tensors_in(output) if tensor.dim() and tensor.is_floating_point()), None)


def _placed(scores: Tensor, batch: Batch, ahead: int) -> tuple[Tensor, Tensor] | None:
    """Return scores `(…, classes)` and the whole numbers that are true there; None where they do not fit."""
    target = batch.targets[0] if batch.targets else None
    if scores is None or not isinstance(target, Tensor) or target.is_floating_point() or target.is_complex():
        return None
    axis = _class_axis(tuple(scores.shape), tuple(target.shape))
    if axis is None or scores.shape[axis] < 2:
        return None
    scores = scores.detach().movedim(axis, -1)
    if ahead and target.dim() < 2:
        return None
    return (scores[:, :-ahead], target[:, ahead:]) if ahead else (scores, target)


def _is_class(scores: Tensor, truth: Tensor) -> Tensor:
    """Return where a whole number is one of a class: not where it says that a place does not count, as −100 or 255."""
    return (truth >= 0) & (truth < scores.shape[-1])


def _class_axis(shape: tuple[int, ...], wanted: tuple[int, ...]) -> int | None:
    """Return which axis of the output is that of classes: the last or the second."""
    last, second = shape[:-1] == wanted, shape[:1] + shape[2:] == wanted
    return -1 if last and (not second or len(shape) == 3) else 1 if second else None


def _given(output) -> Tensor | None:
    """Return the loss that a module itself returns: called so, or the one tensor without axes."""
    named = output.get("loss") if isinstance(output, Mapping) else getattr(output, "loss", None)
    if isinstance(named, Tensor):
        return named
    alone = [tensor for tensor in tensors_in(output) if not tensor.dim() and tensor.is_floating_point()]
    return alone[0] if len(alone) == 1 else None


def _cross_entropy(scores: Tensor, target: Tensor) -> Tensor:
    shape, wanted = tuple(scores.shape), tuple(target.shape)
    axis = _class_axis(shape, wanted)
    if axis == -1:
        return functional.cross_entropy(scores.flatten(0, -2), target.flatten().long())
    if axis == 1:
        return functional.cross_entropy(scores, target.long())
    raise WatchError(
        f"the module gives {written(shape)} and the target is {written(wanted)} whole numbers: no axis is one of classes; "
        "name a loss by --loss FILE:NAME"
    )


def _squared_error(scores: Tensor, target: Tensor) -> Tensor:
    if scores.shape != target.shape and scores.squeeze().shape != target.squeeze().shape:
        raise WatchError(
            f"the module gives {written(tuple(scores.shape))} and the target is {written(tuple(target.shape))} real numbers; "
            "name a loss by --loss FILE:NAME"
        )
    return functional.mse_loss(scores, target.reshape(scores.shape).to(scores.dtype))


def _described(value) -> str:
    return f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"


def _moved(value, device: torch.device):
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, Mapping):
        return {name: _moved(one, device) for name, one in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_moved(one, device) for one in value)
    return value
