"""The form of DenseNet and DenseNet-BC (Huang et al. 2017)."""

from __future__ import annotations

from ...network import families
from ...network.family.densenet import IMAGENET
from ...network.network import Network
from ..task import Task
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


def _growing(network: Network) -> list[int]:
    """Return the places of the 3×3 convolutions that widen their block."""
    inner = (k for k, layer in enumerate(network.layers) if (layer.op.kind, layer.order) == ("conv", "norm-act-op"))
    return [k for k in inner if network.layers[k].op.kernel == 3]


def _counts(network: Network) -> tuple[int, ...]:
    """Return how many of them each block has: means lie between blocks."""
    pools = [k for k, layer in enumerate(network.layers) if layer.op.kind == "pool" and layer.op.reduce == "mean"]
    ends = zip((0, *pools), (*pools, network.depth), strict=True)
    return tuple(sum(low <= k < high for k in _growing(network)) for low, high in ends)


def _blocks(network: Network) -> str:
    counts = _counts(network)
    return next((name for name, blocks in PUBLISHED.items() if blocks == counts), str(len(counts)))


def _published(blocks, **_) -> tuple[str, int]:
    depth = int(blocks[3:]) if blocks in PUBLISHED else 121
    return f"DenseNet-{depth} on 3×224×224", families.densenet(depth).parameter_count()


LAYERS = 4

FORM = Form(
    "DenseNet",
    (
        Setting(
            "blocks", "Blocks", "3", ("1", "2", "3", "4", *PUBLISHED), words=WORDS,
            help="Equally many layers in each, or those of a published depth", read=_blocks,
        ),
        Setting(
            "layers", "Layers a block", LAYERS, low=1, high=32, idle=lambda values: values["blocks"] in PUBLISHED,
            read=lambda network: LAYERS if _counts(network) in PUBLISHED.values() else usual(_counts(network), LAYERS),
        ),
        Setting(
            "growth", "Growth rate", 8, low=1, high=48, help="Channels that each layer adds; published: 12, 24, 32, 48",
            read=lambda network: usual((network.layers[k].op.width for k in _growing(network)), 1),
        ),
        Setting(
            "compression", "Compression", 0.5, COMPRESSIONS, help="Share of the channels that goes on to the next block",
            idle=lambda values: values["blocks"] == "1",
        ),
        Setting("bottleneck", "Bottleneck", "yes", ("yes", "no"), help="A 1×1 convolution before each 3×3 one"),
    ),
    _make,
    **OF_IMAGES,
    published=_published,
)  # fmt: skip
