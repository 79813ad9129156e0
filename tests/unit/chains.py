"""Random chains for hypothesis: every operation, norm, merge and adapter, valid by construction and mostly in force.

To make a strategy takes hypothesis longer than to draw from it, so each is made once.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import prod
from typing import get_args

from hypothesis import strategies as st

from skipviz import (
    Adapter,
    Attention,
    Convolution,
    Crop,
    Embedding,
    Expand,
    First,
    Head,
    Identity,
    Layer,
    Linear,
    Mean,
    Network,
    Patches,
    Pool,
    Position,
    Reduce,
    Resize,
    SequenceConvolution,
    Skip,
    Upsampling,
    edit,
)
from skipviz.network.base import Shape, channels, is_image, spatial, with_channels
from skipviz.network.kind import Norm
from skipviz.network.layer import Activation, Init
from skipviz.network.merge import CHOSEN, MERGES
from skipviz.network.norm import NORMS
from skipviz.network.placement import PLACEMENTS
from skipviz.network.positions import Between
from skipviz.network.rim import EXTRA
from skipviz.network.shapes import landing_shape

IMAGES = ((2, 8, 8), (3, 6, 4), (1, 7, 9), (2, 6, 6), (2, 4, 5, 4))
"""The last one is a volume."""
SEQUENCES = ((4, 3), (5, 6))
INPUTS = (*IMAGES, (5,), (6,), *SEQUENCES)
MOST_SKIPS = 9
Way = tuple[str, str, str]
"""How a skip joins: the spatial part of its adapter, the one of its channels, its merge."""
WAYS: tuple[Way, ...] = tuple(
    way
    for way in product(("none", *PLACEMENTS), ("none", "pad", "project"), CHOSEN)
    if way[0] == "none" or MERGES[way[2]].learns != "attention"
)
BARE: Way = ("none", "none", "add")
"""The commonest one: a residual skip as it is."""
WIDE = 6
"""Channels from which on layers get narrow again."""
LARGEST_SCALED_UP = 64
"""Pixels of an image that may still be scaled up."""
ACTIVATIONS = get_args(Activation)
INITS = get_args(Init)


once = lru_cache(maxsize=None, typed=True)
BOOLEANS = st.booleans()


@once
def one_of(*values) -> st.SearchStrategy:
    """Draw one of the values."""
    return st.sampled_from(values)


@once
def usually(value, *others) -> st.SearchStrategy:
    """Draw `value` six times as often as each of `others`: a chain in which little is in force shows little."""
    return st.sampled_from((value,) * 6 + others)


@once
def widths(have: int, way: Way) -> st.SearchStrategy:
    """Draw channels, mostly such that a state of `have` channels joins the one they make in that way."""
    fitting = {"none": (have,), "pad": (have + 1, have + 2), "project": (1, 3)}[way[1]]
    return st.sampled_from((*fitting * 3, 1, 2, 4) if have <= WIDE else (1, 2, 4))


@st.composite
def operations(draw, shape: Shape, way: Way):
    """Draw an operation that reads `shape`; the kind comes first, by its weight."""
    if is_image(shape):
        kinds = _image_operations(shape, way, draw(BOOLEANS))
        fitting = {"none": "conv", "stride": "down", "crop": "crop", "average-pool": "down", "max-pool": "down"}.get(way[0], "up")
        return draw(kinds[draw(one_of(*(["conv", *[fitting] * 6] if fitting in kinds else ["down"]), *kinds))])
    kinds = _vector_operations(shape, way)
    return draw(kinds[draw(one_of("linear", *kinds))])


@once
def _vector_operations(shape: Shape, way: Way) -> dict[str, st.SearchStrategy]:
    width = widths(shape[-1], way)
    kinds = {"linear": st.builds(Linear, width=width, bias=BOOLEANS), "identity": st.builds(Identity)}
    if len(shape) == 2:
        heads = st.sampled_from([count for count in (1, 2, 3) if shape[1] % count == 0])
        kinds["attention"] = st.builds(Attention, heads=heads, causal=BOOLEANS, bias=BOOLEANS)
        kernel, dilation = st.integers(1, 4), st.sampled_from((1, 2))
        kinds["conv1d"] = st.builds(
            SequenceConvolution, width=width, kernel=kernel, dilation=dilation, causal=BOOLEANS, bias=BOOLEANS
        )
        kinds["mean"] = st.builds(Mean) | st.builds(First)
        kinds["position"] = st.builds(Position, mode=st.sampled_from(("sinusoidal", "learned")))
    return kinds | _of_streams(shape)


def _of_streams(shape: Shape) -> dict[str, st.SearchStrategy]:
    kinds = {}
    if channels(shape) <= WIDE:
        kinds["expand"] = st.builds(Expand, streams=st.sampled_from((2, 3)))
    if counts := streams(channels(shape)):
        mixing, first = st.sampled_from(("sum", "free", "sinkhorn")), st.integers(0, 2)
        kinds["reduce"] = st.builds(Reduce, streams=st.sampled_from(counts), mixing=mixing, dynamic=BOOLEANS, first=first)
    return kinds


@once
def _image_operations(shape: Shape, way: Way, transposed: bool) -> dict[str, st.SearchStrategy]:
    small, bias, outputs = min(shape[1:]), BOOLEANS, widths(shape[0], way)
    kernel, padding = st.integers(1, min(3, small)), st.sampled_from((None, None, 0, 2))
    conv = st.builds(Convolution, width=outputs, kernel=kernel, padding=padding, bias=bias)
    dilated = st.builds(Convolution, width=outputs, dilation=st.sampled_from((2, 3)), kernel=st.sampled_from((1, 3)), bias=bias)
    depthwise = st.builds(Convolution, width=st.just(shape[0]), groups=st.just(shape[0]), bias=bias)
    kinds = {
        "conv": conv | conv | dilated | depthwise,
        "down": st.builds(Convolution, width=outputs, kernel=kernel, stride=st.just(2), bias=bias),
        "pool": st.builds(Pool, reduce=st.sampled_from(("max", "mean")), kernel=kernel, stride=st.integers(1, 3), ceil=bias),
        "crop": st.builds(Crop, size=st.tuples(*(st.integers(max(1, side - 2), side) for side in shape[1:]))),
        "identity": st.builds(Identity),
        "flat": st.builds(Linear, width=st.integers(1, 6), bias=bias) | st.builds(Patches, class_token=BOOLEANS),
    }
    if prod(shape[1:]) <= LARGEST_SCALED_UP:
        resized = {"mode": st.sampled_from(("nearest", "bilinear")), "kernel": st.integers(1, 3)}
        learned = {"mode": st.just("transposed"), "kernel": st.integers(2, 4)}
        rim = dict.fromkeys(EXTRA[-len(shape[1:]) :], usually(0, 1, 3))
        kinds["up"] = st.builds(Upsampling, width=outputs, bias=bias, **rim, **(learned if transposed else resized))
        if not transposed:
            kinds["up"] |= st.builds(Resize, mode=resized["mode"], **rim)
    return kinds | _of_streams(shape)


EMBEDDINGS = st.builds(Embedding, vocabulary=st.integers(1, 9), width=st.integers(1, 6), scaled=BOOLEANS)


def tells(norm: Norm, shape: Shape) -> bool:
    """Return whether a norm takes states of a shape; of one value RMS norm leaves a sign, and rounding for a gradient."""
    return not norm.misfit(shape) and (norm.centred or norm.values(shape) > 1)


@st.composite
def layers(draw, shape: Shape, way: Way, tokens: bool = False) -> Layer:
    if tokens:
        op = draw(EMBEDDINGS)
    else:
        op = draw(operations(shape, way))
    inits = usually("bilinear", *INITS) if getattr(op, "mode", None) == "transposed" else usually(*INITS)
    order = "op-norm-act" if tokens else draw(one_of("op-norm-act", "norm-act-op"))
    normed = shape if order == "norm-act-op" else op.output_shape(shape)
    scale = draw(one_of(None, None, 1.0, 0.5, 2.0, 0.0))
    learned = scale is not None and draw(BOOLEANS)
    return Layer(
        op=op,
        activation=draw(st.sampled_from(ACTIVATIONS)),
        norm=draw(st.sampled_from(("none", "none", *(name for name, kind in NORMS.items() if tells(kind, normed))))),
        order=order,
        init=draw(inits),
        init_factor=draw(usually(1.0, 0.5)),
        dropout=draw(usually(0.0, 0.3)),
        drop_path=draw(usually(0.0, 0.4)),
        scale=scale,
        scale_learned=learned,
        scale_per=draw(one_of("layer", "channel")) if learned else "layer",
        gain=draw(usually(1.0, 0.5, 0.0)),
    )


def streams(width: int) -> list[int]:
    """Return into how many streams a width can be divided."""
    return [count for count in (2, 3, 4) if width % count == 0]


def adapters(source: Shape, target: Shape, merge: str) -> list[tuple[str, str]]:
    """Return every spatial and channel part that, together, let a skip of that merge join these shapes."""
    if len(source) != len(target):
        return []
    a, b = spatial(source), spatial(target)
    attends = MERGES[merge].learns == "attention"
    if attends and not len(source) == len(target) == 2:
        return []
    if merge == "streams" and not streams(channels(target)):
        return []
    places = ["none"] if a == b or attends else []
    if a != b and not places:
        places = [name for name, kind in PLACEMENTS.items() if not kind.problem(Between.of(source, target))]
    parts = ["project"]
    if merge == "concat" or channels(source) == channels(target):
        parts += ["none"]
    if channels(source) < channels(target):
        parts += ["pad"]
    return [(place, part) for place in places for part in parts]


@st.composite
def skips(draw, states: list[Shape], sources: list[int], merges: list[str], way: Way) -> Skip | None:
    """Draw a skip to the last state, in that way where it can be: first how it joins, then from where."""
    target = len(states) - 1
    ways = [
        (*parts, merge, source)
        for source in sources
        for merge in merges
        for parts in adapters(states[source], states[target], merge)
    ]
    if not ways:
        return None
    if draw(one_of(True, True, False)):
        ways = [one for one in ways if one[:3] == way] or ways
    for place in range(4):
        kept = draw(st.sampled_from(sorted({one[place] for one in ways})))
        ways = [one for one in ways if one[place] == kept]
    ((place, part, merge, source),) = ways
    room = [a - b for a, b in zip(spatial(states[source]), spatial(states[target]), strict=True)]
    learned = draw(usually(False, True))
    skip = Skip(
        source=source,
        target=target,
        merge=merge,
        on=draw(usually(True, False)),
        strength=draw(one_of(1.0, 0.5, 2.0, 0.5, 2.0, 1.0, 0.5, 2.0, 0.0)),
        learned=learned,
        softmax=learned and merge == "add" and draw(BOOLEANS),
        gain=draw(usually(1.0, 0.5, 0.0)),
        gate_bias=draw(one_of(-2.0, 0.0, 1.0)),
        heads=draw(one_of(*(count for count in (1, 2, 3) if channels(states[target]) % count == 0))),
        streams=draw(one_of(*streams(channels(states[target])) or [4])),
        mixing=draw(one_of("free", "sinkhorn")),
        dynamic=draw(BOOLEANS),
        adapter=Adapter(
            spatial=place,
            channels=part,
            width=draw(st.none() | st.integers(1, 4)) if (merge, part) == ("concat", "project") else None,
            bias=draw(BOOLEANS),
            norm=draw(one_of("none", "batch")),
            init=draw(usually(*INITS)),
            kernel=draw(one_of(1, 3)) if part == "project" and room else 1,
            offset=draw(st.none() | st.integers(0, min(map(abs, room)))) if place in ("crop", "pad") else None,
        ),
    )
    chosen = skip.replaced(adapter=skip.adapter.replaced(spatial="auto", channels="auto"))
    same = chosen.resolved_adapter(states[source], states[target]) == skip.adapter
    return chosen if same and draw(BOOLEANS) else skip


@st.composite
def heads(draw, shape: Shape) -> Head:
    kinds = ["classes", "state", *(["pixels"] if is_image(shape) else ["positions"] if len(shape) == 2 else [])]
    kind = draw(st.sampled_from(kinds))
    outputs = channels(shape) if kind == "state" else draw(st.integers(1, 3))
    return Head(kind=kind, outputs=outputs, flatten=draw(BOOLEANS), bias=draw(BOOLEANS))


@st.composite
def chains(draw, way: Way | None = None) -> Network:
    """Any network: images, sequences, tokens or vectors; every state may be left and joined by several skips.

    Each draw has a way of joining that its shapes and skips tend to: met by chance alone, some ways would be rare.
    """
    way = way or draw(one_of(*WAYS, *[BARE] * 12))
    read = draw(st.sampled_from(SEQUENCES if MERGES[way[2]].learns == "attention" else INPUTS if way[0] == "none" else IMAGES))
    tokens = len(read) == 1 and draw(BOOLEANS)
    states, stack, laid = [read], [], []
    for k in range(1, draw(one_of(3, 4, 5, 6, 2, 1)) + 1):
        stack.append(draw(layers(read, way, tokens and k == 1)))
        states.append(read := stack[-1].output_shape(read))
        sources, merges = list(range(int(tokens), k)), list(CHOSEN)
        for _ in range(draw(one_of(1, 2, 0, 3))):
            skip = draw(skips(states, sources, merges, way)) if sources and merges and len(laid) < MOST_SKIPS else None
            if skip is None:
                break
            laid.append(skip)
            sources.remove(skip.source)
            if not skip.joins:  # beside one that stands alone nothing else lands
                alone = MERGES[skip.merge].alone
                merges = [name for name in merges if MERGES[name].joins or not (alone or MERGES[name].alone)]
            if skip.merge == "concat":
                carried = landing_shape(skip, states[skip.source], states[k], beside=False).carried
                read = with_channels(read, channels(read) + channels(carried))
    network = Network(input=states[0], layers=stack, skips=laid, head=draw(heads(read)))
    return edit.rested(network, {layer.id for layer in network.layers if not draw(usually(True, False))})
