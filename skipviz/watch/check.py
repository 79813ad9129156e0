"""A linter of skips: one pass forward and back over a batch, judged by the rules of `faults`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from .boxes import Boxes
from .buffers import kept_buffers
from .capture import Capture, arguments_of, tensors_in
from .checked_pass import CheckedPass
from .errors import WatchError
from .faults import RULES
from .finding import Report
from .layout import layout_of
from .random_state import random_numbers_kept
from .switches import Switches


def check(model: nn.Module, batch, loss: Callable | None = None) -> Report:
    """Return what is found in one pass of `model` over `batch`: a tensor, a tuple of arguments or a dict of them.

    `loss(output)` gives the number that is differentiated; without it, the module's own `loss` if it returns one, else the mean
    square of every tensor that it returns. Gradients, buffers and random numbers are as before afterwards. Raises `WatchError`
    where nothing can be measured, and whatever the module's forward raises.
    """
    args, kwargs = arguments_of(batch)
    parameters = dict(model.named_parameters())
    kept = {name: parameter.grad for name, parameter in parameters.items()}
    paths = {id(module): path for path, module in model.named_modules()}
    capture = Capture(model, {id(parameter): name for name, parameter in parameters.items()}, paths, Switches())
    try:
        with kept_buffers(model), random_numbers_kept(), torch.enable_grad():
            with capture.running():
                fed, named = capture.feed(args, kwargs)
                output = model.forward(*fed, **named)
                capture.returned(output)
            for parameter in parameters.values():
                parameter.grad = None
            value = _loss(output, loss)
            value.backward()
        if capture.broken is not None:
            raise WatchError(f"this pass cannot be followed: {capture.broken}") from capture.broken
        boxes = Boxes(capture.trace)
        layout = layout_of(boxes, {name: parameter.numel() for name, parameter in parameters.items()})
        gradients = {name: parameter.grad for name, parameter in parameters.items() if parameter.requires_grad}
        checked = CheckedPass(model, capture, boxes, layout, gradients)
        found = [finding for find in RULES.values() for finding in find(checked)]
    finally:
        for name, parameter in parameters.items():
            parameter.grad = kept[name]
        capture.let_go()
    return Report(sorted(found, key=lambda one: not one.fault))


def _loss(output, loss: Callable | None) -> Tensor:
    if loss is not None:
        return loss(output)
    own = getattr(output, "loss", None)
    if isinstance(own, Tensor) and own.requires_grad:
        return own
    found = [one for one in tensors_in(output) if one.requires_grad and one.is_floating_point()]
    if not found:
        raise WatchError("nothing that the module returns depends on its parameters by a gradient: is it in no_grad?")
    return sum(one.float().square().mean() for one in found)
