"""The Transformer, its encoder or both halves (Vaswani et al. 2017), Post-LN as published and Pre-LN (Xiong et al. 2020)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from ..base import NetworkError, written
from ..network import Head, Network
from ..node import Join, Node
from ..operation import Attention, Convolution, Embedding, Expand, First, Identity, Linear, Patches, Position, Reduce
from ..streams import Mixing
from .trunk import Scale, Trunk, branch_scale, chosen, counted, head_of, pixels, refusing_in_words

Order = Literal["post", "pre"]
Values = Literal["own", "first", "learned"]
MOST_BLOCKS = 100


@refusing_in_words
def transformer(
    depth: int = 6,
    width: int = 64,
    heads: int = 4,
    feed_forward: int | None = None,
    norm: Order = "post",
    causal: bool = False,
    vocabulary: int | None = None,
    positions: Literal["sinusoidal", "learned", "none"] = "sinusoidal",
    activation: str = "relu",
    residual: bool = True,
    scale: Scale = None,
    dropout: float = 0.0,
    shared: bool = False,
    tied: bool = False,
    averaged: bool = False,
    dilation: int = 1,
    period: int = 1,
    values: Values = "own",
    encoder: int = 0,
    source: int = 0,
    streams: int = 1,
    mix: Mixing = "free",
    dynamic: bool = False,
    patch: int = 0,
    class_token: bool = False,
    input: Sequence[int] | None = None,
    head: Head | int = 10,
) -> Network:
    """Return an encoder of `depth` blocks: self-attention, then two linear layers, each with a skip over it.

    `norm="post"` has a layer norm after each sum, as a box of its own; `"pre"` one before each branch, and one at the end.
    With `vocabulary` the input is `(length,)` tokens, embedded and scaled by √width; else `(length, features)`, mapped to
    `width` by a linear layer unless it has that width already. `feed_forward` is the width between the two linear layers
    (None: 4 × `width`), `causal` hides later positions, `residual=False` leaves the skips out, `scale` is the branch scale.
    `dropout` acts where the paper's §5.4 has it (0.1 there): on each sub-layer's output before it joins, and on the sum of
    embeddings and positions; none on attention weights. `shared`: all blocks have the weights of the first, without dropout (Lan et
    al. 2020, ALBERT). `tied`: the head uses the embedding's weight (Press & Wolf 2017). `averaged`: behind every `period`-th
    block a learned average of its output and of every `dilation`-th before it, the embedding's the first, which starts as the
    output alone, whose own weight is the box's scale (Pagliardini et al. 2024, DenseFormer).
    `values`: in every block but the first, attention takes half its own values and half the first block's (`"first"`), or
    learned shares of both that start so (`"learned"`; Zhou et al. 2024, ResFormer); values are then boxes of the trunk, and
    attention a mix. With `encoder` blocks of an encoder beside the trunk, each block of the trunk is a decoder's, whose second
    branch attends to what the encoder makes of the same embedding, or, where `source` is not 0, of so many tokens of its own,
    the further input `source`; `causal` is then the decoder's alone, as published. With more than one of `streams` (2…16,
    Pre-LN), each branch reads and writes as many residual streams, mixed freely (Zhu et al. 2024, hyper-connections) or by a
    doubly stochastic matrix (Xie et al. 2025, mHC), which is `dynamic` where it depends on what they hold; they begin as equals
    and end as a sum. With
    `patch` the input is an image, whose squares of `patch` × `patch` pixels are the positions (Dosovitskiy et al. 2021, ViT),
    a learned `class_token` before them, which the head then reads alone. `head` is a `Head` or a number of classes of the whole
    sequence. Raises `NetworkError`.
    """
    counted("a Transformer's depth", depth, 1, MOST_BLOCKS)
    chosen("the norm's place", norm, ("post", "pre"))
    chosen("positions", positions, ("sinusoidal", "learned", "none"))
    chosen("values", values, ("own", "first", "learned"))
    usual = (3, 224, 224) if patch else (16,) if vocabulary else (8, 8)
    trunk, size = Trunk(), tuple(input) if input is not None else usual
    if class_token and not patch:
        raise NetworkError("a class token stands before an image's patches: give their size")
    if patch:
        if vocabulary:
            raise NetworkError("a Transformer reads tokens or patches of an image, not both")
        _patches(trunk, size, width, patch, class_token)
    _entrance(trunk, (0, width) if patch else size, width, vocabulary, positions, dropout)
    attention = _self_attention if values == "own" else _of_first_values(values == "learned")
    attention = partial(attention, trunk, Attention(heads=heads, causal=causal))
    branches = {"dropout": dropout, **branch_scale(scale, 2 * depth)}
    lanes = Lanes(trunk, streams, mix, dynamic)
    block = partial(_post_block, trunk, residual) if norm == "post" else partial(_pre_block, trunk, lanes if residual else None)
    attend = lambda: None  # noqa: E731
    if encoder:
        counted("a source's length", source, 0, 65536)
        first = _source(trunk, source, width, vocabulary, positions) if source else trunk.state
        made = _encoder(trunk, first, encoder, Attention(heads=heads), norm, feed_forward or 4 * width, width, activation, residual)
        attend = partial(_attend, trunk, trunk.state, made, heads, norm, residual)
    if shared:
        _check_shared(dropout, averaged, values)
    counted("an encoder's depth", encoder, 0, MOST_BLOCKS)
    if source and not (encoder and vocabulary):
        raise NetworkError("a source is tokens for an encoder: give both vocabulary and encoder")
    if encoder and (shared or dropout or scale is not None):
        raise NetworkError("with an encoder blocks have weights of their own, no dropout and no branch scale")
    if streams != 1:
        counted("the number of streams", streams, 2, 16)
        if norm == "post" or not residual or shared or averaged or encoder:
            unfit = "with residuals and weights of their own, without averages or an encoder"
            raise NetworkError(f"several streams are of Pre-LN blocks {unfit}")
        trunk.layer(Expand(streams=streams))
    counted("the dilation", dilation, 1, MOST_BLOCKS)
    counted("the period", period, 1, MOST_BLOCKS)
    first = trunk.state
    outputs = [first]
    for number in range(1, depth + 1):
        block(attention, attend, feed_forward or 4 * width, width, activation, branches)
        outputs.append(trunk.state)
        if averaged and number % period == 0:
            _average(trunk, outputs[number % dilation : -1 : dilation])
    if shared:
        _share(trunk, first, depth)
    if norm == "pre":
        trunk.layer(Identity() if streams == 1 else Reduce(streams=streams), norm="layer")
    if class_token:
        trunk.layer(First())
    network = trunk.network(size, head_of(head))
    return network.replaced(tied=network.layers[0].id) if tied else network


def _check_shared(dropout: float, averaged: bool, values: Values) -> None:
    """Raise `NetworkError` for what blocks that share weights cannot have."""
    if dropout:
        raise NetworkError("blocks that share weights have no dropout of their own")
    if averaged:
        raise NetworkError("blocks that share weights are not averaged: each average has weights of its own")
    if values != "own":
        raise NetworkError("blocks that share weights have values of their own")


def _share(trunk: Trunk, first: int, blocks: int) -> None:
    """Have the layers of all blocks behind the state h_first use the weights of the first block's."""
    period = (trunk.state - first) // blocks
    for place in range(first + period, trunk.state):
        owner = f"f{first + (place - first) % period + 1}"
        trunk.layers[place] = trunk.layers[place].replaced(shares=owner)


def _average(trunk: Trunk, earlier: list[int]) -> None:
    """Lay the average of the last state and of `earlier` ones, whose weights start at 1 and 0."""
    trunk.layer(Identity(), scale=1.0, scale_learned=True)
    for state in earlier:
        trunk.skip(state, strength=0.0, learned=True)


def _self_attention(trunk: Trunk, op: Attention, width: int, before: dict, branches: dict) -> None:
    trunk.layer(op, **before, **branches)


def _of_first_values(learned: bool) -> Callable[..., None]:
    """Return what lays an attention as values, with a skip from the first block's, a mix of them, and the map out."""
    first: list[int] = []

    def lay(trunk: Trunk, op: Attention, width: int, before: dict, branches: dict) -> None:
        if before:
            trunk.layer(Identity(), norm="layer")
        read = trunk.state
        values = trunk.layer(Linear(width=width), **({"scale": 0.5, "scale_learned": learned} if first else {}))
        if first:
            trunk.skip(first[0], strength=0.5, learned=learned)
        else:
            first.append(values)
        trunk.layer(Identity())
        trunk.skip(read, merge="mix", heads=op.heads, causal=op.causal)
        trunk.layer(Linear(width=width), **branches)

    return lay


def _source(trunk: Trunk, length: int, width: int, vocabulary: int | None, positions: str) -> str:
    """Lay the embedding of a further input of tokens beside the trunk; return the last node's id."""
    trunk.further["source"] = (length,)
    embedding = Node(op=Embedding(vocabulary=vocabulary or 2, width=width, scaled=True), init="normal")
    last = trunk.node("encoder.embedding", embedding, "source")
    return last if positions == "none" else trunk.node("encoder.positions", Node(op=Position(mode=positions)), last)


def _encoder(
    trunk: Trunk,
    last: int | str,
    depth: int,
    attention: Attention,
    norm: Order,
    wide: int,
    width: int,
    activation: str,
    residual: bool,
) -> str:
    """Lay an encoder beside the trunk, from a state or a node; return the id of the node that gives what it makes of that."""
    before = {} if norm == "post" else {"norm": "layer", "order": "norm-act-op"}
    behind = {} if norm == "post" else {"activation": activation, "order": "norm-act-op"}
    first = before or {"activation": activation}
    branches = [[Node(op=attention, **before)], [Node(op=Linear(width=wide), **first), Node(op=Linear(width=width), **behind)]]
    for block in range(1, depth + 1):
        for branch, nodes in enumerate(branches):
            source, name = last, f"encoder.{block}.{branch}"
            for place, node in enumerate(nodes):
                last = trunk.node(f"{name}.{place}", node, last)
            if residual:
                last = trunk.node(f"{name}.sum", Node(op=Join(kind="add")), last, source)
            if norm == "post":
                last = trunk.node(f"{name}.norm", Node(op=Identity(), norm="layer"), last)
    return trunk.node("encoder.norm", Node(op=Identity(), norm="layer"), last) if norm == "pre" else last


def _attend(trunk: Trunk, first: int, made: str, heads: int, norm: Order, residual: bool) -> None:
    """Lay the branch of a decoder that attends to what an encoder makes of h_first."""
    source = trunk.state
    trunk.layer(Identity(), norm="none" if norm == "post" else "layer")
    trunk.skip(first, via=made, merge="attend", heads=heads)
    if residual:
        trunk.skip(source)
    if norm == "post":
        trunk.layer(Identity(), norm="layer")


class Lanes:
    """Reads the residual streams for each branch in its turn, and writes to them; a single one is read as it is and added to."""

    def __init__(self, trunk: Trunk, streams: int, mixing: Mixing, dynamic: bool) -> None:
        self.trunk, self.fields, self.read = trunk, {"streams": streams, "mixing": mixing, "dynamic": dynamic}, 0

    def begin(self) -> int:
        """Lay what a branch reads of the last state; return that state's number."""
        source, streams = self.trunk.state, self.fields["streams"]
        if streams > 1:
            self.trunk.layer(Reduce(first=self.read % streams, **self.fields))
            self.read += 1
        return source

    def end(self, source: int) -> None:
        """Lay what lands the branch that began with a state, and what that carries past it."""
        if self.fields["streams"] == 1:
            self.trunk.skip(source)
            return
        self.trunk.layer(Expand(streams=self.fields["streams"]))
        self.trunk.skip(source, merge="streams", **self.fields)


def _post_block(
    trunk: Trunk, residual: bool, attention: Callable, attend: Callable, wide: int, width: int, activation: str, branches: dict
) -> None:
    source = trunk.state
    attention(width, {}, branches)
    _sum(trunk, source, residual)
    attend()
    source = trunk.state
    trunk.layer(Linear(width=wide), activation=activation)
    trunk.layer(Linear(width=width), **branches)
    _sum(trunk, source, residual)


def _pre_block(
    trunk: Trunk, lanes: Lanes | None, attention: Callable, attend: Callable, wide: int, width: int, activation: str, branches: dict
) -> None:
    before = {"norm": "layer", "order": "norm-act-op"}
    source = lanes and lanes.begin()
    attention(width, before, branches)
    if lanes:
        lanes.end(source)
    attend()
    source = lanes and lanes.begin()
    trunk.layer(Linear(width=wide), **before)
    trunk.layer(Linear(width=width), activation=activation, order="norm-act-op", **branches)
    if lanes:
        lanes.end(source)


def _sum(trunk: Trunk, source: int, residual: bool) -> int:
    """Lay the skip that ends a Post-LN branch and the norm after it; return the number of the state behind."""
    if residual:
        trunk.skip(source)
    return trunk.layer(Identity(), norm="layer")


def _patches(trunk: Trunk, size: tuple[int, ...], width: int, patch: int, class_token: bool) -> None:
    """Lay the map of each square of pixels to a vector, and the squares as a sequence."""
    if pixels(size) % patch or max(size[1:]) % patch:
        raise NetworkError(f"patches of {patch} × {patch} pixels do not divide an image of {written(size[1:])}")
    trunk.layer(Convolution(width=width, kernel=patch, stride=patch, padding=0))
    trunk.layer(Patches(class_token=class_token))


def _entrance(trunk: Trunk, size: tuple[int, ...], width: int, vocabulary: int | None, positions: str, dropout: float) -> None:
    wanted = 1 if vocabulary else 2
    if len(size) != wanted:
        shape = "(length,) tokens" if vocabulary else "(length, features)"
        raise NetworkError(f"this Transformer reads {shape}, not {len(size)} sizes")
    first = {} if positions != "none" else {"dropout": dropout}
    if vocabulary:
        trunk.layer(Embedding(vocabulary=vocabulary, width=width, scaled=True), init="normal", **first)
    elif size[1] != width:
        trunk.layer(Linear(width=width), **first)
    if positions != "none":
        trunk.layer(Position(mode=positions), dropout=dropout)
