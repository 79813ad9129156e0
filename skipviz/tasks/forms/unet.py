"""The form of U-Net (Ronneberger et al. 2015) of images or volumes, with long skips and short ones."""

from __future__ import annotations

from ...network import families
from ...network.network import Network
from ..task import KINDS, Task
from .form import ACTIVATIONS, DROPOUTS, EDGES, NORM_WORDS, NORMS, SWITCH, Form, Setting
from .heuristics import first_width, of_kind, usual

MASKS = tuple(name for name, kind in KINDS.items() if kind.picture == "masks")
BESIDE = {"none": "nothing", "gates": "gates", "nested": "nested"}
DOUBLED = {"after": "after it", "before": "before it"}
UNEVEN = {"pad": "pad up", "crop": "crop"}
SHORT = {0: "none"} | {count: f"over {count}" for count in range(1, 101)}


def _make(
    task: Task, scales, width, doubled, convolutions, edges, uneven, up, merge, norm, activation, long, short, across, beside,
    dropout,
) -> Network:  # fmt: skip
    return families.unet(
        depth=scales, width=width, doubled=doubled, convolutions=convolutions, padded=edges == "padded", up=up, merge=merge,
        norm=norm, activation=activation, long=long == "on", short_every=short, short_kernel=across, dropout=dropout,
        gates=(beside, edges) == ("gates", "padded"),
        nested=(beside, edges) == ("nested", "padded"), uneven=uneven,
        input=task.input_for(True), head=task.head(),
    )  # fmt: skip


def _doubles_early(network: Network) -> bool:
    """Return whether channels are doubled before each pool: up-scalings then have no bias."""
    return not usual((layer.op.bias for layer in of_kind(network, "up")), True)


def _convolutions(network: Network) -> int:
    return max(1, round(len(of_kind(network, "conv")) / (2 * len(of_kind(network, "up")) + 1)))


def _width(network: Network) -> int:
    return first_width(network) // (2 if _doubles_early(network) and _convolutions(network) == 1 else 1)


def _follow(values: dict, before: Task, task: Task) -> dict:
    """Return the settings for another task: those of the 3-D U-Net where it has volumes, as wide before each pool."""
    deep, was = (len(one.sample_shape()) == 4 for one in (task, before))
    if deep == was:
        return values
    width = values["width"]
    way = ("before", max(1, width // 2)) if deep else ("after", min(64, 2 * width))
    return values | dict(zip(("doubled", "width"), way, strict=True))


def _published(beside, doubled, **_) -> tuple[str, int] | None:
    if doubled == "before":
        return "3-D U-Net 2016 on 3×116×132×132, biases for norms", families.unet3d(norm="none").parameter_count()
    if beside == "nested":
        wide = families.unet(width=32, padded=True, nested=True, input=(3, 96, 96), head=1)
        return "U-Net++ 2018 on 3×96×96", wide.parameter_count()
    return ("U-Net 2015 on 1×572×572", families.unet().parameter_count()) if beside == "none" else None


FORM = Form(
    "U-Net",
    (
        Setting("scales", "Down-scalings", 2, low=1, high=5, read=lambda network: len(of_kind(network, "up"))),
        Setting("width", "First width", 8, low=1, high=64, help="Published: 64, of the 3-D U-Net 32", read=_width),
        Setting(
            "doubled", "Doubled", "after", tuple(DOUBLED), words=DOUBLED,
            help="Where channels get twice as many: in the first convolution of the next scale, or as in the 3-D U-Net (Çiçek et "
            "al. 2016) in the last one before the pool; up-convolutions then keep the channels and have no bias",
            read=lambda network: "before" if _doubles_early(network) else "after",
        ),
        Setting("convolutions", "Convolutions", 2, low=1, high=8, help="3×3 convolutions a scale", read=_convolutions),
        Setting("edges", "Edges", "padded", tuple(EDGES), words=EDGES, help="Without padding each convolution takes the rim off"),
        Setting(
            "uneven", "Odd sides", "pad", tuple(UNEVEN), words=UNEVEN,
            help="Where halving leaves a pixel over: what is up-scaled is padded with zeros to the scale's size, so that the "
            "output has the image's, or the long skip is cropped",
            idle=lambda values: values["edges"] == "valid",
        ),
        Setting("up", "Up-sampling", "transposed", ("transposed", "bilinear")),
        Setting("merge", "Merge", "concat", ("concat", "add"), idle=lambda values: values["long"] == "off"),
        Setting("norm", "Norm", "none", NORMS, words=NORM_WORDS),
        Setting("activation", "Activation", "relu", tuple(ACTIVATIONS), words=ACTIVATIONS),
        Setting("long", "Long skips", "on", SWITCH),
        Setting(
            "short", "Short skips", 0, lambda values: tuple(range(values["convolutions"] + 1)),
            words=SHORT,
            help="Residual skips inside the scales, over so many convolutions (Drozdzal et al. 2016)",
        ),
        Setting(
            "across", "Projected by", 1, (1, 3), words={1: "1×1", 3: "3×3"},
            help="Where a short skip's widths differ; 3×3 as in many a ResUNet (Zhang et al. 2018)",
            idle=lambda values: values["short"] == 0,
        ),
        Setting(
            "beside", "On long skips", "none", lambda values: tuple(BESIDE)[: 3 if values["doubled"] == "after" else 2],
            words=BESIDE,
            help="Attention U-Net (Oktay et al. 2018): each is scaled, pixel by pixel, by what both its ends say. "
            "U-Net++ (Zhou et al. 2018): convolutions stand between its ends. Both want sizes that divide, or odd sides padded up",
            idle=lambda values: values["long"] == "off" or values["edges"] == "valid",
        ),
        Setting("dropout", "Dropout", 0.0, DROPOUTS, help="While training, at the end of the contracting path"),
    ),
    _make,
    tasks=MASKS,
    own=("masks", "pixel_classes"),
    published=_published,
    follow=_follow,
)  # fmt: skip
