"""A small network of each kind that no preset has."""

from __future__ import annotations

from skipviz import Experiment, Network, Skip, Task, Training, families

TOKENS = {"vocabulary": 10, "input": (8,), "head": Task(name="sequences").head()}
NETWORKS = {
    "batch norm": ("digits", families.conv(depth=4, width=4, skip_every=2, norm="batch", input=(1, 8, 8), head=10)),
    "SE and groups": ("digits", families.resnet(50, layout="imagenet", block="bottleneck", widths=(8, 16, 16, 16), groups=2,
                                                group_width=4, reduction=4, input=(1, 8, 8), head=10)),
    "MobileNet": ("digits", families.mobilenet(input=(1, 8, 8), head=10)),
    "ConvNeXt": ("digits", families.convnext(blocks=(1, 2), widths=(8, 16), patch=2, input=(1, 8, 8), head=10)),
    "ViT": ("digits", families.vit(2, 16, 2, 2, 32, input=(1, 8, 8), head=10)),
    "TCN": ("memory", families.tcn(4, 16, vocabulary=12, input=(24,), head=Task(name="memory").head())),
    "WaveNet": ("memory", families.wavenet(2, 3, 16, 16, vocabulary=12, input=(24,), head=Task(name="memory").head())),
    "hyper-connections": ("sequences", families.transformer(2, 16, 2, 32, "pre", streams=4, dynamic=True, **TOKENS)),
    "mHC": ("sequences", families.transformer(2, 16, 2, 32, "pre", streams=4, mix="sinkhorn", dynamic=True, **TOKENS)),
    "DenseFormer": ("sequences", families.transformer(2, 16, 2, 32, "pre", averaged=True, **TOKENS)),
    "ResFormer": ("sequences", families.transformer(2, 16, 2, 32, "pre", values="learned", **TOKENS)),
    "both halves": ("sequences", families.transformer(2, 16, 2, 32, encoder=2, **TOKENS)),
    "bilinear": ("shapes", families.unet(depth=2, width=4, up="bilinear", padded=True, input=(1, 32, 32), head=1)),
    "ResNet U-Net": ("shapes", families.resnet_unet(18, 4, (8, 4, 4, 4, 4), input=(1, 32, 32))),
    "tabular": ("moons", families.tabular_resnet(input=(2,), head=2)),
    "gates": ("moons", families.mlp(depth=6, width=16, skip_every=2, merge="gate")),
    "products": ("moons", families.mlp(depth=6, width=16, skip_every=2, merge="multiply")),
    "concats": ("moons", families.mlp(depth=6, width=16, skip_every=2, merge="concat")),
    "learned": ("moons", families.mlp(depth=4, width=16, skip_every=0).replaced(
        skips=[Skip(source=1, target=3, learned=True), Skip(source=2, target=4, learned=True, softmax=True)])),
}  # fmt: skip
"""With the task of each."""


def case(task: str, network: Network, **training) -> Experiment:
    """Return the experiment of a network on its task."""
    training = Training(**{"batch_size": 16, **training})
    return Experiment(variants={"network": network}, task=Task(name=task), training=training)
