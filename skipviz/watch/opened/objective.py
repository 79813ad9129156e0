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

TARGETS = ("labels", "label", "targets", "target")
"""By which names a batch says what is true, and a module takes it that computes its own loss."""


@dataclass(frozen=True)
class Batch:
    """One batch, as the module takes it."""

    args: tuple = ()
    named: dict = field(default_factory=dict)
    targets: tuple = ()
    """What is true of it, first the target; the rest of what the loader gave follows."""

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
    scores = next((tensor for tensor in tensors_in(output) if tensor.dim() and tensor.is_floating_point()), None)
    if scores is None:
        raise WatchError(f"the module returns {_described(output)}, of which no loss can be taken: name one by --loss FILE:NAME")
    target = batch.targets[0] if batch.targets else None
    if not isinstance(target, Tensor):
        raise WatchError("the batches have no target and the module returns no loss: name one by --loss FILE:NAME")
    return _squared_error(scores, target) if target.is_floating_point() else _cross_entropy(scores, target)


def _given(output) -> Tensor | None:
    """Return the loss that a module itself returns: called so, or the one tensor without axes."""
    named = output.get("loss") if isinstance(output, Mapping) else getattr(output, "loss", None)
    if isinstance(named, Tensor):
        return named
    alone = [tensor for tensor in tensors_in(output) if not tensor.dim() and tensor.is_floating_point()]
    return alone[0] if len(alone) == 1 else None


def _cross_entropy(scores: Tensor, target: Tensor) -> Tensor:
    shape, wanted = tuple(scores.shape), tuple(target.shape)
    last, second = shape[:-1] == wanted, shape[:1] + shape[2:] == wanted
    if last and (not second or len(shape) == 3):
        return functional.cross_entropy(scores.flatten(0, -2), target.flatten().long())
    if second:
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
