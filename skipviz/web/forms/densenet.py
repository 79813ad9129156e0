"""The form of DenseNet and DenseNet-BC (Huang et al. 2017)."""

from __future__ import annotations

from ...network import families
from ...network.family.densenet import IMAGENET
from ...network.network import Network
from ...tasks.task import Task
from .form import OF_IMAGES, Form, Setting
from .heuristics import usual

PUBLISHED = {f"of {depth}": blocks for depth, blocks in sorted(IMAGENET.items())}
"""Layers a block of the published depths."""
WORDS = {name: f"as {name[3:]}" for name in PUBLISHED}
COMPRESSIONS = (0.25, 0.5, 0.75, 1.0)


def _make(task: Task, blocks, layers, growth, compression, bottleneck) -> Network:
    return families.densenet(
        depth=None, blocks=PUBLISHED.get(blocks) or (layers,) * int(blocks), growth=growth, compression=compression,
        bottleneck=bottleneck == "yes", input=task.input_for(True), head=task.head(),
    )  # fmt: skip


def _read(network: Network) -> dict | None:
    inner = [(k, layer) for k, layer in enumerate(network.layers) if layer.op.kind == "conv" and layer.order == "norm-act-op"]
    if not inner or not any(skip.merge == "concat" for skip in network.skips):
        return None
    pools = [k for k, layer in enumerate(network.layers) if layer.op.kind == "pool" and layer.op.reduce == "mean"]
    transitions = [(k, layer) for k, layer in inner if k + 1 in pools]
    growing = [(k, layer) for k, layer in inner if layer.op.kernel == 3]
    narrow = len(inner) - len(growing) - len(transitions)
    counts = tuple(sum(low <= k < high for k, _ in growing) for low, high in zip((0, *pools), (*pools, network.depth), strict=True))
    ratios = [_compression(network.shapes.layers[k].input[0], layer.op.width) for k, layer in transitions]
    published = next((name for name, blocks in PUBLISHED.items() if blocks == counts), None)
    return {
        "blocks": published or str(len(counts)),
        "layers": LAYERS if published else max(1, usual(counts, LAYERS)),
        "growth": usual((layer.op.width for _, layer in growing), 12),
        "compression": usual(ratios, 0.5),
        "bottleneck": "yes" if 2 * narrow > len(growing) else "no",
    }


def _compression(width: int, left: int) -> float:
    """Return the share of `width` channels that `left` is, as it is offered where it can be."""
    return next((share for share in COMPRESSIONS if int(width * share) == left), min(1.0, (left + 0.5) / width))


def _published(blocks, **_) -> tuple[str, int]:
    depth = int(blocks[3:]) if blocks in PUBLISHED else 121
    return f"DenseNet-{depth} on 3×224×224", families.densenet(depth).parameter_count()


LAYERS = 4

FORM = Form(
    "DenseNet",
    (
        Setting(
            "blocks", "Blocks", "3", ("1", "2", "3", "4", *PUBLISHED), words=WORDS,
            help="Equally many layers in each, or those of a published depth",
        ),
        Setting("layers", "Layers a block", LAYERS, low=1, high=32, idle=lambda values: values["blocks"] in PUBLISHED),
        Setting("growth", "Growth rate", 8, low=1, high=48, help="Channels that each layer adds; published: 12, 24, 32, 48"),
        Setting(
            "compression", "Compression", 0.5, COMPRESSIONS, help="Share of the channels that goes on to the next block",
            idle=lambda values: values["blocks"] == "1",
        ),
        Setting("bottleneck", "Bottleneck", "yes", ("yes", "no"), help="A 1×1 convolution before each 3×3 one"),
    ),
    _make,
    _read,
    **OF_IMAGES,
    published=_published,
)  # fmt: skip
