"""A module's buffers as they were: statistics of norms, and whatever a forward pass puts in their places."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def kept_buffers(model: nn.Module) -> Iterator[None]:
    """Give the buffers of `model` their values back afterwards, also those that were replaced by other tensors."""
    kept = [
        (module, name, buffer, buffer.clone()) for module in model.modules() for name, buffer in module.named_buffers(recurse=False)
    ]
    try:
        yield
    finally:
        with torch.no_grad():
            for module, name, buffer, value in kept:
                buffer.data.copy_(value)
                module._buffers[name] = buffer
