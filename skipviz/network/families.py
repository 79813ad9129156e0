"""Families of networks: from a few numbers to a whole `Network`."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from .base import NetworkError, sentence
from .layer import Layer
from .network import MAX_LAYERS, Head, Network
from .operation import Convolution, Linear
from .pattern import Pattern, skips_of


def mlp(
    depth: int = 20,
    width: int = 64,
    skip_every: int = 0,
    merge: str | None = None,
    activation: str = "relu",
    norm: str = "none",
    order: str = "op-norm-act",
    init: str = "torch",
    pattern: Pattern | None = None,
    input: Sequence[int] = (2,),
    head: Head | int = 2,
) -> Network:
    """Return a stack of `depth` linear layers of `width` features.

    `skip_every=k` lays a skip over every k layers; `pattern` chooses another arrangement with that spacing.
    `head` is a `Head` or a number of classes. Raises `NetworkError`.
    """
    return _stack(Linear, depth, width, skip_every, merge, activation, norm, order, init, pattern, input, head)


def conv(
    depth: int = 20,
    width: int = 16,
    skip_every: int = 0,
    merge: str | None = None,
    activation: str = "relu",
    norm: str = "none",
    order: str = "op-norm-act",
    init: str = "torch",
    pattern: Pattern | None = None,
    input: Sequence[int] = (1, 8, 8),
    head: Head | int = 10,
) -> Network:
    """Return a stack of `depth` 3×3 convolutions of `width` channels that keep the image's size; as `mlp`."""
    return _stack(Convolution, depth, width, skip_every, merge, activation, norm, order, init, pattern, input, head)


def _stack(operation, depth, width, skip_every, merge, activation, norm, order, init, pattern, input, head) -> Network:
    if not 1 <= depth <= MAX_LAYERS:
        raise NetworkError(f"a stack has between 1 and {MAX_LAYERS:,} layers, not {depth}")
    try:
        layer = Layer(op=operation(width=width), activation=activation, norm=norm, order=order, init=init)
        head = Head(outputs=head) if isinstance(head, int) else head
        network = Network(input=tuple(input), layers=(layer,) * depth, head=head)
        pattern = pattern or ("residual" if skip_every else "none")
        every = skip_every or (6 if pattern == "dense" else 2 if pattern == "residual" else 1)
        skips = skips_of(pattern, network.shapes.states, every, merge)
        return Network(input=tuple(input), layers=(layer,) * depth, skips=skips, head=head)
    except ValidationError as error:
        raise NetworkError(sentence(error)) from None
