"""The form of the Transformer, its encoder or both halves (Vaswani et al. 2017), Post-LN as published and Pre-LN."""

from __future__ import annotations

from ...network import families
from ...network.family.transformer import MOST_BLOCKS
from ...network.network import Network
from ..task import KINDS, Task
from .form import ACTIVATIONS, DROPOUTS, SCALES, SCALES_HELP, SWITCH, Form, Setting
from .heuristics import of_kind, usual

WITH_SOURCE = tuple(name for name in KINDS if Task(name=name).further())
"""Tasks whose samples have tokens for an encoder beside those for the decoder."""
OF_TOKENS = tuple(name for name, kind in KINDS.items() if kind.length and name not in WITH_SOURCE)

BESIDE_ENCODER = {"scale": "none", "shared": "own", "dropout": 0.0, "streams": 1}
"""What goes with an encoder."""

MIXES = {"free": "free", "sinkhorn": "Sinkhorn"}

VALUES = {"own": "a block's own", "first": "half the first's", "learned": "the first's, learned"}


def _make(
    task: Task, depth, width, heads, feed_forward, norm, causal, positions, activation, residual, scale, dropout, shared, averaged,
    period, dilation, values, encoder, streams, mix, dynamic, tied,
) -> Network:  # fmt: skip
    """Return a Transformer of a task's tokens, or of an image's rows."""
    own = shared == "own" or dropout > 0
    source = sum(task.further().get("source", ()))
    encoder = max(1, encoder) if source else encoder if (scale, shared, dropout) == ("none", "own", 0) else 0
    several = (norm, residual) == ("pre", "on") and own and not (encoder or averaged == "on")
    return families.transformer(
        depth=depth, width=width, heads=heads, feed_forward=feed_forward, norm=norm, causal=causal == "on", positions=positions,
        activation=activation, residual=residual == "on", scale=None if scale == "none" else scale, dropout=dropout,
        shared=not own, values=values if own else "own", averaged=averaged == "on" and own, encoder=encoder, source=source,
        period=period, dilation=dilation, streams=streams if several else 1, mix=mix, dynamic=dynamic == "on",
        tied=tied == "embedding" and task.token_count() > 0,
        vocabulary=task.token_count() or None, input=task.sample_shape()[-2:], head=task.head(),
    )  # fmt: skip


def _attentions(network: Network) -> list:
    """Return what attends on the trunk: the layers, or the skips that bring values."""
    return of_kind(network, "attention") or [skip for skip in network.skips if skip.merge == "mix"]


def _values(network: Network) -> str:
    learned = any(skip.learned and skip.strength for skip in network.skips)
    return "own" if of_kind(network, "attention") else "learned" if learned else "first"


def _blocks(network: Network, state: int) -> int:
    """Return how many blocks stand before a state of the trunk."""
    own = sum(layer.op.kind == "attention" for layer in network.layers[:state])
    return own or sum(skip.merge == "mix" and skip.target <= state for skip in network.skips)


def _averages(network: Network) -> list[tuple[int, list[int]]]:
    """Return behind which blocks averages stand, and of which blocks' outputs each is beside its own block's."""
    boxes = [k for k, layer in enumerate(network.layers, start=1) if layer.op.kind == "identity" and layer.scale_learned]
    reads = {k: [_blocks(network, skip.source) for skip in network.skips if skip.target == k and skip.learned] for k in boxes}
    return [(_blocks(network, k), sources) for k, sources in reads.items()]


def _period(network: Network) -> int:
    return next((block for block, _ in _averages(network)), 1)


def _dilation(network: Network) -> int:
    return next((block - max(sources) for block, sources in _averages(network) if sources), 1)


def _unaveraged(values: dict) -> bool:
    return values["averaged"] == "off" or (values["shared"] == "shared" and not values["dropout"])


def _up_to(most: int) -> tuple[int, ...]:
    return tuple(number for number in (1, 2, 3, 4, 5, 6, 8, 10) if number <= most)


def _width(network: Network) -> int:
    return network.shapes.layers[0].output[-1]


def _wide(network: Network) -> int:
    width = _width(network)
    return usual((layer.op.width for layer in of_kind(network, "linear") if layer.op.width != width), width)


def _norms_first(network: Network) -> int:
    return sum(layer.order == "norm-act-op" for layer in network.layers)


def _published(norm, encoder=0, **_) -> tuple[str, int]:
    halves = {"encoder": 6} if encoder else {}
    network = families.transformer(depth=6, width=512, heads=8, feed_forward=2048, norm=norm, input=(16, 512), **halves)
    part = "both halves" if encoder else "the encoder"
    return f"{part} of 6 × 512, without embedding and head", network.parameter_count() - network.shapes.head_parameters


def follow_causal(values: dict, before: Task, task: Task) -> dict:
    """What is predicted from what came before needs the causal mask, and where that was the reason for it, it goes again."""
    return values if before.causal == task.causal else {**values, "causal": "on" if task.causal else "off"}


def _follow(values: dict, before: Task, task: Task) -> dict:
    """What has a source needs an encoder to read it, and settings that go with one; elsewhere it goes again."""
    values = follow_causal(values, before, task)
    if task.further() and not before.further():
        return {**values, **BESIDE_ENCODER, "encoder": values["encoder"] or 2}
    return {**values, "encoder": 0} if before.further() and not task.further() else values


def _without_encoder(values: dict) -> bool:
    return (values["scale"], values["shared"], values["dropout"]) != ("none", "own", 0)


def _one_stream(values: dict) -> bool:
    """Return whether other settings leave one residual stream."""
    shares = values["shared"] == "shared" and not values["dropout"]
    encoder = values["encoder"] and not _without_encoder(values)
    return (values["norm"], values["residual"]) != ("pre", "on") or shares or bool(encoder) or values["averaged"] == "on"


FORM = Form(
    "Transformer",
    (
        Setting("depth", "Blocks", 4, low=1, high=MOST_BLOCKS, read=lambda network: len(_attentions(network))),
        Setting("width", "Width", 32, (8, 16, 32, 64, 128, 256, 512), help="Published: 512", read=_width),
        Setting("heads", "Heads", 4, (1, 2, 4, 8, 16), help="They divide the width"),
        Setting("feed_forward", "Feed-forward", 64, low=1, high=2048, help="Width between a block's two linear layers", read=_wide),
        Setting(
            "norm", "Layer norm", "pre", ("pre", "post"), help="Before each branch, or after each sum, as published",
            read=lambda network: "pre" if _norms_first(network) >= len(_attentions(network)) else "post",
        ),
        Setting("causal", "Causal mask", "off", SWITCH, help="A position sees itself and those before it only"),
        Setting(
            "positions", "Positions", "sinusoidal", ("sinusoidal", "learned", "none"),
            read=lambda network: usual((layer.op.mode for layer in of_kind(network, "position")), "none"),
        ),
        Setting("activation", "Activation", "relu", tuple(ACTIVATIONS), words=ACTIVATIONS),
        Setting("residual", "Residuals", "on", SWITCH),
        Setting("scale", "Branch scale", "none", tuple(SCALES), words=SCALES, help=SCALES_HELP),
        Setting("dropout", "Dropout", 0.0, DROPOUTS, help="While training, before each sum, as published: 0.1"),
        Setting(
            "shared", "Weights", "own", ("own", "shared"), words={"own": "own", "shared": "shared"},
            help="All blocks share the first one's (Lan et al. 2020, ALBERT); without dropout",
            idle=lambda values: values["dropout"] > 0,
        ),
        Setting(
            "averaged", "Average of blocks", "off", SWITCH,
            help="Behind each block a learned average of all blocks' outputs (Pagliardini et al. 2024, DenseFormer)",
            read=lambda network: "on" if any(skip.learned and not skip.strength for skip in network.skips) else "off",
            idle=lambda values: values["shared"] == "shared" and not values["dropout"],
        ),
        Setting(
            "period", "Period", 1, lambda values: _up_to(values["depth"]),
            help="An average stands behind every so many blocks; published: 5", read=_period, idle=_unaveraged,
        ),
        Setting(
            "dilation", "Dilation", 1, lambda values: _up_to(values["depth"] // values["period"] * values["period"]),
            help="How many blocks lie between the outputs that are averaged; published: 4", read=_dilation, idle=_unaveraged,
        ),
        Setting(
            "values", "Values", "own", tuple(VALUES), words=VALUES,
            help="What attention mixes: each block's own values, or with those of the first (Zhou et al. 2024, ResFormer)",
            read=_values, idle=lambda values: values["shared"] == "shared" and not values["dropout"],
        ),
        Setting(
            "encoder", "Encoder", 0, low=0, high=MOST_BLOCKS,
            help="Beside the trunk, whose blocks are then a decoder's and attend to what it makes of their embedding or a source",
            read=lambda network: sum(node.op.kind == "attention" for node in network.branches), idle=_without_encoder,
        ),
        Setting(
            "streams", "Streams", 1, (1, 2, 3, 4, 8),
            help="Residual streams that each branch reads and writes (Zhu et al. 2024, hyper-connections); Pre-LN with residuals",
            read=lambda network: usual((skip.streams for skip in network.skips if skip.merge == "streams"), 1), idle=_one_stream,
        ),
        Setting(
            "mix", "Mixing", "free", tuple(MIXES), words=MIXES,
            help="Of streams, at each branch: any weights, or by Sinkhorn rows and columns of sum 1 (Xie et al. 2025, mHC)",
            idle=lambda values: values["streams"] == 1 or _one_stream(values),
        ),
        Setting(
            "dynamic", "Dynamic mixing", "off", SWITCH, help="How streams mix depends on what they hold, position by position",
            idle=lambda values: values["streams"] == 1 or _one_stream(values),
        ),
        Setting(
            "tied", "Head's weight", "own", ("own", "embedding"), words={"embedding": "embedding's"},
            help="Where it reads tokens: the head takes the embedding's (Press & Wolf 2017), as GPT-2 does",
            read=lambda network: "embedding" if network.tied else "own",
        ),
    ),
    _make,
    tasks=("digits", *OF_TOKENS, *WITH_SOURCE),
    published=_published,
    follow=_follow,
)  # fmt: skip
