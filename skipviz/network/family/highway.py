"""Highway networks (Srivastava et al. 2015): each layer has a gate that says how much of its input passes by."""

from __future__ import annotations

from collections.abc import Sequence

from ..base import is_image
from ..network import MAX_LAYERS, Head, Network
from ..operation import Convolution, Linear
from .trunk import Trunk, counted, head_of, refusing_in_words


@refusing_in_words
def highway(
    depth: int = 50,
    width: int = 50,
    gate_bias: float = -2.0,
    activation: str = "relu",
    norm: str = "none",
    init: str = "he",
    plain: bool = False,
    input: Sequence[int] = (64,),
    head: Head | int = 10,
) -> Network:
    """Return `depth` layers of `width`: h_k = T·f_k + (1 − T)·h_{k−1} with T = σ(W h_{k−1} + b) over every layer but the first.

    The first layer brings the input to `width` and has no gate; where it has that width already, every layer has one.
    Layers are linear, or 3×3 convolutions with 1×1 gates for an image. `gate_bias` is b at the start: the more negative, the
    more is carried (the paper takes −1 to −4). `plain` is the twin without gates. Raises `NetworkError`.
    """
    counted("a highway network's depth", depth, 1, MAX_LAYERS)
    trunk, images = Trunk(), is_image(tuple(input))
    operation = Convolution(width=width) if images else Linear(width=width)
    for place in range(depth):
        source = trunk.state
        trunk.layer(operation, activation=activation, norm=norm, init=init)
        if not plain and (place or tuple(input)[0 if images else -1] == width):
            trunk.skip(source, merge="gate", gate_bias=gate_bias)
    return trunk.network(input, head_of(head))
