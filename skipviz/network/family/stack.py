"""Stacks of equal layers, linear or convolutional, under a pattern of skips."""

from __future__ import annotations

from collections.abc import Sequence

from ..base import NetworkError
from ..layer import Layer
from ..merge import MERGES
from ..network import MAX_LAYERS, Head, Network
from ..operation import Convolution, Linear
from ..pattern import Pattern, skips_of
from .trunk import Scale, branch_scale, head_of, refusing_in_words


@refusing_in_words
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
    scale: Scale = None,
) -> Network:
    """Return a stack of `depth` linear layers of `width` features.

    `skip_every=k` lays a skip over every k layers; `pattern` chooses another arrangement with that spacing. `scale` is the
    branch scale α of every layer at which adds land. `head` is a `Head` or a number of classes. Raises `NetworkError`.
    """
    return _stack(Linear, depth, width, skip_every, merge, activation, norm, order, init, pattern, input, head, scale)


@refusing_in_words
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
    scale: Scale = None,
) -> Network:
    """Return a stack of `depth` 3×3 convolutions of `width` channels that keep the image's size; as `mlp`."""
    return _stack(Convolution, depth, width, skip_every, merge, activation, norm, order, init, pattern, input, head, scale)


def _stack(operation, depth, width, skip_every, merge, activation, norm, order, init, pattern, input, head, scale) -> Network:
    if not 1 <= depth <= MAX_LAYERS:
        raise NetworkError(f"a stack has between 1 and {MAX_LAYERS:,} layers, not {depth}")
    layer = Layer(op=operation(width=width), activation=activation, norm=norm, order=order, init=init)
    head = head_of(head)
    network = Network(input=tuple(input), layers=(layer,) * depth, head=head)
    pattern = pattern or ("residual" if skip_every else "none")
    every = skip_every or (6 if pattern == "dense" else 2 if pattern == "residual" else 1)
    skips = skips_of(pattern, network.shapes.states, every, merge)
    ends = {skip.target for skip in skips if MERGES[skip.merge].sums}
    scaled = layer.replaced(**branch_scale(scale, len(ends)))
    layers = tuple(scaled if k in ends else layer for k in range(1, depth + 1))
    return Network(input=tuple(input), layers=layers, skips=skips, head=head)
